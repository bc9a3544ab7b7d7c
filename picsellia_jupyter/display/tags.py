"""Small labels beside the objects of a picture, kept apart and inside it."""

from __future__ import annotations

import functools
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
_REMEMBERED = 256
"""Written tags that are kept: the images of a grid have the same ones."""


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
    return _font(size, ascii_only=all(text.isascii() for text in texts))


@functools.cache  # a few sizes, and each takes half a millisecond
def _font(size: int, *, ascii_only: bool) -> Font:
    if ascii_only:
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
    tried = tags[:_MOST_TAGS]
    font = tag_font(size, [tag.text for tag in tags])
    signs = {"A", "g", "|"}.union(*(tag.text for tag in tags))
    ascent, descent = _rise_and_fall(font, "".join(sorted(signs)))
    # Many objects have the same tag, and to write it takes longer than to place it.
    widths = {text: font.getlength(text) + 6 for text in {tag.text for tag in tried}}
    extents = np.array([(widths[tag.text], ascent + descent + 2) for tag in tried]).reshape(-1, 2)
    for tag, place in zip(tried, _free_places(spots, extents, picture.size), strict=True):
        if place is None:
            continue
        left, top, right, bottom = place
        written = _written(tag, (right - left, bottom - top), font, ascent)
        picture.paste(written, (left, top))


@functools.lru_cache(_REMEMBERED)
def _written(tag: Tag, extent: tuple[int, int], font: Font, ascent: int) -> Image.Image:
    """A tag by itself; not to be drawn on."""
    whole = Image.new("RGB", extent, tag.colour)
    pen = ImageDraw.Draw(whole)
    pen.text((3, 1 + ascent), tag.text, fill=ink_on(tag.colour), font=font, anchor="ls")
    return whole


@functools.lru_cache(_REMEMBERED)
def _rise_and_fall(font: Font, signs: str) -> tuple[int, int]:
    """Pixels above and below the line that these signs take."""
    _, top, _, bottom = font.getbbox(signs, anchor="ls")
    return int(-top), int(bottom)


def _free_places(
    spots: NDArray[np.float64], extents: NDArray[np.float64], limits: tuple[int, int]
) -> list[tuple[int, ...] | None]:
    """Where each of T tags goes, whole pixels; None where those before it took its places.

    Args:
        spots: (N, 4) rectangles of all objects, those with a tag in front.
        extents: (T, 2) width and height of each tag.
        limits: width and height of the picture.
    """
    places = _places(spots[: len(extents)], extents, np.array(limits, float))
    others = spots if len(spots) <= _WEIGHED_OBJECTS else spots[:0]
    hidden = _shared(places.reshape(-1, 4), others).reshape(-1, 8)
    left, top, right, bottom = np.moveaxis(places, 2, 0)
    found: list[tuple[int, ...] | None] = []
    for row, costs in enumerate(hidden):
        best = int(np.argmin(costs))
        if np.isinf(costs[best]):
            found.append(None)
            continue
        x0, y0, x1, y1 = places[row, best]
        hidden[(left < x1) & (right > x0) & (top < y1) & (bottom > y0)] = np.inf
        found.append((int(x0), int(y0), int(x1), int(y1)))
    return found


def _places(
    spots: NDArray[np.float64], extents: NDArray[np.float64], limits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(T, 8, 4) places around each object, best first, moved into the picture."""
    left, top, right, bottom = spots.T
    width, height = extents.T
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
    ).transpose(2, 0, 1)
    corners = np.floor(np.clip(corners, 0, np.maximum(limits - extents, 0)[:, None]))
    return np.concatenate([corners, corners + np.ceil(extents)[:, None]], axis=2)


def _shared(places: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P,) area that each place shares with all other rectangles together, square pixels."""
    low = np.maximum(places[:, None, :2], others[None, :, :2])
    high = np.minimum(places[:, None, 2:], others[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    shared: NDArray[np.float64] = (sides[..., 0] * sides[..., 1]).sum(axis=1)
    return shared
