"""Which of a model's candidates are objects: a score floor, then non-maximum suppression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement

_CANDIDATES_PER_OBJECT = 10
"""Suppression looks at the best `max_objects` x this many boxes, which bounds its time."""
_BLOCK = 64
"""Boxes that are compared with each other at once: a call of numpy costs as much as for one."""


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
    found = _Boxes.of(boxes_xyxy, classes)
    kept: list[int] = []
    for first in range(0, len(found.areas), _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, len(found.areas)))
        if kept:
            rows = rows[~found.covered(np.array(kept), rows, overlap).any(axis=0)]
        best = _not_covered(found.covered(rows, rows, overlap))
        kept += rows[best[: limit - len(kept)]].tolist()
        if len(kept) >= limit:
            break
    return np.array(kept, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """N boxes as suppression compares them."""

    sides: NDArray[np.float64]
    """(4, N) left, top, right, bottom; of double precision, so that no area is rounded."""
    areas: NDArray[np.float64]
    """(N,)."""
    classes: NDArray[np.integer]
    """(N,)."""

    @classmethod
    def of(cls, boxes_xyxy: NDArray[np.floating], classes: NDArray[np.integer]) -> Self:
        sides = np.array(boxes_xyxy.T, dtype=np.float64, order="C")
        return cls(sides, (sides[2] - sides[0]) * (sides[3] - sides[1]), classes)

    def covered(
        self, by: NDArray[np.intp], rows: NDArray[np.intp], overlap: float
    ) -> NDArray[np.bool_]:
        """(B, R) whether each of B boxes is of the class of each of R and overlaps it more."""
        left, top, right, bottom = self.sides[:, by, None]
        others = self.sides[:, rows]
        wide = np.minimum(right, others[2]) - np.maximum(left, others[0])
        high = np.minimum(bottom, others[3]) - np.maximum(top, others[1])
        shared = np.maximum(wide, 0) * np.maximum(high, 0)
        union = self.areas[by, None] + self.areas[rows] - shared
        alike = self.classes[by, None] == self.classes[rows]
        return np.asarray((shared / np.maximum(union, 1e-12) > overlap) & alike)


def _not_covered(covered: NDArray[np.bool_]) -> list[int]:
    """Which of N boxes, best first, no better one of those that stay covers."""
    # A row as a whole number, a bit a box: one operation instead of one a box.
    rows = np.packbits(covered, axis=1, bitorder="little")
    kept: list[int] = []
    gone = 0
    for place, row in enumerate(rows):
        if not gone >> place & 1:
            kept.append(place)
            gone |= int.from_bytes(row.tobytes(), "little")
    return kept
