"""Ultralytics' exports: YOLOv5 and YOLOv8/11 before suppression, and end to end.

A is the number of anchors, C of classes, E of extra numbers: 32 mask coefficients beside
prototypes (1, 32, h, w), or K keypoints of 2 or 3 numbers.

- `yolo5` (1, A, 5 + C + E): centre, sides, objectness, class scores;
- `yolo8` (1, 4 + C + E, A): centre, sides, class scores;
- `yolo_end_to_end` (1, N, 6 + E): left, top, right, bottom, score, class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Masks, Prediction, Segmentation
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.boxes import around_centre
from picsellia_jupyter.serving.heads.instances import masked
from picsellia_jupyter.serving.heads.reading import check_finite
from picsellia_jupyter.serving.heads.selection import (
    Candidates,
    Objects,
    best_class,
    choose,
    given_class,
)
from picsellia_jupyter.serving.heads.skeletons import skeletons
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A model's predictions taken apart."""

    boxes_xyxy: NDArray[np.float32]
    """(A, 4) in the model's own unit."""
    found: Candidates
    extras: NDArray[np.float32]
    """(A, E)."""


Decode = Callable[[NDArray[np.float32], int, float], Decoded]
"""From (rows, columns), E and the score floor."""


class YoloHead:
    """Boxes, masks or keypoints, as the model version's type asks for."""

    def __init__(self, manifest: Manifest, decode: Decode, *, overlaps: bool = False) -> None:
        self._manifest = manifest
        self._decode = decode
        self._overlaps = overlaps

    def __call__(self, outputs: Outputs, placement: Placement) -> Prediction:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        wanted = self._manifest
        predictions, prototypes = _outputs(outputs)
        extras = _extras(wanted, prototypes)
        decoded = self._decode(predictions, extras, wanted.score_floor)
        boxes = decoded.boxes_xyxy
        drawn = placement.in_pixels(boxes) if wanted.normalised else boxes
        objects = choose(decoded.found, drawn, wanted, placement, overlaps=self._overlaps)
        if wanted.kind is InferenceType.OBJECT_DETECTION:
            return objects.detections()
        if wanted.kind is InferenceType.KEYPOINT:
            return self._skeletons(objects, decoded.extras[objects.rows], placement)
        return self._masked(objects, decoded.extras[objects.rows], prototypes, placement)

    def _skeletons(
        self, objects: Objects, numbers: NDArray[np.float32], placement: Placement
    ) -> Prediction:
        wanted = self._manifest
        points = numbers.reshape(len(objects.rows), wanted.keypoints, wanted.keypoint_values)
        if wanted.normalised:
            points = np.concatenate([placement.in_pixels(points[..., :2]), points[..., 2:]], -1)
        return skeletons(objects.classes, objects.scores, points, placement)

    def _masked(
        self,
        objects: Objects,
        coefficients: NDArray[np.float32],
        prototypes: NDArray[np.float32] | None,
        placement: Placement,
    ) -> Masks | Segmentation:
        if prototypes is None:
            raise InvalidPredictionError(
                "The model gives boxes only, no mask prototypes (1, 32, h, w).",
                "Export a segmentation model, or register this one as OBJECT_DETECTION.",
            )
        frame = placement.frame()
        return masked(
            objects,
            lambda place: (np.tensordot(coefficients[place], prototypes, axes=1), frame),
            self._manifest,
            placement,
            logits=True,
        )


def yolo5(rows: NDArray[np.float32], extras: int, floor: float) -> Decoded:
    """Take (A, 5 + C + E) apart."""
    _check_columns(rows.shape, rows.shape[1] - extras, least=6)
    # Most anchors are far from any object: only the others' classes are looked at.
    likely = np.flatnonzero(rows[:, 4] >= floor)
    near = rows[likely]
    classes = near[:, 5 : near.shape[1] - extras] * near[:, 4:5]
    return Decoded(
        around_centre(near[:, :4]),
        best_class(classes.T, at_least=floor),
        near[:, near.shape[1] - extras :],
    )


def yolo8(columns: NDArray[np.float32], extras: int, floor: float) -> Decoded:
    """Take (4 + C + E, A) apart; some exporters write (A, 4 + C + E)."""
    if columns.shape[0] > columns.shape[1]:
        columns = columns.T
    last = len(columns) - extras
    _check_columns(columns.shape, last, least=5)
    found = best_class(columns[4:last], at_least=floor)
    return Decoded(around_centre(columns[:4].T), found, columns[last:].T)


def end_to_end(rows: NDArray[np.float32], extras: int, floor: float) -> Decoded:
    """Take (N, 6 + E) apart."""
    _check_columns(rows.shape, rows.shape[1] - extras, least=6)
    found = given_class(rows[:, 5], rows[:, 4], at_least=floor)
    return Decoded(rows[:, :4], found, rows[:, 6:])


def _check_columns(shape: tuple[int, ...], left: int, *, least: int) -> None:
    if left < least:
        raise InvalidPredictionError(
            f"The model's predictions have shape {shape}, which leaves no class.",
            "Name the head that fits in serving.json, or correct its keypoints.",
        )


def _extras(wanted: Manifest, prototypes: NDArray[np.float32] | None) -> int:
    if wanted.kind is InferenceType.KEYPOINT:
        return wanted.keypoints * wanted.keypoint_values
    return 0 if prototypes is None else len(prototypes)


def _outputs(outputs: Outputs) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Predictions (rows, columns) and prototypes (32, h, w), told apart by their rank."""
    arrays = [np.asarray(array, dtype=np.float32) for array in outputs.values()]
    single = [array[0] if array.ndim > 2 and len(array) == 1 else array for array in arrays]
    predictions = next((array for array in single if array.ndim == 2), None)
    if predictions is None:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise InvalidPredictionError(
            f"The model's outputs have shapes {shapes}.",
            "Export it with its predictions in one output: (1, 4 + C, A) or (1, A, 5 + C).",
        )
    check_finite(predictions, "predictions")
    return predictions, next((array for array in single if array.ndim == 3), None)
