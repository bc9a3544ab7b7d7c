"""Reviews as the API spells them, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    Keypoints,
    Lines,
    Masks,
    Points,
    Prediction,
    Segmentation,
)
from picsellia_jupyter.domain.registry import InferenceType, label_name
from picsellia_jupyter.domain.reviews import Shape, Shapes
from picsellia_jupyter.wire.predictions import SHAPE_KEYS

Json = dict[str, Any]


def review_to_json(
    kind: InferenceType, shapes: Iterable[Shape], label_ids: Mapping[str, str]
) -> Json:
    """Spell a review as the body of `add_review`: one key, such as `rectangles`.

    Args:
        kind: the deployment's type.
        shapes: in pixels of the upright photo; they are rounded.
        label_ids: id of each label name of the deployment.
    """
    entries = [{"label_id": label_ids[shape.label], **_geometry(kind, shape)} for shape in shapes]
    return {SHAPE_KEYS[kind]: entries}


def shapes_from_json(kind: InferenceType, review: Mapping[str, Any]) -> Shapes:
    """Read the shapes of a review, or of a predicted asset's prediction."""
    entries: Sequence[Mapping[str, Any]] = review.get(SHAPE_KEYS[kind]) or ()
    return tuple(_shape(kind, entry) for entry in entries)


def shapes_of(found: Prediction, labels: Mapping[int, str]) -> Shapes:
    """What was found as shapes that a person can correct; of a classification its answer."""
    names = [label_name(labels, int(index)) for index in found.classes]
    if isinstance(found, Classification):
        return tuple(Shape(name) for name in names[:1])
    if isinstance(found, Masks):
        return tuple(Shape(name, mask=mask) for name, mask in zip(names, found.masks, strict=True))
    return tuple(Shape(name, points) for name, points in zip(names, _points(found), strict=True))


def shape_to_json(shape: Shape) -> Json:
    """One shape for a page or a file of ours."""
    spelled: Json = {"label": shape.label, "points": [list(point) for point in shape.points]}
    return spelled | ({"mask": shape.mask} if shape.mask else {})


def shape_from_json(raw: Mapping[str, Any]) -> Shape:
    """Read what `shape_to_json` spelled."""
    points = tuple(tuple(float(value) for value in point) for point in raw["points"])
    return Shape(str(raw["label"]), points, str(raw.get("mask") or ""))


def _points(found: Prediction) -> list[tuple[tuple[float, ...], ...]]:
    if isinstance(found, Detections):
        return [_tuples(box.reshape(2, 2)) for box in found.boxes_xyxy]
    if isinstance(found, Points):
        return [_tuples(point[None]) for point in found.points]
    if isinstance(found, Segmentation):
        return [_tuples(path) for path in found.polygons]
    if isinstance(found, Lines):
        return [_tuples(path) for path in found.lines]
    if isinstance(found, Keypoints):
        return [_tuples(path) for path in found.keypoints]
    return []


def _tuples(rows: Any) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in np.asarray(rows, np.float64).tolist())


def _geometry(kind: InferenceType, shape: Shape) -> Json:
    if kind is InferenceType.CLASSIFICATION:
        return {}
    if kind is InferenceType.MASK:
        return {"mask": shape.mask}
    whole = [[round(value) for value in point] for point in shape.points]
    if kind is InferenceType.OBJECT_DETECTION:
        (left, top), (right, bottom) = whole
        return {"x": left, "y": top, "w": right - left, "h": bottom - top}
    if kind is InferenceType.POINT:
        return {"point": whole[0]}
    return {SHAPE_KEYS[kind].removesuffix("s"): whole}


def _shape(kind: InferenceType, entry: Mapping[str, Any]) -> Shape:
    label = str(entry["label"]["name"])
    if kind is InferenceType.CLASSIFICATION:
        return Shape(label)
    if kind is InferenceType.MASK:
        return Shape(label, mask=str(entry["mask"]))
    if kind is InferenceType.OBJECT_DETECTION:
        left, top = float(entry["x"]), float(entry["y"])
        corners = ((left, top), (left + float(entry["w"]), top + float(entry["h"])))
        return Shape(label, corners)
    drawn = entry[SHAPE_KEYS[kind].removesuffix("s")]
    return Shape(label, _tuples([drawn] if kind is InferenceType.POINT else drawn))
