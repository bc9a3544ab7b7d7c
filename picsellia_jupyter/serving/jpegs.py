"""Ordinary JPEGs by a faster decoder than Pillow's; the same pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from picsellia_jupyter.domain.predictions import ImageSize

_COLOURS = {"RGB": "RGB", "L": "GRAY"}
_ORIENTATION = 0x0112
_ADOBE_YCC = 1


def decode(
    data: bytes, opened: Image.Image, at_least: ImageSize | None = None
) -> NDArray[np.uint8] | None:
    """Decode a JPEG and turn it upright.

    Args:
        data: the whole file.
        opened: the same file, opened by Pillow but not loaded.
        at_least: sides of the upright photo that suffice; the decoder may then halve it, which
            is faster but gives other pixels. None keeps its size.

    Returns:
        (H, W, 3) RGB or (H, W, 1) grey, or None where Pillow is to have it: the file is
        progressive, of rare colours, or in any way broken.
    """
    if not _is_ordinary(opened):
        return None
    orientation = opened.getexif().get(_ORIENTATION, 1)
    least = {} if at_least is None else _sides(at_least, turned=orientation in (5, 6, 7, 8))
    try:
        import simplejpeg

        # Strict: what libjpeg only warns of, Pillow may refuse.
        pixels = simplejpeg.decode_jpeg(data, _COLOURS[opened.mode], strict=True, **least)
    except (ImportError, ValueError):
        return None
    return upright(pixels, orientation)


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation, 1 to 8; other numbers mean nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _is_ordinary(opened: Image.Image) -> bool:
    info = opened.info
    return (
        opened.format == "JPEG"
        and opened.mode in _COLOURS
        and not info.get("progressive")
        and info.get("adobe_transform", _ADOBE_YCC) == _ADOBE_YCC
    )


def _sides(size: ImageSize, *, turned: bool) -> dict[str, int]:
    width, height = (size.height, size.width) if turned else (size.width, size.height)
    return {"min_width": width, "min_height": height}
