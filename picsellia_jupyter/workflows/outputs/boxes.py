"""Boxes from the conventions of frameworks to ours: left, top, right, bottom in pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError, InvalidPredictionError
from picsellia_jupyter.domain.predictions import ImageSize

_Boxes = NDArray[np.float64]

_ROUNDING = 1.01
"""Normalised boxes may lie a little outside of the image, as models put them out."""


def _xywh(boxes: _Boxes) -> _Boxes:
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _cxcywh(boxes: _Boxes) -> _Boxes:
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


_TO_XYXY: Mapping[str, Callable[[_Boxes], _Boxes]] = {
    "xyxy": lambda boxes: boxes,
    "yxyx": lambda boxes: boxes[:, [1, 0, 3, 2]],
    "xywh": _xywh,
    "cxcywh": _cxcywh,
}
CONVENTIONS = tuple(_TO_XYXY)
"""`xywh` begins at the corner; what Ultralytics calls so begins at the centre: `cxcywh` here."""


def check_convention(name: str) -> None:
    """Refuse a convention that is none of ours.

    Raises:
        InvalidInputError: it is none.
    """
    if name not in _TO_XYXY:
        raise InvalidInputError(
            f"boxes={name!r} is no order of a box's numbers.",
            f"Known: {', '.join(CONVENTIONS)}; with normalized=True where they lie in [0, 1].",
        )


def to_xyxy(
    given: NDArray[Any], size: ImageSize, convention: str, *, normalized: bool
) -> NDArray[np.float32]:
    """Convert and check boxes.

    Args:
        given: (N, 4) as the framework has them.
        size: of the upright photo.
        convention: one of `CONVENTIONS`.
        normalized: whether they are fractions of the photo's sides.

    Returns:
        (N, 4) float32 pixels: left, top, right, bottom. They may lie outside of the photo.

    Raises:
        InvalidPredictionError: a number is none, a side is negative, or fractions are none.
    """
    boxes = np.asarray(given, np.float64).reshape(-1, 4)
    _refuse(boxes, ~np.isfinite(boxes).all(axis=1), convention, "which has NaN or infinity")
    xyxy = _TO_XYXY[convention](boxes)
    narrow, low = xyxy[:, 2] < xyxy[:, 0], xyxy[:, 3] < xyxy[:, 1]
    _refuse(boxes, narrow, convention, "whose right is left of its left (x2 < x1)")
    _refuse(boxes, low, convention, "whose bottom is above its top (y2 < y1)")
    if normalized:
        pixels = (np.abs(boxes) > _ROUNDING).any(axis=1)
        _refuse(boxes, pixels, convention, "which is not normalized: its numbers exceed 1")
        xyxy = xyxy * np.tile((size.width, size.height), 2)
    return xyxy.astype(np.float32)


def _refuse(boxes: _Boxes, wrong: Any, convention: str, why: str) -> None:
    if wrong.any():
        row = int(wrong.argmax())
        shown = ", ".join(f"{value:g}" for value in boxes[row])
        raise InvalidPredictionError(
            f"Box {row} is [{shown}], read as {convention}, {why}.",
            f"Check the order of its numbers: boxes= takes {', '.join(CONVENTIONS)}; "
            "normalized=True means fractions of the image.",
        )
