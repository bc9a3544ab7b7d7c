"""What models put out, taken apart: shapes, scores and labels, a row an object.

Frameworks are known by what their values have, and none is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.registry import InferenceType

_SHAPES: Mapping[InferenceType, tuple[str, ...]] = {
    InferenceType.OBJECT_DETECTION: ("boxes", "bboxes", "box"),
    InferenceType.SEGMENTATION: ("polygons", "polygon", "masks"),
    InferenceType.MASK: ("masks", "mask"),
    InferenceType.KEYPOINT: ("keypoints",),
    InferenceType.LINE: ("lines", "line"),
    InferenceType.POINT: ("points", "point"),
}
_SCORES, _LABELS = ("scores", "score"), ("labels", "label", "classes")
_PIPELINE_BOX = ("xmin", "ymin", "xmax", "ymax")
"""Of the object-detection pipelines of Hugging Face."""
_VISIBLE_FROM = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """N objects: a shape, a score and a label each."""

    shapes: Any
    scores: Any
    labels: Any
    """Names, or indices as the model counts them."""
    convention: str | None = None
    """Of the boxes, where the framework has one alone; in pixels then."""


def read(kind: InferenceType, given: Any) -> Columns:
    """Take apart what a model found in one image.

    Args:
        kind: what the deployment predicts; not classification.
        given: torchvision's dictionary, an Ultralytics `Results`, `supervision.Detections`, an
            (N, 6) array of box, score and class, a tuple of columns (shapes, scores, labels), or
            a list of rows (shape, score, label).

    Raises:
        InvalidPredictionError: it is none of these.
    """
    only = _only(given)
    if hasattr(only, "boxes") and hasattr(only, "names"):
        return _of_results(kind, only)
    if hasattr(only, "xyxy") and hasattr(only, "class_id"):
        return _of_supervision(kind, only)
    if isinstance(given, Mapping):
        return _of_mapping(kind, given)
    if isinstance(given, tuple) and len(given) == 3:
        return Columns(*map(plain, given))
    if isinstance(given, list):
        return _of_rows(kind, given)
    array = plain(given)
    if kind is InferenceType.OBJECT_DETECTION and getattr(array, "ndim", 0) == 2:
        return _of_array(array)
    raise _unknown(kind, given)


def plain(value: Any) -> Any:
    """A tensor of any framework as an array; anything else as it is."""
    for step in ("detach", "cpu", "numpy"):
        if hasattr(value, step):
            value = getattr(value, step)()
    return value


def _only(given: Any) -> Any:
    """The one result of one image, where a framework answers with a list."""
    if isinstance(given, list) and len(given) == 1 and hasattr(given[0], "names"):
        return given[0]
    return given


def _of_array(rows: NDArray[Any]) -> Columns:
    if rows.shape[1] != 6 and rows.size:
        raise InvalidPredictionError(
            f"An array of shape {rows.shape} holds {rows.shape[1]} numbers for each object, not 6.",
            "Give (N, 6): four of the box, the score, the class index.",
        )
    rows = rows.reshape(-1, 6)
    return Columns(rows[:, :4], rows[:, 4], rows[:, 5])


def _of_mapping(kind: InferenceType, given: Mapping[str, Any]) -> Columns:
    shapes = _entry(given, _SHAPES[kind])
    return Columns(*map(plain, (shapes, _entry(given, _SCORES), _entry(given, _LABELS))))


def _of_rows(kind: InferenceType, rows: Sequence[Any]) -> Columns:
    taken = [_row(kind, number, row) for number, row in enumerate(rows)]
    shapes, scores, labels = zip(*taken, strict=True) if taken else ((), (), ())
    return Columns(list(shapes), list(scores), list(labels))


def _row(kind: InferenceType, number: int, row: Any) -> tuple[Any, Any, Any]:
    if isinstance(row, Mapping):
        shape = _entry(row, _SHAPES[kind])
        if isinstance(shape, Mapping):
            shape = [shape[side] for side in _PIPELINE_BOX]
        return plain(shape), _entry(row, _SCORES), _entry(row, _LABELS)
    if isinstance(row, Sequence) and not isinstance(row, str) and len(row) == 3:
        return plain(row[0]), plain(row[1]), row[2]
    raise InvalidPredictionError(
        f"Object {number} is {_brief(row)}.",
        "A list holds a row for each object: (shape, score, label), or a dictionary of these.",
    )


def _of_results(kind: InferenceType, results: Any) -> Columns:
    boxes = results.boxes
    if boxes is None:
        raise _lacks(kind, "The Results")
    shapes: Any = plain(boxes.xyxy)
    if kind is InferenceType.SEGMENTATION:
        shapes = [] if not len(boxes) else _having(kind, results, "masks").xy
    elif kind is InferenceType.KEYPOINT:
        shapes = _seen(plain(_having(kind, results, "keypoints").data))
    elif kind is not InferenceType.OBJECT_DETECTION:
        raise _lacks(kind, "The Results")
    names = results.names
    labels = [names[int(index)] for index in plain(boxes.cls)]
    return Columns(shapes, plain(boxes.conf), labels, "xyxy")


def _having(kind: InferenceType, results: Any, what: str) -> Any:
    value = getattr(results, what, None)
    if value is None:
        raise _lacks(kind, "The Results")
    return value


def _seen(keypoints: NDArray[Any]) -> list[NDArray[Any]]:
    """Keypoints with a confidence, (N, K, 3) or (N, K, 2), with the visibility instead."""
    found = []
    for points in keypoints:
        sure = points[:, 2] if points.shape[1] == 3 else np.ones(len(points))
        visibility = np.where(sure >= _VISIBLE_FROM, 2.0, 0.0)
        found.append(np.column_stack([points[:, :2], visibility]))
    return found


def _of_supervision(kind: InferenceType, detections: Any) -> Columns:
    shapes = detections.xyxy
    if kind is InferenceType.MASK:
        shapes = detections.mask
    elif kind is not InferenceType.OBJECT_DETECTION:
        raise _lacks(kind, "supervision.Detections")
    names = (getattr(detections, "data", None) or {}).get("class_name")
    columns = (shapes, detections.confidence, detections.class_id if names is None else names)
    if any(column is None for column in columns) and len(detections):
        raise _lacks(kind, "supervision.Detections")
    shapes, scores, labels = (np.zeros(0) if column is None else column for column in columns)
    return Columns(shapes, scores, labels, "xyxy")


def _entry(given: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        if name in given:
            return given[name]
    raise InvalidPredictionError(
        f"The prediction has no {names[0]!r}; it has {', '.join(map(repr, given)) or 'nothing'}.",
        f"Give {names[0]!r}, 'scores' and 'labels', one of each for every object.",
    )


def _lacks(kind: InferenceType, what: str) -> InvalidPredictionError:
    return InvalidPredictionError(
        f"{what} given have not all that the deployment's type takes, which is {kind.title}.",
        "Give a tuple of columns instead: (shapes, scores, labels).",
    )


def _unknown(kind: InferenceType, given: Any) -> InvalidPredictionError:
    return InvalidPredictionError(
        f"{_brief(given)} is no prediction of the type {kind.title}.",
        "Give a tuple of columns (shapes, scores, labels), a list of rows (shape, score, label), "
        "or [] where nothing was found.",
    )


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
