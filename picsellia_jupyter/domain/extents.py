"""The box around each shape and its area, whatever the type of the shape."""

from __future__ import annotations

from typing import cast

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


def boxes_around(found: Prediction, size: ImageSize) -> NDArray[np.float32]:
    """The smallest box around each shape.

    Args:
        found: N objects.
        size: of the upright photo.

    Returns:
        (N, 4) pixels: left, top, right, bottom. A point's box is the point itself; absent
        keypoints do not count; a class of a whole image has the image's box.

    Raises:
        InvalidPredictionError: a mask's code is broken.
    """
    if isinstance(found, Detections):
        return found.boxes_xyxy
    if isinstance(found, Points):
        return np.hstack([found.points, found.points])
    if isinstance(found, Classification):
        return np.tile(np.array([0, 0, size.width, size.height], np.float32), (len(found), 1))
    if isinstance(found, Masks):
        return _rows([rle.extent(code, size)[0] for code in found.masks])
    if isinstance(found, Keypoints):
        return _rows([_around(path[path[:, 2] > 0, :2]) for path in found.keypoints])
    paths = found.polygons if isinstance(found, Segmentation) else cast("Lines", found).lines
    return _rows([_around(path) for path in paths])


def areas(found: Prediction, size: ImageSize) -> NDArray[np.float64]:
    """How many square pixels each shape covers.

    Returns:
        (N,). Lines and points cover none; keypoints count as the box around them.

    Raises:
        InvalidPredictionError: a mask's code is broken.
    """
    if isinstance(found, Masks):
        return np.array([rle.extent(code, size)[1] for code in found.masks], np.float64)
    if isinstance(found, Segmentation):
        return np.array([_polygon_area(polygon) for polygon in found.polygons], np.float64)
    if isinstance(found, (Lines, Points)):
        return np.zeros(len(found))
    boxes = boxes_around(found, size).astype(np.float64)
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def _rows(boxes: list[tuple[int, int, int, int]] | list[tuple[float, ...]]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _around(points_xy: NDArray[np.float32]) -> tuple[float, ...]:
    if not len(points_xy):
        return (0.0, 0.0, 0.0, 0.0)
    return (*points_xy.min(axis=0).tolist(), *points_xy.max(axis=0).tolist())


def _polygon_area(points_xy: NDArray[np.float32]) -> float:
    """The shoelace formula."""
    x, y = points_xy.T.astype(np.float64)
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
