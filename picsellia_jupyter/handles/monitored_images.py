"""The image of a prediction, however a user holds it, as it was when it was predicted on."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.handles import images

_RECORDED_AS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_ORIENTATION = 0x0112
_FORMS = "Give a path, the bytes of an image file, a Pillow image, or an (H, W, 3) array of uint8."


@dataclass(frozen=True, slots=True, eq=False)
class MonitoredImage:
    """An image as it was, which may be encoded later."""

    size: ImageSize
    """Upright."""
    name: str
    """Of its file; empty where it has none."""
    held: int
    """Bytes in memory."""
    encode: Callable[[], tuple[bytes, str]]
    """Its file, as JPEG or PNG, and the content type."""


def held(image: Any, *, channels: str = "rgb") -> MonitoredImage:
    """Hold an image.

    Args:
        image: a path, the bytes of an image file, a Pillow image, or an array (H, W),
            (H, W, 1), (H, W, 3) or (H, W, 4) of uint8. Pixels are copied: what is done with
            them later changes nothing here.
        channels: `rgb`, or `bgr` as OpenCV reads images. Of arrays alone.

    Raises:
        InvalidImageError: it is no image.
    """
    if isinstance(image, (str, os.PathLike)):
        path = Path(image)
        return _of_file(images.read(path), path.name)
    if isinstance(image, (bytes, bytearray, memoryview)):
        return _of_file(bytes(image), "")
    if isinstance(image, Image.Image):
        return _of_pillow(image)
    if isinstance(image, np.ndarray):
        return _of_array(image, channels)
    raise InvalidImageError(f"{type(image).__name__!r} is no image that can be recorded.", _FORMS)


def _of_file(data: bytes, name: str) -> MonitoredImage:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
            size = ImageSize(*(image.size[::-1] if turned else image.size))
            content_type = _RECORDED_AS.get(image.format or "")
    except Exception as error:  # a broken file makes Pillow's decoders raise nearly anything
        shown = repr(name) if name else f"What begins with {data[:12]!r}"
        raise InvalidImageError(
            f"{shown} cannot be read as an image ({type(error).__name__}).", _FORMS
        ) from error

    def encode() -> tuple[bytes, str]:
        return (data, content_type) if content_type else _as_png(Image.open(io.BytesIO(data)))

    return MonitoredImage(size, name, len(data), encode)


def _of_pillow(image: Image.Image) -> MonitoredImage:
    copy = image.copy()
    turned = copy.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
    size = ImageSize(*(copy.size[::-1] if turned else copy.size))
    name = Path(getattr(image, "filename", "") or "").name
    bytes_held = copy.width * copy.height * max(1, len(copy.getbands()))
    return MonitoredImage(size, name, bytes_held, lambda: _as_png(copy))


def _of_array(array: np.ndarray[Any, Any], channels: str) -> MonitoredImage:
    flat = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    coloured = flat.ndim == 3 and flat.shape[2] in (3, 4)
    if array.dtype != np.uint8 or not (flat.ndim == 2 or coloured) or not array.size:
        raise InvalidImageError(
            f"An array of shape {array.shape} and {array.dtype} is no image.",
            "Give (H, W, 3) or (H, W) of uint8, in [0, 255].",
        )
    # Unlike copy(), this keeps the interpreter's lock, which others would be slow to give back.
    pixels, shape = flat.tobytes(), flat.shape
    size = ImageSize(int(shape[1]), int(shape[0]))

    def encode() -> tuple[bytes, str]:
        copy = np.frombuffer(pixels, np.uint8).reshape(shape)
        if channels == "bgr" and copy.ndim == 3:
            copy = copy[:, :, [2, 1, 0, *range(3, copy.shape[2])]]
        return _as_png(Image.fromarray(copy))

    return MonitoredImage(size, "", len(pixels), encode)


def _as_png(image: Image.Image) -> tuple[bytes, str]:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode not in ("L", "RGB", "RGBA"):
        upright = upright.convert("RGB")
    # Pixels alone: whatever else was in the file stays here.
    upright.info.clear()
    out = io.BytesIO()
    upright.save(out, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return out.getvalue(), "image/png"
