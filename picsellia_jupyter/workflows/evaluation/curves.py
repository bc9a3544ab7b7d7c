"""Precision, recall and F1 over the threshold, and the threshold of the best F1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.evaluation import AtThreshold, BestThreshold, Curve
from picsellia_jupyter.domain.ground_truth import Matches
from picsellia_jupyter.domain.predictions import over_threshold


def curve(scores: NDArray[np.float64], right: NDArray[np.bool_], *, truth: int) -> Curve | None:
    """The curve of one label.

    Args:
        scores: (N,) of what was found, in any order.
        right: (N,) whether each is.
        truth: how many there are to be found.

    Returns:
        A point for each score that occurs; None where nothing was found or nothing is there.
    """
    if not len(scores) or not truth:
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Objects of the same score are considered together or not at all.
    last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    hits = np.cumsum(right[order])[last]
    return Curve(ranked[last], hits / (last + 1), hits / truth)


def best_threshold(points: Curve | None) -> BestThreshold | None:
    """The threshold at which the F1 of a curve is highest; the higher one of equals.

    It lies halfway to the next lower score, so that objects scored strictly over it are those
    of the best point.
    """
    if points is None or not points.scores[0] > 0:
        return None
    f1 = np.where(points.scores > 0, points.f1, -1.0)
    row = int(f1.argmax())
    lowest = float(points.scores[row])
    below = float(points.scores[row + 1]) if row + 1 < len(points.scores) else 0.0
    return BestThreshold(
        threshold=_between(below, lowest),
        f1=float(f1[row]),
        precision=float(points.precision[row]),
        recall=float(points.recall[row]),
    )


def thinned(points: Curve | None, *, most: int = 101) -> Curve | None:
    """The curve with at most so many points, evenly by rank; the best and the last one stay."""
    if points is None or len(points.scores) <= most:
        return points
    even = np.linspace(0, len(points.scores) - 1, most - 1).astype(np.int64)
    kept = np.union1d(even, [int(points.f1.argmax())])
    return Curve(points.scores[kept], points.precision[kept], points.recall[kept])


def label_curve(found: Matches, label: int) -> Curve | None:
    """The curve of one label at the first overlap of these matches."""
    mine = (found.classes == label) & found.counted[0]
    truth = int(found.truth_counts[:, label].sum())
    return curve(found.scores[mine], found.right[0, mine], truth=truth)


def at_threshold(found: Matches, threshold: float | None) -> list[AtThreshold]:
    """Right, wrong and missed objects of every label at the first overlap.

    Within a label the more confident take their partners first, so that those under the
    threshold change nothing for those over it.
    """
    return _counts(found, found.classes, found.truth_counts.sum(axis=0), threshold)


def image_counts(found: Matches, threshold: float | None) -> list[AtThreshold]:
    """Right, wrong and missed objects of every image, likewise."""
    return _counts(found, found.image_of, found.truth_counts.sum(axis=1), threshold)


def _counts(
    found: Matches,
    groups: NDArray[np.int64],
    truth: NDArray[np.int64],
    threshold: float | None,
) -> list[AtThreshold]:
    kept = over_threshold(found.scores, threshold) & found.counted[0]
    counted = np.bincount(groups[kept], minlength=len(truth))
    right = np.bincount(groups[kept & found.right[0]], minlength=len(truth))
    return [
        AtThreshold(int(hits), int(n - hits), int(there - hits))
        for hits, n, there in zip(right, counted, truth, strict=True)
    ]


def _between(below: float, lowest: float) -> float:
    middle = (below + lowest) / 2
    # Scores and thresholds are compared as float32, between which there may be nothing.
    return middle if np.float32(middle) < np.float32(lowest) else below
