"""Heatmaps (1, K, h, w) over the input: a keypoint or a class of points a channel.

For keypoints, the peak of each channel is a joint of the one object in the photo. For points,
every local peak of a channel is a point of that class. A peak lies at the centre of its cell,
a quarter of a cell towards its higher neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Keypoints, Points, Prediction
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.reading import take
from picsellia_jupyter.serving.heads.selection import best_first
from picsellia_jupyter.serving.heads.skeletons import skeletons
from picsellia_jupyter.serving.manifest import HEADS, Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs

_TOWARDS_NEIGHBOUR = 0.25


class HeatmapsHead:
    """Keypoints or points, as the model version's type asks for."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Prediction:
        """Read the output of one image.

        Raises:
            InvalidPredictionError: it has another shape.
        """
        maps = take(outputs, "heatmaps", at=0, shape="K, h, w")
        if not maps.size:
            raise InvalidPredictionError(
                f"The model's heatmaps are empty, {maps.shape}.",
                "For one image they are (1, K, h, w).",
            )
        if self._manifest.kind is InferenceType.KEYPOINT:
            return self._skeleton(maps, placement)
        return self._points(maps, placement)

    def _skeleton(self, maps: NDArray[np.float32], placement: Placement) -> Keypoints:
        count, _, width = maps.shape
        places = maps.reshape(count, -1).argmax(axis=1)
        scores = np.clip(maps.reshape(count, -1).max(axis=1), 0, 1)
        xy = _peaks(maps, np.arange(count), places // width, places % width, placement)
        # A joint counts as seen where its own peak is over the floor.
        seen = (scores >= self._manifest.score_floor).astype(np.float32)
        points = np.concatenate([xy, seen[:, None]], axis=1)[None]
        label = np.array([self._manifest.label_offset], dtype=np.int64)
        return skeletons(label, np.array([scores.mean()], dtype=np.float32), points, placement)

    def _points(self, maps: NDArray[np.float32], placement: Placement) -> Points:
        wanted = self._manifest
        classes, rows, columns = np.nonzero((maps >= wanted.score_floor) & _local_peaks(maps))
        scores = np.clip(maps[classes, rows, columns], 0, 1)
        best = best_first(scores, limit=wanted.max_objects)
        xy = _peaks(maps, classes[best], rows[best], columns[best], placement)
        return Points(
            classes[best] + wanted.label_offset, scores[best], placement.points_to_photo(xy)
        )


def _local_peaks(maps: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Cells at least as high as their eight neighbours, and higher than those before them."""
    framed = np.pad(maps, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    height, width = maps.shape[1:]
    peaks = np.ones(maps.shape, dtype=bool)
    for down in range(3):
        for across in range(3):
            other = framed[:, down : down + height, across : across + width]
            before = (down, across) < (1, 1)
            if (down, across) != (1, 1):
                peaks &= maps > other if before else maps >= other
    return peaks


def _peaks(
    maps: NDArray[np.float32],
    channels: NDArray[np.intp],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    placement: Placement,
) -> NDArray[np.float32]:
    """(M, 2) x, y of cells in pixels of the input."""
    height, width = maps.shape[1:]
    left, right = np.maximum(columns - 1, 0), np.minimum(columns + 1, width - 1)
    above, below = np.maximum(rows - 1, 0), np.minimum(rows + 1, height - 1)
    across = np.sign(maps[channels, rows, right] - maps[channels, rows, left])
    down = np.sign(maps[channels, below, columns] - maps[channels, above, columns])
    x = (columns + 0.5 + _TOWARDS_NEIGHBOUR * across) / width
    y = (rows + 0.5 + _TOWARDS_NEIGHBOUR * down) / height
    return placement.in_pixels(np.stack([x, y], axis=-1))


def _recognise(trial: Trial) -> Recognised | None:
    if trial.kind not in HEADS["heatmaps"] or trial.single(ndim=3) is None:
        return None
    return Recognised({}, ("The photo is taken to show one object.",) if _one(trial) else ())


def _one(trial: Trial) -> bool:
    return trial.kind is InferenceType.KEYPOINT


FAMILY = Family("heatmaps", HeatmapsHead, _recognise, maps=True)
