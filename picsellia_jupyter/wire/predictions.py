"""Predictions as JSON: the only place where boxes change order, type or origin.

Inside, boxes are float32 left, top, right, bottom. On the wire they come in two forms:
`raw_predictions` (what is monitored) has `[top, left, bottom, right]` integers, shapes of a
predicted asset (what is reviewed) have `x, y, w, h` integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import (
    PREDICTION_TYPES,
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

Json = dict[str, Any]

RAW_KEYS: Mapping[InferenceType, str | None] = {
    InferenceType.CLASSIFICATION: None,
    InferenceType.OBJECT_DETECTION: "detection_boxes",
    InferenceType.SEGMENTATION: "detection_masks",
    InferenceType.LINE: "lines",
    InferenceType.POINT: "points",
    InferenceType.KEYPOINT: "keypoints",
    InferenceType.MASK: "detection_masks",
}
"""The key of `raw_predictions` that holds the geometry of each type."""

SHAPE_KEYS: Mapping[InferenceType, str] = {
    InferenceType.CLASSIFICATION: "classifications",
    InferenceType.OBJECT_DETECTION: "rectangles",
    InferenceType.SEGMENTATION: "polygons",
    InferenceType.LINE: "lines",
    InferenceType.POINT: "points",
    InferenceType.KEYPOINT: "keypoints",
    InferenceType.MASK: "masks",
}
"""The key of a predicted asset's prediction that holds the shapes of each type."""


def to_raw(found: Prediction, size: ImageSize) -> Json:
    """Spell a prediction as `raw_predictions`.

    Args:
        found: N objects in pixels of the upright photo.
        size: of that photo; coordinates are clipped to it.

    Returns:
        Lists of N entries each. Coordinates are whole pixels, rounded half to even.
    """
    raw: Json = {
        "detection_classes": found.classes.tolist(),
        "detection_texts": None,
        "detection_scores": found.scores.tolist(),
    }
    key = RAW_KEYS[found.inference_type]
    if key is not None:
        raw[key] = _raw_geometry(found, size)
    return raw


def from_raw(kind: InferenceType, raw: Mapping[str, Any]) -> Prediction:
    """Read `raw_predictions` of a deployment of this type.

    Raises:
        InvalidPredictionError: a list is missing, their lengths differ, a box has not four
            numbers or is upside down, a number is none.
    """
    if kind not in PREDICTION_TYPES:
        raise InvalidPredictionError(
            f"There is no prediction format for {kind.value}.",
            f"Known: {', '.join(known.value for known in PREDICTION_TYPES)}.",
        )
    classes = _integers(raw, "detection_classes")
    scores = _numbers(raw, "detection_scores").astype(np.float32)
    key = RAW_KEYS[kind]
    if key is None:
        return Classification(classes, scores)
    shapes = _list(raw, key)
    if len(shapes) != len(classes):
        raise InvalidPredictionError(
            f"There are {len(shapes)} {key} but {len(classes)} detection_classes.",
            "All lists of a prediction have one entry for every object.",
        )
    return _prediction(kind, classes, scores, key, shapes)


def to_shapes(
    found: Prediction, size: ImageSize, label_of: Callable[[int], Json]
) -> dict[str, list[Json]]:
    """Spell a prediction as the shapes of a predicted asset.

    Args:
        found: N objects.
        size: of the photo; coordinates are clipped to it.
        label_of: the label object `{id, name}` of a class index.

    Returns:
        One key, such as `rectangles`, with N shapes: `label`, `score` and their geometry.
    """
    raw = to_raw(found, size)
    key = RAW_KEYS[found.inference_type]
    geometry = raw[key] if key else [None] * len(found)
    shapes = [
        {"label": label_of(index), "score": score, **_shape(found.inference_type, shape)}
        for index, score, shape in zip(
            raw["detection_classes"], raw["detection_scores"], geometry, strict=True
        )
    ]
    return {SHAPE_KEYS[found.inference_type]: shapes}


def from_shapes(
    kind: InferenceType, shapes: Mapping[str, Any], index_of: Mapping[str, int]
) -> Prediction:
    """Read the shapes of a predicted asset or a review; a shape without a score is certain.

    Args:
        kind: the deployment's type.
        shapes: an object with the key of that type, such as `rectangles`.
        index_of: class index of each label name.

    Raises:
        InvalidPredictionError: a label is unknown or a geometry is malformed.
    """
    entries = shapes.get(SHAPE_KEYS[kind]) or []
    names = [str(entry.get("label", {}).get("name")) for entry in entries]
    unknown = next((name for name in names if name not in index_of), None)
    if unknown is not None:
        raise InvalidPredictionError(
            f"The label {unknown!r} is not one of the deployment's.",
            f"Known: {', '.join(index_of)}.",
        )
    key = RAW_KEYS[kind]
    scores = [entry.get("score") for entry in entries]
    raw: Json = {
        "detection_classes": [index_of[name] for name in names],
        "detection_scores": [1.0 if score is None else float(score) for score in scores],
    }
    if key is not None:
        raw[key] = [_raw_shape(kind, entry) for entry in entries]
    return from_raw(kind, raw)


# Pixels to integers ------------------------------------------------------------------------


