"""Predictions as values of other libraries, which are imported when they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidInputError, PicselliaJupyterError
from picsellia_jupyter.domain.extents import areas, boxes_around
from picsellia_jupyter.domain.predictions import (
    Classification,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    PredictedImage,
    Prediction,
    Segmentation,
    over_threshold,
)
from picsellia_jupyter.domain.registry import label_name

Labels = Mapping[int, str]


class MissingPackageError(PicselliaJupyterError):
    """A library of the user's choice is not installed."""

    def __init__(self, call: str, package: str) -> None:
        super().__init__(
            f"{call} needs the package {package!r}, which is not installed here.",
            f"Install it with: pip install {package}",
        )


def to_supervision(image: PredictedImage, labels: Labels) -> Any:
    """One image's shapes for the `supervision` library, all of them, with raw scores.

    Returns:
        `Detections` for boxes, polygons and masks (the latter two with dense masks),
        `KeyPoints` for keypoints and points, `Classifications` for classes. Names of labels
        are in `data["class_name"]`.

    Raises:
        MissingPackageError: supervision is not installed.
        InvalidInputError: lines, for which supervision has no form.
    """
    sv = imported("supervision", "to_supervision()")
    found = image.found
    if isinstance(found, Lines):
        raise InvalidInputError(
            "supervision has no form for predictions of type line.", "Take to_dict()."
        )
    if isinstance(found, Classification):
        return sv.Classifications(class_id=found.classes, confidence=found.scores)
    named = {"class_name": np.array([label_name(labels, i) for i in found.classes.tolist()], str)}
    if isinstance(found, (Keypoints, Points)):
        return _key_points(sv, found, named)
    if not len(found):
        return sv.Detections.empty()
    return sv.Detections(
        xyxy=boxes_around(found, image.size).astype(np.float32),
        mask=_dense_masks(found, image.size),
        confidence=found.scores,
        class_id=found.classes.astype(int),
        data=named,
    )


def to_pandas(images: Iterable[PredictedImage], labels: Labels, threshold: float | None) -> Any:
    """A data frame with one row a shape, of all shapes, with raw scores.

    Returns:
        Columns `image`, `prediction_id`, `shape` (its number in the image), `label`,
        `class_index`, `score`, `considered`, `left`, `top`, `right`, `bottom` (pixels of the
        box around it) and `area` (square pixels).

    Raises:
        MissingPackageError: pandas is not installed.
        InvalidPredictionError: a mask's code is broken.
    """
    pandas = imported("pandas", "to_pandas()")
    frames = [_columns(image, labels, threshold) for image in images if len(image.found)]
    columns = {
        name: np.concatenate([frame[name] for frame in frames]) if frames else np.zeros(0, kind)
        for name, kind in _COLUMNS.items()
    }
    return pandas.DataFrame(columns)


_COLUMNS: Mapping[str, Any] = {
    "image": object,
    "prediction_id": object,
    "shape": np.int64,
    "label": object,
    "class_index": np.int64,
    "score": np.float32,
    "considered": bool,
    "left": np.float32,
    "top": np.float32,
    "right": np.float32,
    "bottom": np.float32,
    "area": np.float64,
}


def _columns(
    image: PredictedImage, labels: Labels, threshold: float | None
) -> dict[str, NDArray[Any]]:
    found, number = image.found, len(image.found)
    boxes = boxes_around(found, image.size)
    applied = None if isinstance(found, Classification) else threshold
    return {
        "image": np.full(number, image.source, object),
        "prediction_id": np.full(number, image.prediction_id, object),
        "shape": np.arange(number),
        "label": np.array([label_name(labels, i) for i in found.classes.tolist()], object),
        "class_index": found.classes,
        "score": found.scores,
        "considered": over_threshold(found.scores, applied),
        **dict(zip(("left", "top", "right", "bottom"), boxes.T, strict=True)),
        "area": areas(found, image.size),
    }


def imported(package: str, call: str) -> Any:
    """A library of the user's choice; it was asked for by this call.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(call, package) from error


def _key_points(sv: Any, found: Keypoints | Points, named: Mapping[str, Any]) -> Any:
    paths = found.keypoints if isinstance(found, Keypoints) else found.points[:, None, :]
    if not len(paths):
        return sv.KeyPoints.empty()
    most = max(len(path) for path in paths)
    xy = np.zeros((len(paths), most, 2), np.float32)
    for row, path in enumerate(paths):
        xy[row, : len(path)] = path[:, :2]
    return sv.KeyPoints(
        xy=xy,
        class_id=found.classes.astype(int),
        detection_confidence=found.scores,
        data=dict(named),
    )


def _dense_masks(found: Prediction, size: ImageSize) -> NDArray[np.bool_] | None:
    """(N, height, width); None for boxes."""
    if isinstance(found, Masks):
        return np.stack([rle.decode(code, size) for code in found.masks])
    if isinstance(found, Segmentation):
        return np.stack([_filled(polygon, size) for polygon in found.polygons])
    return None


def _filled(polygon: NDArray[np.float32], size: ImageSize) -> NDArray[np.bool_]:
    page = Image.new("1", (size.width, size.height))
    ImageDraw.Draw(page).polygon([tuple(point) for point in polygon.tolist()], fill=1, outline=1)
    return np.asarray(page, bool)
