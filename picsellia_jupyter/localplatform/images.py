"""What an uploaded file really is, found by decoding it and not by what it claims."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import ImageSize

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
"""Pillow's names; rarer decoders have had holes and are never asked."""
MAX_PIXELS = 50_000_000
_WRITTEN_AS = {"MPO": "JPEG"}
"""Pillow's own names for files that are of a known format all the same: phones write JPEGs of
several pictures, the first of which is the photo."""
_SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations that swap width and height."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What decoding the head of an image shows."""

    content_type: str
    """`image/jpeg`, `image/png`, …"""
    size: ImageSize
    """Of the upright photo."""


def image_facts(stream: BinaryIO) -> ImageFacts:
    """Look into an encoded image.

    Raises:
        InvalidImageError: it is no image of a known format, is broken or too large.
    """
    from PIL import Image

    try:
        with Image.open(stream, formats=FORMATS) as image:
            return _facts(image)
    except _unreadable() as error:
        raise InvalidImageError(
            f"The file is no readable image ({error}).", f"Send {', '.join(FORMATS)}."
        ) from error


def checked_photo(body: bytes, *, claimed: str, width: int, height: int) -> ImageFacts:
    """Look into an image that says what it is.

    Args:
        body: the encoded image.
        claimed: its content type, in any letter case.
        width: in pixels, before or after EXIF rotation.
        height: likewise.

    Raises:
        InvalidImageError: it is no image, or another one than it claims to be.
    """
    facts = image_facts(io.BytesIO(body))
    if facts.content_type != claimed.lower():
        raise InvalidImageError(
            f"The image says it is {claimed.lower()}, but it is {facts.content_type}.",
            "Send its true content type.",
        )
    size = facts.size
    if {width, height} != {size.width, size.height}:
        raise InvalidImageError(
            f"The image is {size.width} x {size.height} pixels, not {width} x {height}.",
            "Send its own width and height; shapes are in pixels of that image.",
        )
    return facts


def small_rgb(body: bytes, side: int) -> NDArray[np.uint8]:
    """An encoded image as (side, side, 3) RGB, upright, its ratio not kept.

    Raises:
        InvalidImageError: it is no image of a known format, is broken or too large.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            _facts(image)
            # A JPEG is decoded at a fraction of its size where that is enough.
            image.draft("RGB", (2 * side, 2 * side))
            upright = ImageOps.exif_transpose(image).convert("RGB")
            small = upright.resize((side, side), Image.Resampling.BOX, reducing_gap=2.0)
            return np.asarray(small, np.uint8)
    except _unreadable() as error:
        raise InvalidImageError(
            f"The file is no readable image ({error}).", f"Send {', '.join(FORMATS)}."
        ) from error


def _facts(image: Image) -> ImageFacts:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels are more than {MAX_PIXELS}")
    if _orientation(image) in _SIDEWAYS:
        width, height = height, width
    name = _WRITTEN_AS.get(image.format or "", image.format or "")
    return ImageFacts(f"image/{name.lower()}", ImageSize(width, height))


def _unreadable() -> tuple[type[Exception], ...]:
    from PIL.Image import DecompressionBombError, DecompressionBombWarning

    # What thousands of mutated files made Pillow raise; anything else is a fault of ours. The
    # warning is raised where warnings are errors.
    return OSError, SyntaxError, ValueError, DecompressionBombError, DecompressionBombWarning


def _orientation(image: Image) -> int | None:
    from PIL.Image import Image

    # A PNG's own `getexif` decodes all of its pixels, in search of a tag at the very end.
    return Image.getexif(image).get(0x0112)
