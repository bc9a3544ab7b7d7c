"""Shapes of a prediction in few bytes, as the viewer's script reads them.

A layer is a little JSON and one block of little-endian columns: scores, classes, then
coordinates as 16-bit steps from the lowest one. A box takes 11 bytes that way.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import (
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Prediction,
    Segmentation,
    over_threshold,
)

SCORE_STEPS = 50_000
"""A score of 1; each hundredth and thousandth falls on a whole step."""
_COORDINATE_STEPS = 65_535
_FAR = 2.0
"""Coordinates are cut off this many photo sides outside the photo."""

FORMS: Mapping[type[Prediction], str] = {
    Detections: "box",
    Segmentation: "polygon",
    Lines: "line",
    Points: "point",
    Keypoints: "keypoints",
    Masks: "mask",
}
"""How the script calls what it draws; a classification has no shapes."""

# Signs that neither JSON nor HTML leave alone, and others that no code of a mask has.
_MASK_SIGNS = str.maketrans({"<": "!", "\\": "#", ">": "$"})

Edges = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of numbers behind one another, each of the narrowest type that holds it."""

    parts: tuple[NDArray[np.generic], ...]

    def types(self) -> str:
        """Bytes of a value, one digit a column."""
        return "".join(str(part.itemsize) for part in self.parts)

    def base64(self) -> str:
        """All columns, little-endian."""
        joined = b"".join(
            part.astype(part.dtype.newbyteorder("<")).tobytes() for part in self.parts
        )
        return base64.b64encode(joined).decode("ascii")


def encode_shapes(
    found: Prediction, size: ImageSize, ranks: NDArray[np.integer], threshold: float | None
) -> dict[str, Any]:
    """What the script needs to draw a prediction.

    Args:
        found: N objects, in pixels of the upright photo.
        size: of that photo.
        ranks: (N,) row of each object's class in the viewer's table of labels.
        threshold: the deployment's.

    Raises:
        InvalidPredictionError: a mask's code is broken, or of another size.
    """
    columns = [score_steps(found.scores, threshold), narrowed(ranks)]
    encoded: dict[str, Any] = {"n": len(found), "form": FORMS.get(type(found), "class")}
    if isinstance(found, Masks):
        for code in found.masks:
            rle.check(code, size)
        encoded["masks"] = " ".join(found.masks).translate(_MASK_SIGNS)
    elif found.geometry is not None:
        counts, points = _points_of(found)
        if counts is not None:
            columns.append(narrowed(counts))
        if isinstance(found, Keypoints):
            columns.append(_visibilities(found))
        steps, encoded["low"], encoded["step"] = coordinate_steps(points, size)
        columns += [steps[:, 0].copy(), steps[:, 1].copy()]
    whole = Columns(tuple(columns))
    return encoded | {"types": whole.types(), "data": whole.base64()}


def score_steps(scores: NDArray[np.floating[Any]], threshold: float | None) -> NDArray[np.uint16]:
    """Scores as whole steps that lie over a threshold exactly where the scores do.

    That holds for each thousandth and for `threshold`: where `over_threshold` says so,
    the step is higher than `threshold_step` of it, and nowhere else.

    Args:
        scores: (N,) in [0, 1].
        threshold: the deployment's.

    Returns:
        (N,) in [0, `SCORE_STEPS`].
    """
    steps = np.rint(scores.astype(float) * SCORE_STEPS)
    nearest = np.rint(scores.astype(float) * 1000)
    over = scores.astype(np.float32) > (nearest / 1000).astype(np.float32)
    limits = nearest * (SCORE_STEPS // 1000)
    steps = np.where(over, np.maximum(steps, limits + 1), np.minimum(steps, limits))
    if threshold is not None:
        limit = threshold_step(threshold)
        over = over_threshold(scores, threshold)
        steps = np.where(over, np.maximum(steps, limit + 1), np.minimum(steps, limit))
    return np.asarray(steps.clip(0, SCORE_STEPS), np.uint16)


def threshold_step(threshold: float | None) -> int:
    """The step that a considered score lies over; -1, which all do, without a threshold."""
    return -1 if threshold is None else round(threshold * SCORE_STEPS)


def coordinate_steps(
    points: NDArray[np.floating[Any]], size: ImageSize
) -> tuple[NDArray[np.uint16], float, float]:
    """Coordinates as whole steps from the lowest of them.

    Args:
        points: (P, 2) x, y pixels.
        size: the photo's; what lies two of its sides outside is cut off there.

    Returns:
        (P, 2) steps, the lowest coordinate, and the pixels of a step.
    """
    side = max(size.width, size.height)
    kept = np.clip(points.astype(float), -_FAR * side, (1 + _FAR) * side)
    if not len(kept):
        return np.zeros((0, 2), np.uint16), 0.0, 1.0
    low = float(kept.min())
    # An eighth of a pixel at most, as long as nothing lies far outside.
    step = max((float(kept.max()) - low) / _COORDINATE_STEPS, 1 / 64)
    return np.rint((kept - low) / step).astype(np.uint16), low, step


def narrowed(values: NDArray[np.integer[Any]]) -> NDArray[np.generic]:
    """The same numbers, none below 0, in the narrowest type that holds them."""
    most = int(values.max()) if len(values) else 0
    for kind in (np.uint8, np.uint16):
        if most <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.uint32)


def _points_of(
    found: Prediction,
) -> tuple[NDArray[np.int64] | None, NDArray[np.floating[Any]]]:
    """Points per object, where they differ, and all points (P, 2) behind one another."""
    if isinstance(found, Detections):
        return None, found.boxes_xyxy.reshape(-1, 2)
    if isinstance(found, Points):
        return None, found.points
    paths = getattr(found, str(found.geometry))
    flat = np.concatenate([path[:, :2] for path in paths]) if paths else np.zeros((0, 2))
    return np.array([len(path) for path in paths], np.int64), flat


def _visibilities(found: Keypoints) -> NDArray[np.uint8]:
    """(P,) 0 absent, 1 hidden, 2 visible, of all points behind one another."""
    if not found.keypoints:
        return np.zeros(0, np.uint8)
    seen = np.concatenate([points[:, 2] for points in found.keypoints])
    return np.where(seen > 0, np.where(seen < 1.5, 1, 2), 0).astype(np.uint8)
