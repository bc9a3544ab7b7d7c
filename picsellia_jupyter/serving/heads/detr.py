"""DETR and RT-DETR: a fixed number of queries, each with class logits and a box.

- `detr`: `logits` (1, Q, C + 1), softmax over classes of which the last is "no object", and
  `pred_boxes` (1, Q, 4): centre and sides as parts of the input's;
- `rt_detr`: `logits` (1, Q, C), a sigmoid each, and `pred_boxes`; or both in one output
  (1, Q, 4 + C), boxes first;
- `rt_detr_end_to_end`, as RT-DETR, D-FINE and DEIM are deployed: `labels` (1, Q), `boxes`
  (1, Q, 4), corners in pixels of the input, and `scores` (1, Q).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.boxes import around_centre
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.reading import ROUNDING, check_alike, sigmoid, softmax, take
from picsellia_jupyter.serving.heads.selection import (
    best_class,
    choose,
    every_class,
    given_class,
)
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


class DetrHead:
    """Every query as its likeliest class; queries do not repeat each other."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Detections:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        wanted = self._manifest
        logits, boxes = _pair(outputs)
        found = best_class(softmax(logits, axis=1)[:, :-1].T, at_least=wanted.score_floor)
        drawn = placement.in_pixels(around_centre(boxes))
        return choose(found, drawn, wanted, placement, overlaps=True).detections()


class RtDetrHead:
    """Every query as each class that is likely enough."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Detections:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        wanted = self._manifest
        logits, boxes = _pair(outputs)
        scores = sigmoid(logits) if wanted.activation == "sigmoid" else logits
        found = every_class(scores, at_least=wanted.score_floor)
        drawn = placement.in_pixels(around_centre(boxes))
        return choose(found, drawn, wanted, placement, overlaps=True).detections()


class EndToEndHead:
    """Every query with the class that the model itself has chosen."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Detections:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        wanted = self._manifest
        labels = take(outputs, "labels", at=0, shape="Q")
        boxes = take(outputs, "boxes", at=1, shape="Q, 4", columns=4)
        scores = take(outputs, "scores", at=2, shape="Q")
        check_alike(labels=labels, boxes=boxes, scores=scores)
        found = given_class(labels, scores, at_least=wanted.score_floor)
        return choose(found, boxes, wanted, placement, overlaps=True).detections()


def _pair(outputs: Outputs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if len(outputs) == 1:
        both = take(outputs, "queries", at=0, shape="Q, 4 + C")
        return _with_classes(both[:, 4:]), both[:, :4]
    logits = take(outputs, "logits", at=0, shape="Q, C")
    boxes = take(outputs, "pred_boxes", at=1, shape="Q, 4", columns=4)
    check_alike(logits=logits, pred_boxes=boxes)
    return _with_classes(logits), boxes


def _with_classes(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    if not logits.shape[1]:
        raise InvalidPredictionError(
            f"The model's logits have shape {logits.shape}, which leaves no class.",
            "For one image they are (1, Q, C).",
        )
    return logits


def _recognise_detr(trial: Trial) -> Recognised | None:
    classes = _classes(trial)
    if classes is None or classes in (1, trial.labels):
        return None
    note = f'The last of {classes} classes is taken for "no object".'
    return Recognised({}, (note,))


def _recognise_rt_detr(trial: Trial) -> Recognised | None:
    if _classes(trial) is not None:
        return Recognised({"activation": "sigmoid"})
    both = trial.single(ndim=2)
    if trial.kind is not InferenceType.OBJECT_DETECTION or both is None:
        return None
    if not both.size or both.shape[1] < 5:
        return None
    queries, columns = both.shape
    fits = columns == 4 + trial.labels if trial.labels else columns < queries <= _MOST_QUERIES
    inside = float(np.min(both)) >= -ROUNDING and float(np.max(both)) <= 1 + ROUNDING
    if not (inside and fits):
        return None
    return Recognised({"activation": "none"}, ("Boxes come first, then a score per class.",))


def _recognise_end_to_end(trial: Trial) -> Recognised | None:
    """A batch of every output, where torchvision's dicts have none."""
    shapes = {name: np.shape(array) for name, array in trial.outputs.items()}
    if set(shapes) != {"labels", "boxes", "scores"}:
        return None
    if [len(shapes[name]) for name in ("labels", "boxes", "scores")] != [2, 3, 2]:
        return None
    return Recognised({}, ("Label 0 is taken for the first class.",))


def _classes(trial: Trial) -> int | None:
    """Columns of `logits`, where there are such and boxes in [0, 1]; None elsewhere."""
    if trial.kind is not InferenceType.OBJECT_DETECTION:
        return None
    shapes = trial.shapes()
    if {"logits", "pred_boxes"} <= set(trial.outputs):
        logits = shapes[list(trial.outputs).index("logits")]
        return logits[1] if len(logits) == 2 else None
    if [len(shape) for shape in shapes] != [2, 2] or shapes[1] != (shapes[0][0], 4):
        return None
    boxes = np.asarray(list(trial.outputs.values())[1])
    if not boxes.size:
        return None
    inside = float(boxes.min()) >= -ROUNDING and float(boxes.max()) <= 1 + ROUNDING
    return shapes[0][1] if inside else None


_MOST_QUERIES = 1000
_INPUT = {"input": {"resize": "stretch"}}
_NORMALISED = {
    "input": {
        "resize": "stretch",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }
}

END_TO_END = Family("rt_detr_end_to_end", EndToEndHead, _recognise_end_to_end, _INPUT)
FAMILIES = (
    Family("detr", DetrHead, _recognise_detr, _NORMALISED),
    Family("rt_detr", RtDetrHead, _recognise_rt_detr, {**_INPUT, "activation": "sigmoid"}),
)
