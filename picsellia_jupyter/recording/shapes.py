"""Predictions as JSON between worker and front, with full precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Prediction,
    Segmentation,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.wire.predictions import Json

_Classes = NDArray[np.int64]
_Scores = NDArray[np.float32]


def to_json(found: Prediction) -> Json:
    """Spell what was found in one image; geometry lies under its field's own name.

    Arrays stay arrays, which the channel spells without making a number of each value first.
    """
    raw: Json = {
        "type": found.inference_type.value,
        "classes": np.asarray(found.classes, np.int64, order="C"),
        "scores": _exact(found.scores),
    }
    if found.geometry is not None:
        raw[found.geometry] = _plain(getattr(found, found.geometry))
    return raw


def from_json(raw: Mapping[str, Any], size: ImageSize) -> Prediction:
    """Read what `to_json` wrote, and check it: whoever wrote it is not trusted.

    Args:
        raw: the object.
        size: of the upright photo; masks are of that size.

    Raises:
        KeyError: something is missing.
        TypeError: something is of another type.
        ValueError: the values are no prediction.
        OverflowError: a class is no 64-bit number.
        InvalidPredictionError: the values are no prediction.
    """
    kind = InferenceType(raw["type"])
    if kind not in _READERS:
        raise ValueError(f"type is {kind.value}")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, which is refused
        classes = _array(raw["classes"], np.int64, kinds="iu")
        scores = _array(raw["scores"], np.float32)
        return _READERS[kind](classes, scores, raw, size)


def _classification(
    classes: _Classes, scores: _Scores, _raw: Mapping[str, Any], _size: ImageSize
) -> Prediction:
    return Classification(classes, scores)


def _detections(
    classes: _Classes, scores: _Scores, raw: Mapping[str, Any], _size: ImageSize
) -> Prediction:
    return Detections(classes, scores, _matrix(raw["boxes_xyxy"], columns=4))


def _points(
    classes: _Classes, scores: _Scores, raw: Mapping[str, Any], _size: ImageSize
) -> Prediction:
    return Points(classes, scores, _matrix(raw["points"], columns=2))


def _segmentation(
    classes: _Classes, scores: _Scores, raw: Mapping[str, Any], _size: ImageSize
) -> Prediction:
    return Segmentation(classes, scores, _paths(raw["polygons"]))


def _lines(
    classes: _Classes, scores: _Scores, raw: Mapping[str, Any], _size: ImageSize
) -> Prediction:
    return Lines(classes, scores, _paths(raw["lines"]))


def _keypoints(
    classes: _Classes, scores: _Scores, raw: Mapping[str, Any], _size: ImageSize
) -> Prediction:
    return Keypoints(classes, scores, _paths(raw["keypoints"]))


def _masks(
    classes: _Classes, scores: _Scores, raw: Mapping[str, Any], size: ImageSize
) -> Prediction:
    found = Masks(classes, scores, tuple(_list(raw["masks"])))
    for mask in found.masks:
        rle.check(mask, size)
    return found


_Reader = Callable[[_Classes, _Scores, Mapping[str, Any], ImageSize], Prediction]
_READERS: Mapping[InferenceType, _Reader] = {
    InferenceType.CLASSIFICATION: _classification,
    InferenceType.OBJECT_DETECTION: _detections,
    InferenceType.SEGMENTATION: _segmentation,
    InferenceType.MASK: _masks,
    InferenceType.KEYPOINT: _keypoints,
    InferenceType.LINE: _lines,
    InferenceType.POINT: _points,
}


def _plain(shapes: Any) -> Any:
    """Arrays as they can be spelt; codes as they are."""
    if isinstance(shapes, np.ndarray):
        return _exact(shapes)
    return [shape if isinstance(shape, str) else _exact(shape) for shape in shapes]


def _exact(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Values with all the digits that bring them back: read as float64, rounded to float32."""
    return np.asarray(values, np.float64, order="C")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} where a list belongs")
    return value


def _array(value: Any, dtype: type[np.generic], *, kinds: str = "iuf") -> NDArray[Any]:
    read = np.asarray(_list(value))
    if read.size and read.dtype.kind not in kinds:
        raise TypeError("something that is no number")
    return read.astype(dtype, copy=False)


def _matrix(value: Any, *, columns: int) -> NDArray[np.float32]:
    read = _array(value, np.float32)
    return read.reshape(0, columns) if value == [] else read


def _paths(value: Any) -> tuple[NDArray[np.float32], ...]:
    return tuple(_array(path, np.float32) for path in _list(value))
