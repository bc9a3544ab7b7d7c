"""Boxes with a score per class: `boxes` (1, A, 4) and `scores` (1, A, C)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.reading import check_alike, take
from picsellia_jupyter.serving.heads.selection import choose, every_class
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


class BoxesHead:
    """Score floor, class-aware non-maximum suppression, then pixels of the photo."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Detections:
        """Read (1, A, 4) boxes and (1, A, C) scores in [0, 1].

        Raises:
            InvalidPredictionError: shapes, scores or boxes are not of that form.
        """
        wanted = self._manifest
        boxes = take(outputs, "boxes", at=0, shape="A, 4", columns=4)
        scores = take(outputs, "scores", at=1, shape="A, C")
        check_alike(boxes=boxes, scores=scores)
        drawn = in_input(boxes, wanted, placement)
        found = every_class(scores, at_least=wanted.score_floor)
        _check_upright(drawn[found.rows])
        return choose(found, drawn, wanted, placement).detections()


def in_input(
    boxes: NDArray[np.float32], wanted: Manifest, placement: Placement
) -> NDArray[np.float32]:
    """(A, 4) boxes of the manifest's format as left, top, right, bottom in input pixels."""
    if wanted.box_format == "yxyx":
        boxes = boxes[:, [1, 0, 3, 2]]
    elif wanted.box_format == "xywh":
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
    elif wanted.box_format == "cxcywh":
        boxes = around_centre(boxes)
    return placement.in_pixels(boxes) if wanted.normalised else boxes


def around_centre(boxes_cxcywh: NDArray[np.float32]) -> NDArray[np.float32]:
    """(A, 4) boxes given by centre and sides, as left, top, right, bottom."""
    half = boxes_cxcywh[:, 2:] / 2
    return np.concatenate([boxes_cxcywh[:, :2] - half, boxes_cxcywh[:, :2] + half], axis=1)


def _check_upright(boxes_xyxy: NDArray[np.float32]) -> None:
    if bool((boxes_xyxy[:, 2:] < boxes_xyxy[:, :2]).any()):
        raise InvalidPredictionError(
            "The model's boxes have their right side left of their left one.",
            'Set "box_format" in serving.json: xyxy, yxyx, xywh or cxcywh.',
        )


def _recognise(trial: Trial) -> Recognised | None:
    if trial.kind is not InferenceType.OBJECT_DETECTION:
        return None
    named = {"boxes", "scores"} <= set(trial.outputs) and "labels" not in trial.outputs
    shapes = trial.shapes()
    pair = len(shapes) == 2 and [len(shape) for shape in shapes] == [2, 2]
    if not (named or (pair and shapes[0] == (shapes[1][0], 4))):
        return None
    return Recognised({}, ("Boxes are taken for left, top, right, bottom in pixels.",))


FAMILY = Family("boxes_scores", BoxesHead, _recognise)