def _whole(xy: NDArray[np.floating], size: ImageSize) -> NDArray[np.int64]:
    """Coordinates clipped to the photo and rounded; even columns are x, odd ones y."""
    columns = xy.shape[-1]
    limits = np.array((size.width, size.height) * ((columns + 1) // 2))[:columns]
    inside = np.minimum(np.maximum(xy, 0), limits)
    return cast("NDArray[np.int64]", np.rint(inside).astype(np.int64))


def _raw_geometry(found: Prediction, size: ImageSize) -> list[Any]:
    if isinstance(found, Detections):
        return cast("list[Any]", _whole(found.boxes_xyxy, size)[:, [1, 0, 3, 2]].tolist())
    if isinstance(found, Segmentation):
        return [_whole(polygon, size).tolist() for polygon in found.polygons]
    if isinstance(found, Lines):
        return [_whole(line, size).tolist() for line in found.lines]
    if isinstance(found, Points):
        return cast("list[Any]", _whole(found.points, size).tolist())
    if isinstance(found, Keypoints):
        return [
            np.column_stack([_whole(k[:, :2], size), np.rint(k[:, 2]).astype(np.int64)]).tolist()
            for k in found.keypoints
        ]
    return list(cast("Masks", found).masks)


def _prediction(
    kind: InferenceType,
    classes: NDArray[np.int64],
    scores: NDArray[np.float32],
    key: str,
    shapes: list[Any],
) -> Prediction:
    if kind is InferenceType.OBJECT_DETECTION:
        boxes = _matrix(key, shapes, columns=4)[:, [1, 0, 3, 2]]
        return Detections(classes, scores, boxes)
    if kind is InferenceType.POINT:
        return Points(classes, scores, _matrix(key, shapes, columns=2))
    if kind is InferenceType.MASK:
        return Masks(classes, scores, tuple(shapes))
    columns = 3 if kind is InferenceType.KEYPOINT else 2
    paths = tuple(
        _matrix(f"{key}[{row}]", path, columns=columns) for row, path in enumerate(shapes)
    )
    if kind is InferenceType.SEGMENTATION:
        return Segmentation(classes, scores, paths)
    if kind is InferenceType.LINE:
        return Lines(classes, scores, paths)
    return Keypoints(classes, scores, paths)


# Shapes of a predicted asset ---------------------------------------------------------------


def _shape(kind: InferenceType, geometry: Any) -> Json:
    if kind is InferenceType.CLASSIFICATION:
        return {}
    if kind is InferenceType.OBJECT_DETECTION:
        top, left, bottom, right = geometry
        return {"x": left, "y": top, "w": right - left, "h": bottom - top}
    return {SHAPE_KEYS[kind].removesuffix("s"): geometry}


def _raw_shape(kind: InferenceType, shape: Mapping[str, Any]) -> Any:
    try:
        if kind is InferenceType.OBJECT_DETECTION:
            left, top = shape["x"], shape["y"]
            return [top, left, top + shape["h"], left + shape["w"]]
        return shape[SHAPE_KEYS[kind].removesuffix("s")]
    except KeyError as missing:
        raise InvalidPredictionError(
            f"A shape of type {kind.title} has no {missing}.", "Send its whole geometry."
        ) from None


# Reading JSON ------------------------------------------------------------------------------


def _list(raw: Mapping[str, Any], key: str) -> list[Any]:
    value = raw.get(key)
    if not isinstance(value, list):
        raise InvalidPredictionError(
            f"raw_predictions.{key} is {_brief(value)}, not a list.",
            f"Send {key}: [] where nothing was found.",
        )
    return value


def _numbers(raw: Mapping[str, Any], key: str) -> NDArray[np.float64]:
    values = _list(raw, key)
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in values):
        raise InvalidPredictionError(
            f"raw_predictions.{key} holds something that is no number.", "Send plain numbers."
        )
    return np.asarray(values, dtype=np.float64)


def _integers(raw: Mapping[str, Any], key: str) -> NDArray[np.int64]:
    values = _numbers(raw, key)
    if not bool((values == np.rint(values)).all()):
        raise InvalidPredictionError(
            f"raw_predictions.{key} holds fractions.", "Class indices are whole numbers."
        )
    return values.astype(np.int64)


def _matrix(key: str, rows: Any, *, columns: int) -> NDArray[np.float32]:
    lengths = {len(row) if isinstance(row, Sequence) else -1 for row in _rows(key, rows)}
    if lengths - {columns}:
        wrong = min(lengths - {columns})
        got = "no list" if wrong < 0 else f"{wrong} numbers"
        raise InvalidPredictionError(
            f"A row of {key} is {got}, not {columns} numbers.", _LAYOUT.get(key, _POINTS)
        )
    try:
        return np.asarray(rows, dtype=np.float32).reshape(-1, columns)
    except (TypeError, ValueError):
        raise InvalidPredictionError(
            f"{key} holds something that is no number.", "Send plain numbers."
        ) from None


def _rows(key: str, rows: Any) -> Sequence[Any]:
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise InvalidPredictionError(f"{key} is {_brief(rows)}, not a list.", _POINTS)
    return rows


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


_LAYOUT = {
    "detection_boxes": "A box is [top, left, bottom, right] in pixels.",
    "points": "A point is [x, y] in pixels.",
}
_POINTS = "Points are nested, [[x, y], …] in pixels."
