"""How right a classifier is: accuracy, top-k, and precision, recall and F1 of each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.evaluation import AtThreshold, Confusion, Curve, LabelScores
from picsellia_jupyter.domain.ground_truth import ClassifiedImages
from picsellia_jupyter.workflows.evaluation.curves import best_threshold, curve, thinned

NOTHING = "nothing"
"""What an image was taken for where the model named no class."""
_TOPS = (3, 5)


def confusion(images: ClassifiedImages) -> Confusion:
    """Rows: what an image is; columns: the most confident class."""
    taken, count = answers(images), len(images.labels)
    counts = np.zeros((count + 1, count + 1), np.int64)
    np.add.at(counts, (images.truth, taken), 1)
    if not counts[:, count].any():
        return Confusion(tuple(images.labels), counts[:count, :count])
    return Confusion((*images.labels, NOTHING), counts)


def answers(images: ClassifiedImages) -> NDArray[np.int64]:
    """(I,) the most confident class of each image; C where the model named none."""
    named = images.scores.max(axis=1, initial=0.0) > 0
    return np.where(named, images.scores.argmax(axis=1), len(images.labels))


def per_label(images: ClassifiedImages) -> list[LabelScores]:
    """The report of every class; its curve is of this class against the rest."""
    taken = answers(images)
    found: list[LabelScores] = []
    for row, label in enumerate(images.labels):
        is_it, said_so = images.truth == row, taken == row
        right = int((is_it & said_so).sum())
        counts = AtThreshold(right, int(said_so.sum()) - right, int(is_it.sum()) - right)
        points = curve(images.scores[:, row], is_it, truth=int(is_it.sum()))
        found.append(
            LabelScores(
                label=label,
                truth=int(is_it.sum()),
                at_threshold=counts,
                ap=average_precision(points),
                ap_50=None,
                best=best_threshold(points),
                curve=thinned(points),
            )
        )
    return found


def average_precision(points: Curve | None) -> float | None:
    """Area under a curve in steps, not interpolated, in [0, 1]."""
    if points is None:
        return None
    return float(np.sum(np.diff(points.recall, prepend=0.0) * points.precision))


def summary(images: ClassifiedImages, labels: Sequence[LabelScores]) -> dict[str, float | None]:
    """The figures of all classes together; None where there are no images."""
    if not len(images):
        return dict.fromkeys(("accuracy", "macro_precision", "macro_recall", "macro_f1"))
    # A class that neither is nor was said anywhere says nothing of the model.
    seen = [one for one in labels if one.at_threshold.f1 is not None]
    counts = [one.at_threshold for one in seen]
    f1 = [one.f1 or 0.0 for one in counts]
    tops = [k for k in _TOPS if k < len(images.labels)]
    return {
        "accuracy": float((answers(images) == images.truth).mean()),
        **{f"top_{k}": top(images, k) for k in tops},
        "macro_precision": float(np.mean([one.precision or 0.0 for one in counts])),
        "macro_recall": float(np.mean([one.recall or 0.0 for one in counts])),
        "macro_f1": float(np.mean(f1)),
        "weighted_f1": float(np.average(f1, weights=[one.truth for one in seen])),
    }


def top(images: ClassifiedImages, k: int) -> float:
    """Share of images whose class is among the k most confident, in [0, 1]."""
    order = np.argsort(-images.scores, axis=1, kind="stable")[:, :k]
    named = np.take_along_axis(images.scores, order, axis=1) > 0
    return float(((order == images.truth[:, None]) & named).any(axis=1).mean())
