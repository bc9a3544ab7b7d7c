"""Which of a model's candidates are objects: a score floor, then non-maximum suppression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement

_CANDIDATES_PER_OBJECT = 10
"""Suppression looks at the best `max_objects` x this many boxes, which bounds its time."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """K boxes with the class and score they are taken for, in any order."""

    rows: NDArray[np.intp]
    """(K,) where each stands in the model's outputs."""
    classes: NDArray[np.int64]
    """(K,) as the model counts them."""
    scores: NDArray[np.float32]
    """(K,) in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """M objects, best first."""

    rows: NDArray[np.intp]
    """(M,) where each stands in the model's outputs."""
    classes: NDArray[np.int64]
    """(M,) as labels count them."""
    scores: NDArray[np.float32]
    """(M,)."""
    boxes_xyxy: NDArray[np.float32]
    """(M, 4) pixels of the upright photo."""

    def detections(self) -> Detections:
        """The objects as boxes."""
        return Detections(self.classes, self.scores, self.boxes_xyxy)


def best_class(scores: NDArray[np.float32], *, at_least: float) -> Candidates:
    """Every box as the class it is most likely of.

    Args:
        scores: (C, A), a class a row.
        at_least: lowest score kept.
    """
    best = scores.max(axis=0, initial=0.0)
    rows = np.flatnonzero(best >= at_least)
    classes = scores[:, rows].argmax(axis=0) if len(rows) else np.zeros(0)
    return Candidates(rows, classes.astype(np.int64), best[rows])


def every_class(scores: NDArray[np.float32], *, at_least: float) -> Candidates:
    """Every box as each class that is likely enough.

    Args:
        scores: (A, C), a box a row.
        at_least: lowest score kept.
    """
    rows, classes = np.nonzero(scores >= at_least)
    return Candidates(rows, classes.astype(np.int64), scores[rows, classes])


def given_class(
    classes: NDArray[np.floating], scores: NDArray[np.float32], *, at_least: float
) -> Candidates:
    """Boxes whose class the model itself has chosen: (A,) classes and (A,) scores."""
    rows = np.flatnonzero(scores >= at_least)
    return Candidates(rows, np.rint(classes[rows]).astype(np.int64), scores[rows])


def choose(
    found: Candidates,
    boxes_xyxy: NDArray[np.float32],
    wanted: Manifest,
    placement: Placement,
    *,
    overlaps: bool = False,
) -> Objects:
    """The objects among candidates.

    Args:
        found: K candidates over the score floor.
        boxes_xyxy: (A, 4) boxes of all rows, in pixels of the model's input.
        wanted: limits and label offset.
        placement: of the photo in the input.
        overlaps: whether boxes may overlap, as those of a model that has suppressed the
            lesser ones itself; then none is dropped for it.
    """
    most = wanted.max_objects * (1 if overlaps else _CANDIDATES_PER_OBJECT)
    best = best_first(found.scores, limit=most)
    drawn = boxes_xyxy[found.rows[best]]
    on_photo = placement.to_photo(drawn)
    # A box that lies in the letterbox's padding has no area on the photo.
    visible = np.flatnonzero((on_photo[:, 2:] > on_photo[:, :2]).all(axis=1))
    best, drawn, on_photo = best[visible], drawn[visible], on_photo[visible]
    classes = found.classes[best]
    if overlaps:
        kept = np.arange(len(best))
    else:
        kept = suppress(drawn, classes, limit=wanted.max_objects, overlap=wanted.iou_threshold)
    chosen = best[kept]
    return Objects(
        found.rows[chosen],
        classes[kept] + wanted.label_offset,
        found.scores[chosen],
        on_photo[kept],
    )


def best_first(scores: NDArray[np.floating], *, limit: int) -> NDArray[np.intp]:
    """Places of the highest scores, of which the first come first where they are equal."""
    if len(scores) > 4 * limit:
        floor = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        likely = np.flatnonzero(scores >= floor)
        return likely[np.argsort(-scores[likely], kind="stable")[:limit]]
    return np.argsort(-scores, kind="stable")[:limit]


def suppress(
    boxes_xyxy: NDArray[np.floating], classes: NDArray[np.integer], *, limit: int, overlap: float
) -> NDArray[np.intp]:
    """Rows of the boxes that no better box of their class covers.

    Args:
        boxes_xyxy: (N, 4), best first.
        classes: (N,) class indices.
        limit: most rows returned.
        overlap: intersection over union above which the lesser box goes, in [0, 1].

    Returns:
        (M,) rows, best first, M <= limit.
    """
    # A row of each: left, top, right, bottom, area; float64, so that no area is rounded.
    sides = np.asarray(boxes_xyxy, dtype=np.float64).T
    areas = (sides[2] - sides[0]) * (sides[3] - sides[1])
    left = np.arange(len(areas))
    kept: list[int] = []
    while len(left) and len(kept) < limit:
        best, left = left[0], left[1:]
        kept.append(int(best))
        rivals = np.flatnonzero(classes[left] == classes[best])
        others = left[rivals]
        covered = _iou(sides[:, best], areas[best], sides[:, others], areas[others]) > overlap
        left = np.delete(left, rivals[covered])
    return np.array(kept, dtype=np.intp)


def _iou(
    box: NDArray[np.float64], area: float, others: NDArray[np.float64], areas: NDArray[np.float64]
) -> NDArray[np.float64]:
    wide = np.minimum(box[2], others[2]) - np.maximum(box[0], others[0])
    high = np.minimum(box[3], others[3]) - np.maximum(box[1], others[1])
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    return np.asarray(shared / np.maximum(area + areas - shared, 1e-12))
