"""Small labels beside the objects of a picture, kept apart and inside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from picsellia_jupyter.display.palette import Colour, ink_on

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_MOST_TAGS = 120
"""More would hide the picture; the most confident objects get theirs."""
_WEIGHED_OBJECTS = 150
"""Up to this many objects a tag also looks for the spot that hides least of the others."""


@dataclass(frozen=True, slots=True)
class Tag:
    """What is written beside one object."""

    text: str
    colour: Colour
    """Its background."""


def tag_font(size: int, texts: Sequence[str]) -> Font:
    """A font that can write these texts.

    Args:
        size: pixels.
        texts: Pillow's own font only knows ASCII; for anything else matplotlib's is taken.
    """
    if all(text.isascii() for text in texts):
        return ImageFont.load_default(size=size)
    import matplotlib

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / "DejaVuSans.ttf"), size)


def draw_tags(
    picture: Image.Image, spots: NDArray[np.float64], tags: Sequence[Tag], *, size: int
) -> None:
    """Write tags beside their objects; one that finds no free place is left out.

    Args:
        picture: RGB, drawn on.
        spots: (N, 4) left, top, right, bottom of the objects, pixels of the picture.
        tags: N tags, those to be placed first in front.
        size: of the font, pixels.
    """
    font = tag_font(size, [tag.text for tag in tags])
    pen = ImageDraw.Draw(picture)
    ascent, descent = _rise_and_fall(font, tags)
    limits = np.array(picture.size, float)
    others = spots if len(spots) <= _WEIGHED_OBJECTS else spots[:0]
    placed = np.zeros((0, 4))
    for spot, tag in list(zip(spots, tags, strict=True))[:_MOST_TAGS]:
        extent = np.array([font.getlength(tag.text) + 6, ascent + descent + 2])
        place = _free_place(spot, extent, limits, placed, others)
        if place is None:
            continue
        placed = np.vstack([placed, place])
        left, top, right, bottom = (int(value) for value in place)
        pen.rectangle((left, top, right - 1, bottom - 1), fill=tag.colour)
        pen.text(
            (left + 3, top + 1 + ascent), tag.text, fill=ink_on(tag.colour), font=font, anchor="ls"
        )


def _rise_and_fall(font: Font, tags: Sequence[Tag]) -> tuple[int, int]:
    """Pixels above and below the line that the signs of these tags take."""
    signs = sorted({"A", "g", "|"}.union(*(tag.text for tag in tags)))
    _, top, _, bottom = font.getbbox("".join(signs), anchor="ls")
    return int(-top), int(bottom)


def _free_place(
    spot: NDArray[np.float64],
    extent: NDArray[np.float64],
    limits: NDArray[np.float64],
    placed: NDArray[np.float64],
    others: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Where a tag goes: (4,) whole pixels, or None where all its places are taken."""
    places = _places(spot, extent, limits)
    free = places[_overlap(places, placed).sum(axis=1) == 0]
    if not len(free):
        return None
    hidden = _overlap(free, others).sum(axis=1)
    return np.asarray(free[int(np.argmin(hidden))])


def _places(
    spot: NDArray[np.float64], extent: NDArray[np.float64], limits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(8, 4) places around an object, best first, moved into the picture."""
    left, top, right, bottom = spot
    width, height = extent
    corners = np.array(
        [
            (left, top - height),
            (right - width, top - height),
            (left, bottom),
            (right - width, bottom),
            (right, top),
            (left - width, top),
            (left, top),
            (right - width, bottom - height),
        ]
    )
    corners = np.floor(np.clip(corners, 0, np.maximum(limits - extent, 0)))
    return np.hstack([corners, corners + np.ceil(extent)])


def _overlap(places: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P, O) shared area of each place with each other rectangle, square pixels."""
    low = np.maximum(places[:, None, :2], others[None, :, :2])
    high = np.minimum(places[:, None, 2:], others[None, :, 2:])
    shared: NDArray[np.float64] = np.clip(high - low, 0, None).prod(axis=2)
    return shared
