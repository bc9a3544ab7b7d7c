"""How well a detector does on images whose ground truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import Detections


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """One label's curve, from its most to its least confident box."""

    precision: NDArray[np.float64]
    """(N,) of the boxes down to this one, the share that are right; in [0, 1]."""
    recall: NDArray[np.float64]
    """(N,) of the objects there are, the share found down to this box; in [0, 1]."""

    def average_precision(self) -> float:
        """Area under the curve, interpolated at all points, in [0, 1]."""
        best_from_here = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(np.diff(self.recall, prepend=0.0) * best_from_here))


def precision_recall(
    found: Sequence[Detections], truth: Sequence[Detections], label: int, *, iou: float = 0.5
) -> PrecisionRecall:
    """Match the boxes of one label to the ground truth, the most confident first.

    Args:
        found: the detections of every image.
        truth: the ground truth of the same images, in the same order.
        label: class index.
        iou: least intersection over union of a right box with its object, in (0, 1].

    Returns:
        The curve; each object counts as found once, further boxes on it are wrong.
    """
    scores: list[float] = []
    right: list[bool] = []
    objects = 0
    for boxes, known in zip(found, truth, strict=True):
        order = np.argsort(-boxes.scores, kind="stable")
        mine = boxes.take(order[boxes.classes[order] == label])
        theirs = known.take(known.classes == label)
        scores += mine.scores.tolist()
        right += matches(mine, theirs, iou=iou)
        objects += len(theirs)
    hits = np.cumsum(np.array(right, bool)[np.argsort(-np.array(scores), kind="stable")])
    return PrecisionRecall(hits / np.arange(1, len(hits) + 1), hits / max(objects, 1))


def mean_average_precision(
    found: Sequence[Detections], truth: Sequence[Detections], *, iou: float = 0.5
) -> float:
    """Average precision over the labels that occur in the ground truth, in [0, 1].

    Example:
        AP50: `mean_average_precision(found, truth, iou=0.5)`.
    """
    labels = np.unique(np.concatenate([known.classes for known in truth]))
    curves = [precision_recall(found, truth, int(label), iou=iou) for label in labels]
    return float(np.mean([curve.average_precision() for curve in curves]))


def matches(boxes: Detections, known: Detections, *, iou: float = 0.5) -> list[bool]:
    """Which boxes of one image are right, whatever their label, given the best first.

    Each box takes the object it overlaps most among those not yet taken.
    """
    overlap = overlaps(boxes.boxes_xyxy, known.boxes_xyxy)
    right: list[bool] = []
    for row in overlap:
        best = int(row.argmax()) if len(row) else -1
        right.append(best >= 0 and bool(row[best] >= iou))
        if right[-1]:
            overlap[:, best] = 0
    return right


def overlaps(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Intersection over union of every pair, (N, 4) and (M, 4) to (N, M), in [0, 1]."""
    a, b = first[:, None].astype(np.float64), second[None].astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = sides.clip(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared
    return np.asarray(shared / np.maximum(union, 1e-12))
