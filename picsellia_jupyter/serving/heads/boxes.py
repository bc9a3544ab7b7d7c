"""Boxes with a score per class: `boxes` (1, A, 4) and `scores` (1, A, C)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement

_CANDIDATES_PER_OBJECT = 10
"""Suppression looks at the best `max_objects` x this many boxes, which bounds its time."""


class BoxesHead:
    """Score floor, class-aware non-maximum suppression, then pixels of the photo."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(
        self, outputs: Mapping[str, NDArray[np.generic]], placement: Placement
    ) -> Detections:
        """Read (1, A, 4) boxes in model input pixels and (1, A, C) scores in [0, 1].

        Raises:
            InvalidPredictionError: shapes, scores or boxes are not of that form.
        """
        wanted = self._manifest
        boxes, scores = _outputs(outputs)
        anchors, classes = np.nonzero(scores >= wanted.score_floor)
        found_scores = scores[anchors, classes]
        best = np.argsort(-found_scores, kind="stable")
        best = best[: wanted.max_objects * _CANDIDATES_PER_OBJECT]
        _check_upright(boxes[anchors[best]])
        on_photo = placement.to_photo(boxes[anchors[best]])
        # A box that lies in the letterbox's padding has no area on the photo.
        visible = np.flatnonzero((on_photo[:, 2:] > on_photo[:, :2]).all(axis=1))
        best, on_photo = best[visible], on_photo[visible]
        kept = suppress(
            on_photo, classes[best], limit=wanted.max_objects, overlap=wanted.iou_threshold
        )
        return Detections(
            classes[best[kept]].astype(np.int64) + wanted.label_offset,
            found_scores[best[kept]],
            on_photo[kept],
        )


def suppress(
    boxes_xyxy: NDArray[np.float32], classes: NDArray[np.integer], *, limit: int, overlap: float
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
    alive = np.ones(len(boxes_xyxy), dtype=bool)
    kept: list[int] = []
    for row in range(len(boxes_xyxy)):
        if len(kept) == limit:
            break
        if alive[row]:
            kept.append(row)
            rest = row + 1 + np.flatnonzero(alive[row + 1 :] & (classes[row + 1 :] == classes[row]))
            alive[rest[_iou(boxes_xyxy[row], boxes_xyxy[rest]) > overlap]] = False
    return np.array(kept, dtype=np.intp)


def _iou(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    corner, far = box[:2].astype(np.float64), box[2:].astype(np.float64)
    inner = np.minimum(far, others[:, 2:]) - np.maximum(corner, others[:, :2])
    shared = np.clip(inner, 0, None).prod(axis=1)
    areas = (others[:, 2:].astype(np.float64) - others[:, :2]).prod(axis=1)
    union = (far - corner).prod() + areas - shared
    return np.asarray(shared / np.maximum(union, 1e-12), dtype=np.float64)


def _outputs(
    outputs: Mapping[str, NDArray[np.generic]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    named = "boxes" in outputs and "scores" in outputs
    if not named and len(outputs) != 2:
        raise InvalidPredictionError(
            f"The model's outputs are {', '.join(outputs) or 'none'}.",
            "Export it with two: boxes (N, A, 4) and scores (N, A, C).",
        )
    pair = (outputs["boxes"], outputs["scores"]) if named else tuple(outputs.values())
    boxes, scores = (np.asarray(array, dtype=np.float32) for array in pair)
    if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape[:2] != (1, scores.shape[1]):
        raise _misshapen(boxes, scores)
    if boxes.shape[2] != 4 or scores.shape[0] != 1:
        raise _misshapen(boxes, scores)
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise InvalidPredictionError(
            "The model's outputs hold NaN or infinity.", "Check its precision and its export."
        )
    return boxes[0], scores[0]


def _misshapen(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> InvalidPredictionError:
    return InvalidPredictionError(
        f"The model's boxes have shape {boxes.shape} and its scores {scores.shape}.",
        "For one image they are (1, A, 4) and (1, A, C).",
    )


def _check_upright(boxes_xyxy: NDArray[np.float32]) -> None:
    if bool((boxes_xyxy[:, 2:] < boxes_xyxy[:, :2]).any()):
        raise InvalidPredictionError(
            "The model's boxes have their right side left of their left one.",
            "Have it give left, top, right, bottom in pixels of its input.",
        )
