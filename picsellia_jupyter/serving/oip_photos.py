"""What was found in several photos, as flat tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.predictions import (
    Detections,
    Keypoints,
    Masks,
    Points,
    PredictedImage,
    Prediction,
)
from picsellia_jupyter.serving.oip_tensors import Array, texts

Told = PredictedImage | PicselliaJupyterError


def outputs(
    kind: type[Prediction], told: Sequence[Told], labels: Mapping[int, str]
) -> dict[str, Array]:
    """The tensors that tell of M photos with N objects in all.

    Args:
        kind: what is found in each.
        told: by photo, what was found, or why it could not be predicted on.
        labels: class index to label name.

    Returns:
        By name: `image_index`, `classes`, `labels` and `scores` have a row for every object, and
        so have `boxes`, `points` and `masks`; `polygons`, `lines` and `keypoints` have one for
        every vertex, and `object_index` tells of which object it is. `sizes`, `prediction_ids`
        and `errors` have a row for every photo.
    """
    found = [one.found if isinstance(one, PredictedImage) else None for one in told]
    classes = _joined([one.classes for one in found if one], (0,), np.int64)
    objects = [0 if one is None else len(one) for one in found]
    return {
        "image_index": np.repeat(np.arange(len(told)), objects).astype(np.int64),
        "classes": classes,
        "labels": texts([labels.get(index, "") for index in classes.tolist()]),
        "scores": _joined([one.scores for one in found if one], (0,), np.float32),
        **_geometry(kind, [one for one in found if one]),
        **_of_photos(told),
    }


def _of_photos(told: Sequence[Told]) -> dict[str, Array]:
    images = [one if isinstance(one, PredictedImage) else None for one in told]
    sizes = [(one.size.width, one.size.height) if one else (0, 0) for one in images]
    return {
        "sizes": np.array(sizes, np.int64).reshape(-1, 2),
        "prediction_ids": texts([(one and one.prediction_id) or "" for one in images]),
        "errors": texts([str(one) if isinstance(one, Exception) else "" for one in told]),
    }


def _geometry(kind: type[Prediction], found: Sequence[Prediction]) -> dict[str, Array]:
    if kind.geometry is None:
        return {}
    shapes = [getattr(one, kind.geometry) for one in found]
    if kind is Detections:
        return {"boxes": _joined(shapes, (0, 4), np.float32)}
    if kind is Points:
        return {"points": _joined(shapes, (0, 2), np.float32)}
    of_objects = [shape for image in shapes for shape in image]
    if kind is Masks:
        return {"masks": texts(of_objects)}
    columns = 3 if kind is Keypoints else 2
    vertices = [len(path) for path in of_objects]
    return {
        kind.geometry: _joined(of_objects, (0, columns), np.float32),
        "object_index": np.repeat(np.arange(len(vertices)), vertices).astype(np.int64),
    }


def _joined(arrays: Sequence[Array], empty: tuple[int, ...], dtype: type[np.generic]) -> Array:
    return np.concatenate([np.empty(empty, dtype), *arrays], dtype=dtype, casting="same_kind")
