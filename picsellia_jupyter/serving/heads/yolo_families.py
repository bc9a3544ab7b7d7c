"""How a trial run tells the forms of YOLO and RT-DETR exports apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.yolo import YoloHead, end_to_end, yolo5, yolo8
from picsellia_jupyter.serving.heads.yolox import YoloxHead
from picsellia_jupyter.serving.manifest import HEADS

_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (16, 32))
_KEYPOINT_FORMS = (3, 2)


def _predictions(trial: Trial, head: str) -> NDArray[np.generic] | None:
    """(rows, columns) of a model that gives predictions, and perhaps prototypes."""
    if trial.kind not in HEADS[head]:
        return None
    ranks = sorted(len(shape) for shape in trial.shapes())
    if ranks not in ([2], [2, 3]) or any(0 in shape for shape in trial.shapes()):
        return None
    return next(array for array in trial.arrays() if array.ndim == 2)


def _extras(trial: Trial) -> int:
    """Mask coefficients beside every prediction, if there are prototypes."""
    return next((shape[0] for shape in trial.shapes() if len(shape) == 3), 0)


def _cells(trial: Trial) -> list[int]:
    """Cells of all grids together, for each set of strides in use."""
    return [
        sum((trial.width // stride) * (trial.height // stride) for stride in strides)
        for strides in _STRIDES
    ]


def _skeleton(trial: Trial, left: int) -> Mapping[str, Any]:
    """Which keypoints the numbers left over beside a box and its classes make."""
    if trial.kind is not InferenceType.KEYPOINT:
        return {}
    classes = max(trial.labels, 1)
    for count in dict.fromkeys((classes, 1)):
        for values in _KEYPOINT_FORMS:
            if left > count and (left - count) % values == 0:
                return {"keypoints": (left - count) // values, "keypoint_values": values}
    return {}


def _unit(boxes: NDArray[np.generic]) -> Mapping[str, Any]:
    return {"normalised": True} if boxes.size and float(np.max(boxes)) <= 2 else {}


def _recognise_end_to_end(trial: Trial) -> Recognised | None:
    rows = _predictions(trial, "yolo_end_to_end")
    if rows is None or rows.shape[1] < 6:
        return None
    extras = _extras(trial)
    skeleton = rows.shape[1] > 6 and trial.kind is InferenceType.KEYPOINT
    if rows.shape[1] != 6 + extras and not skeleton:
        return None
    score, label = np.asarray(rows[:, 4]), np.asarray(rows[:, 5])
    whole = bool((label == np.rint(label)).all() and (label >= 0).all())
    if not whole or not bool(((score >= 0) & (score <= 1)).all()):
        return None
    return Recognised(_points_of(rows.shape[1] - 6, trial))


def _points_of(left: int, trial: Trial) -> Mapping[str, Any]:
    if trial.kind is not InferenceType.KEYPOINT:
        return {}
    values = next((v for v in _KEYPOINT_FORMS if left % v == 0), 3)
    return {"keypoints": max(left // values, 1), "keypoint_values": values}


def _recognise_yolo8(trial: Trial) -> Recognised | None:
    columns = _predictions(trial, "yolo8")
    if columns is None:
        return None
    extras = _extras(trial)
    if columns.shape[0] >= columns.shape[1]:
        turned = columns.shape[0] in _cells(trial)
        if not turned or columns.shape[1] != 4 + trial.labels + extras:
            return None
        columns = columns.T
    left = columns.shape[0] - 4 - extras
    if left < 1:
        return None
    said = {**_skeleton(trial, left), **_unit(columns[:4])}
    return Recognised(said, _miscounted(trial, left) if trial.kind in _COUNTED else ())


_COUNTED = (InferenceType.OBJECT_DETECTION, InferenceType.MASK, InferenceType.SEGMENTATION)


def _miscounted(trial: Trial, classes: int) -> tuple[str, ...]:
    if trial.labels in (0, classes):
        return ()
    return (f"The model tells {classes} classes apart, its version has {trial.labels} labels.",)


def _recognise_yolo5(trial: Trial) -> Recognised | None:
    rows = _predictions(trial, "yolo5")
    if rows is None or rows.shape[0] <= rows.shape[1]:
        return None
    classes = rows.shape[1] - 5 - _extras(trial)
    three_a_cell = rows.shape[0] in [3 * cells for cells in _cells(trial)]
    if classes < 1 or not (three_a_cell or classes == trial.labels):
        return None
    return Recognised(_unit(rows[:, :4]), _miscounted(trial, classes))


def _recognise_yolox(trial: Trial) -> Recognised | None:
    rows = _yolox_rows(trial)
    if rows is None or float(np.max(rows[:, :2])) < min(trial.width, trial.height) / 2:
        return None
    return Recognised({}, _miscounted(trial, rows.shape[1] - 5))


def _recognise_yolox_raw(trial: Trial) -> Recognised | None:
    rows = _yolox_rows(trial)
    if rows is None:
        return None
    note = "Boxes are taken for offsets from grid cells, not decoded by the export."
    return Recognised({}, (note, *_miscounted(trial, rows.shape[1] - 5)))


def _yolox_rows(trial: Trial) -> NDArray[np.generic] | None:
    rows = _predictions(trial, "yolox")
    if rows is None or rows.shape[0] not in _cells(trial)[:2] or rows.shape[1] < 6:
        return None
    return rows


_SUPPRESSION = {"iou_threshold": 0.45}
_YOLOX_INPUT = {
    "input": {"anchor": "top_left", "scale": 1, "channels": "BGR"},
    **_SUPPRESSION,
}

FAMILIES = (
    Family(
        "yolo_end_to_end",
        lambda manifest: YoloHead(manifest, end_to_end, overlaps=True),
        _recognise_end_to_end,
        maps=True,
    ),
    Family(
        "yolo8",
        lambda manifest: YoloHead(manifest, yolo8),
        _recognise_yolo8,
        {"iou_threshold": 0.7},
        maps=True,
    ),
    Family("yolox", lambda m: YoloxHead(m, decoded=True), _recognise_yolox, _YOLOX_INPUT),
    Family("yolox_raw", lambda m: YoloxHead(m, decoded=False), _recognise_yolox_raw, _YOLOX_INPUT),
    Family(
        "yolo5",
        lambda manifest: YoloHead(manifest, yolo5),
        _recognise_yolo5,
        _SUPPRESSION,
        maps=True,
    ),
)
