"""TensorFlow Object Detection API: `detection_boxes`, `detection_scores` and so on.

Boxes (1, N, 4) are top, left, bottom, right as parts of the input's sides; classes (1, N) are
floats that count from 1; `num_detections` says how many of the N are there; `detection_masks`
are (1, N, h, w) probabilities within each box, or as large as the input and within it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import Prediction
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.instances import GridOf, masked
from picsellia_jupyter.serving.heads.reading import check_alike, take
from picsellia_jupyter.serving.heads.selection import Objects, choose, given_class
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


class TensorFlowHead:
    """What the model has found and suppressed by itself, in pixels of the photo."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Prediction:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        wanted = self._manifest
        boxes = take(outputs, "detection_boxes", at=0, shape="N, 4", columns=4)
        scores = take(outputs, "detection_scores", at=1, shape="N")
        classes = take(outputs, "detection_classes", at=2, shape="N")
        check_alike(detection_boxes=boxes, detection_scores=scores, detection_classes=classes)
        scores = scores[: _count(outputs)]
        drawn = placement.in_pixels(boxes[:, [1, 0, 3, 2]])
        found = given_class(classes, scores, at_least=wanted.score_floor)
        objects = choose(found, drawn, wanted, placement, overlaps=True)
        if wanted.kind is InferenceType.OBJECT_DETECTION:
            return objects.detections()
        masks = take(outputs, "detection_masks", at=3, shape="N, h, w")
        check_alike(detection_boxes=boxes, detection_masks=masks)
        return masked(objects, _grids(masks, drawn, objects, placement), wanted, placement)


def _count(outputs: Outputs) -> int | None:
    """How many detections there are, where the model tells."""
    told = outputs.get("num_detections")
    return None if told is None or np.size(told) != 1 else int(np.ravel(told)[0])


def _grids(
    masks: NDArray[np.float32], drawn: NDArray[np.float32], objects: Objects, placement: Placement
) -> GridOf:
    whole = masks.shape[1:] == (placement.input.height, placement.input.width)

    def grid_of(place: int) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
        row = objects.rows[place]
        return masks[row], placement.frame() if whole else placement.framed(drawn[row])

    return grid_of


def _recognise(trial: Trial) -> Recognised | None:
    if not {"detection_boxes", "detection_scores", "detection_classes"} <= set(trial.outputs):
        return None
    return Recognised({}, ("Classes are taken to count from 1, as TensorFlow's do.",))


FAMILY = Family("tf_detection", TensorFlowHead, _recognise, {"label_offset": -1})
