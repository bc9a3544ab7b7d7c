"""torchvision's detection dicts: `boxes`, `labels`, `scores`, and `masks` or `keypoints`.

Boxes (N, 4) are left, top, right, bottom in pixels of the input; labels (N,) count from 1, 0
being the background; masks (N, 1, H, W) are probabilities on the input's pixels; keypoints
(N, K, 3) are x, y and a visibility that is always 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import Prediction
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.instances import masked
from picsellia_jupyter.serving.heads.reading import check_alike, take
from picsellia_jupyter.serving.heads.selection import Objects, choose, given_class
from picsellia_jupyter.serving.heads.skeletons import skeletons
from picsellia_jupyter.serving.manifest import HEADS, Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs

_MARGIN = 2
"""Pixels of the input by which torchvision's masks may leave their boxes: it grows them by one."""


class TorchvisionHead:
    """What the model has found and suppressed by itself, in pixels of the photo."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Prediction:
        """Read the dict of one image.

        Raises:
            InvalidPredictionError: an entry is missing or has another shape.
        """
        wanted = self._manifest
        outputs = named(outputs)
        boxes = take(outputs, "boxes", at=0, shape="N, 4", columns=4)
        labels = take(outputs, "labels", at=1, shape="N")
        scores = take(outputs, "scores", at=2, shape="N")
        check_alike(boxes=boxes, labels=labels, scores=scores)
        found = given_class(labels, scores, at_least=wanted.score_floor)
        objects = choose(found, boxes, wanted, placement, overlaps=True)
        if wanted.kind is InferenceType.OBJECT_DETECTION:
            return objects.detections()
        if wanted.kind is InferenceType.KEYPOINT:
            points = take(outputs, "keypoints", at=3, shape="N, K, 3", columns=3)
            check_alike(boxes=boxes, keypoints=points)
            return skeletons(objects.classes, objects.scores, points[objects.rows], placement)
        masks = take(outputs, "masks", at=3, shape="N, 1, H, W")
        check_alike(boxes=boxes, masks=masks)
        return self._masked(masks[:, 0], objects, placement)

    def _masked(
        self, masks: NDArray[np.float32], objects: Objects, placement: Placement
    ) -> Prediction:
        return masked(
            objects,
            lambda place: (masks[objects.rows[place]], placement.frame()),
            self._manifest,
            placement,
            margin=_MARGIN * max(placement.photo.width / placement.width, 1),
        )


def named(outputs: Outputs) -> Outputs:
    """Outputs by torchvision's names, where the export gave them others.

    Its ONNX exports do; SSD and RetinaNet give scores before labels, Faster R-CNN after. Boxes
    are the first of four columns, labels the whole numbers beside them, scores the others.
    """
    if "boxes" in outputs:
        return outputs
    found: dict[str, NDArray[np.generic]] = {}
    for array in map(np.asarray, outputs.values()):
        if name := _name_of(array):
            found.setdefault(name, array)
    return found if {"boxes", "labels", "scores"} <= set(found) else outputs


def _name_of(array: NDArray[np.generic]) -> str:
    if array.ndim == 1:
        return "labels" if np.issubdtype(array.dtype, np.integer) else "scores"
    if array.ndim == 2:
        return "boxes" if array.shape[1] == 4 else ""
    return {3: "keypoints", 4: "masks"}.get(array.ndim, "")


def _recognise(trial: Trial) -> Recognised | None:
    if trial.kind not in HEADS["torchvision_detection"]:
        return None
    outputs = named(trial.outputs)
    if not {"boxes", "labels", "scores"} <= set(outputs) and not _in_order(outputs):
        return None
    return Recognised({}, ("Label 0 is taken for the background, as torchvision's is.",))


def _in_order(outputs: Outputs) -> bool:
    """Whether unnamed outputs are boxes (N, 4), labels (N,), scores (N,) and what follows."""
    arrays = [np.asarray(array) for array in outputs.values()]
    if [array.ndim for array in arrays[:3]] != [2, 1, 1]:
        return False
    boxes, labels = arrays[0], arrays[1]
    same = len({len(array) for array in arrays}) == 1
    return same and boxes.shape[1] == 4 and bool((labels == np.rint(labels)).all())


FAMILY = Family("torchvision_detection", TorchvisionHead, _recognise, {"label_offset": -1})
