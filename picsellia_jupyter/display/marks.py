"""Outlines of predicted shapes, drawn into a picture with Pillow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from picsellia_jupyter.display.palette import Colour, label_colour
from picsellia_jupyter.domain.predictions import (
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Prediction,
    Segmentation,
)
from picsellia_jupyter.domain.rle import decode

_FILL_ALPHA = 70
_HALO = (0, 0, 0, 100)
"""A dark rim that keeps a light colour visible on a light photo."""

_FAR = 8.0
"""Coordinates are cut off at this many picture sizes; Pillow cannot count further."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture that is drawn on, and how photo pixels fall on it."""

    picture: Image.Image
    """RGB."""
    size: ImageSize
    """The upright photo's, whose pixels the shapes are in."""
    stroke: int
    """Width of a line, pixels of the picture."""

    @property
    def scale(self) -> NDArray[np.float64]:
        """(2,) picture pixels per photo pixel, x and y."""
        return np.array(self.picture.size, float) / (self.size.width, self.size.height)

    def to_picture(self, points_xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Photo pixels (N, 2) as picture pixels (N, 2)."""
        sides = np.array(self.picture.size, float)
        return np.clip(points_xy.astype(float) * self.scale, -_FAR * sides, _FAR * sides)


def draw_shapes(canvas: Canvas, found: Prediction) -> NDArray[np.float64]:
    """Draw every shape, the most confident on top.

    Returns:
        (N, 4) left, top, right, bottom of what was drawn for each object, pixels of the
        picture; where its tag belongs.

    Raises:
        InvalidPredictionError: a mask's code is broken, or of another size.
    """
    spots = np.zeros((len(found), 4))
    draw_one = _DRAWERS[type(found)]
    pen = ImageDraw.Draw(canvas.picture, "RGBA")
    for row in np.argsort(found.scores, kind="stable"):
        colour = label_colour(int(found.classes[row]))
        spots[row] = draw_one(canvas, pen, found, int(row), colour)
    return spots


def _draw_box(
    canvas: Canvas, pen: ImageDraw.ImageDraw, found: Any, row: int, colour: Colour
) -> tuple[float, ...]:
    corners = canvas.to_picture(found.boxes_xyxy[row].reshape(2, 2))
    left, top, right, bottom = (int(value) for value in np.rint(corners).ravel())
    # The right and bottom edges of a box lie between pixels; Pillow counts its corners in.
    right, bottom = max(right - 1, left), max(bottom - 1, top)
    pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=_HALO)
    pen.rectangle((left, top, right, bottom), outline=colour, width=canvas.stroke)
    return left, top, right + 1, bottom + 1


def _draw_polygon(
    canvas: Canvas, pen: ImageDraw.ImageDraw, found: Any, row: int, colour: Colour
) -> tuple[float, ...]:
    points = canvas.to_picture(found.polygons[row])
    pen.polygon([tuple(point) for point in points], fill=(*colour, _FILL_ALPHA))
    _draw_path(canvas, pen, np.vstack([points, points[:1]]), colour)
    return _around(points)


def _draw_line(
    canvas: Canvas, pen: ImageDraw.ImageDraw, found: Any, row: int, colour: Colour
) -> tuple[float, ...]:
    points = canvas.to_picture(found.lines[row])
    _draw_path(canvas, pen, points, colour)
    # The box around a slanted line is mostly empty: a tag belongs where the line itself is.
    first, second = points[(len(points) - 1) // 2 : (len(points) - 1) // 2 + 2]
    return _around((first + second)[None] / 2, margin=canvas.stroke)


def _draw_point(
    canvas: Canvas, pen: ImageDraw.ImageDraw, found: Any, row: int, colour: Colour
) -> tuple[float, ...]:
    point = canvas.to_picture(found.points[row][None])
    _draw_dot(canvas, pen, point[0], colour, hollow=False)
    return _around(point, margin=2 * canvas.stroke)


def _draw_keypoints(
    canvas: Canvas, pen: ImageDraw.ImageDraw, found: Any, row: int, colour: Colour
) -> tuple[float, ...]:
    keypoints = found.keypoints[row]
    points = canvas.to_picture(keypoints[:, :2])
    present = keypoints[:, 2] > 0
    for point, visibility in zip(points[present], keypoints[present, 2], strict=True):
        _draw_dot(canvas, pen, point, colour, hollow=bool(visibility < 1.5))
    return _around(points[present] if present.any() else points, margin=2 * canvas.stroke)


def _draw_mask(
    canvas: Canvas, pen: ImageDraw.ImageDraw, found: Any, row: int, colour: Colour
) -> tuple[float, ...]:
    del pen
    inside = _at_picture_size(decode(found.masks[row], canvas.size), canvas.picture)
    ys, xs = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(ys):
        return 0, 0, 0, 0
    left, top, right, bottom = int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
    part = inside[top:bottom, left:right]
    alpha = np.where(_rim(part, canvas.stroke), 255, np.where(part, _FILL_ALPHA + 20, 0))
    canvas.picture.paste(colour, (left, top), Image.fromarray(alpha.astype(np.uint8)))
    return left, top, right, bottom


_Drawer = Callable[[Canvas, ImageDraw.ImageDraw, Any, int, Colour], tuple[float, ...]]

_DRAWERS: Mapping[type[Prediction], _Drawer] = {
    Detections: _draw_box,
    Segmentation: _draw_polygon,
    Lines: _draw_line,
    Points: _draw_point,
    Keypoints: _draw_keypoints,
    Masks: _draw_mask,
}


def _draw_path(
    canvas: Canvas, pen: ImageDraw.ImageDraw, points: NDArray[np.float64], colour: Colour
) -> None:
    path = [tuple(point) for point in points]
    pen.line(path, fill=_HALO, width=canvas.stroke + 2, joint="curve")
    pen.line(path, fill=colour, width=canvas.stroke, joint="curve")


def _draw_dot(
    canvas: Canvas,
    pen: ImageDraw.ImageDraw,
    point: NDArray[np.float64],
    colour: Colour,
    *,
    hollow: bool,
) -> None:
    radius = 1.5 * canvas.stroke + 1
    around = (*(point - radius), *(point + radius))
    pen.ellipse((*(point - radius - 1), *(point + radius + 1)), fill=None if hollow else _HALO)
    pen.ellipse(
        around,
        fill=None if hollow else colour,
        outline=colour if hollow else (255, 255, 255),
        width=max(1, canvas.stroke // 2),
    )


def _around(points: NDArray[np.float64], *, margin: float = 0) -> tuple[float, ...]:
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _at_picture_size(inside: NDArray[np.bool_], picture: Image.Image) -> NDArray[np.bool_]:
    """The mask's nearest pixel for every pixel of the picture."""
    height, width = inside.shape
    ys = (np.arange(picture.height) + 0.5) * height / picture.height
    xs = (np.arange(picture.width) + 0.5) * width / picture.width
    rows: NDArray[np.bool_] = inside[ys.astype(int)]
    return rows[:, xs.astype(int)]


def _rim(inside: NDArray[np.bool_], stroke: int) -> NDArray[np.bool_]:
    """The mask's pixels within `stroke` pixels of its edge."""
    core = np.pad(inside, 1)
    for _ in range(stroke):
        eroded = core.copy()
        eroded[1:] &= core[:-1]
        eroded[:-1] &= core[1:]
        eroded[:, 1:] &= core[:, :-1]
        eroded[:, :-1] &= core[:, 1:]
        core = eroded
    rim: NDArray[np.bool_] = inside & ~core[1:-1, 1:-1]
    return rim
