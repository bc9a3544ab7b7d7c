"""From an encoded photo to the model's input, and back to pixels of the photo."""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from typing_extensions import Self

from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.serving import jpegs, resampling
from picsellia_jupyter.serving.manifest import InputSpec
from picsellia_jupyter.serving.resampling import Torch

MAX_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
"""Decoders that are asked; rare ones have a history of holes."""

_ORIENTATION = 0x0112
_SCAN, _MOST_SCANS = b"\xff\xda", 50
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_BANDS = {"L": 1, "RGB": 3}
_RECORDED_AS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo, turned upright."""

    decoded: Image.Image | NDArray[np.uint8]
    """As Pillow's image, or (H, W, 3) RGB or (H, W, 1) grey."""
    content_type: str | None
    """`image/jpeg` or `image/png`; None for formats that the platform does not store."""
    size: ImageSize
    """After EXIF orientation was applied; what was decoded for a smaller input has less."""

    @classmethod
    def of(cls, image: Image.Image, content_type: str | None = None) -> Self:
        """A photo that is upright already."""
        return cls(image, content_type, ImageSize(*image.size))

    @property
    def image(self) -> Image.Image:
        """It as Pillow's image."""
        if isinstance(self.decoded, Image.Image):
            return self.decoded
        return Image.fromarray(self.decoded.squeeze(2) if self.bands == 1 else self.decoded)

    @property
    def bands(self) -> int | None:
        """1 or 3 where it is an array; else None."""
        return None if isinstance(self.decoded, Image.Image) else self.decoded.shape[2]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a photo lies in the model's input, both in pixels.

    Coordinates are continuous: pixel (0, 0) reaches from 0 to 1, so that the photo's right
    edge is its width.
    """

    left: int
    top: int
    width: int
    """Of the resized photo."""
    height: int
    photo: ImageSize
    input: ImageSize

    def to_photo(self, boxes_xyxy: NDArray[np.floating]) -> NDArray[np.float32]:
        """Map (N, 4) boxes from the model's input to the photo, clipped to it."""
        corners = np.asarray(boxes_xyxy).reshape(-1, 2, 2)
        return self.points_to_photo(corners).reshape(-1, 4)

    def points_to_photo(self, xy: NDArray[np.floating]) -> NDArray[np.float32]:
        """Map (..., 2) points from the model's input to the photo, clipped to it."""
        limits = (self.photo.width, self.photo.height)
        return np.asarray(np.clip(self._mapped(xy), 0, limits), dtype=np.float32)

    def frame(self) -> tuple[float, float, float, float]:
        """Where the whole input lies on the photo: left, top, right, bottom.

        It reaches beyond the photo where the input is padded.
        """
        return self.framed(np.array([0, 0, self.input.width, self.input.height]))

    def framed(self, box_xyxy: NDArray[Any]) -> tuple[float, float, float, float]:
        """Where a box (4,) of the input lies on the photo, not clipped to it."""
        (left, top), (right, bottom) = self._mapped(np.reshape(box_xyxy, (2, 2))).tolist()
        return left, top, right, bottom

    def in_pixels(self, normalised: NDArray[np.floating]) -> NDArray[np.float32]:
        """Turn (..., 2k) coordinates x, y, x, y, ... in [0, 1] into pixels of the input."""
        sides = (self.input.width, self.input.height) * (normalised.shape[-1] // 2)
        return np.asarray(normalised * np.array(sides), dtype=np.float32)

    def _mapped(self, xy: NDArray[Any]) -> NDArray[np.float64]:
        scale = np.array([self.photo.width / self.width, self.photo.height / self.height])
        return np.asarray((xy - np.array([self.left, self.top], dtype=np.float64)) * scale)


def decode(
    data: bytes,
    name: str,
    into: InputSpec | None = None,
    claim: Callable[[int], None] | None = None,
) -> Photo:
    """Decode one photo and turn it upright.

    Args:
        data: an encoded JPEG, PNG, WEBP, BMP or TIFF of at most 32 MiB; only its first
            frame counts.
        name: what to call it in an error.
        into: the input that it is decoded for, which may ask for less than all pixels.
        claim: told how many pixels it has before they take any memory.

    Raises:
        InvalidImageError: it is no image, is broken, or has more than 50 million pixels.
    """
    if len(data) > MAX_BYTES:
        raise InvalidImageError(
            f"{name!r} has {len(data) / 2**20:.0f} MiB.", "Send at most 32 MiB; resize it first."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, name, into, claim)
    except InvalidImageError:
        raise
    except Exception as error:  # a broken file makes Pillow's decoders raise nearly anything
        raise InvalidImageError(
            f"{name!r} cannot be read as an image ({_brief(error)}).",
            f"Send a whole {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file.",
        ) from error


def _decode(
    data: bytes, name: str, into: InputSpec | None, claim: Callable[[int], None] | None
) -> Photo:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise InvalidImageError(
                f"{name!r} has {width} x {height} pixels.",
                f"Send at most {MAX_PIXELS // 10**6} million pixels; resize it first.",
            )
        if claim:
            claim(width * height)
        content_type = _RECORDED_AS.get(image.format or "")
        size = _upright_size(image)
        pixels = jpegs.decode(data, image, _enough(size, into))
        if pixels is not None:
            return Photo(pixels, content_type, size)
        _check_scans(data, name, image)
        image.load()
        return Photo.of(_convertible(ImageOps.exif_transpose(image)), content_type)


def _check_scans(data: bytes, name: str, image: Image.Image) -> None:
    """A scan of a hundred bytes makes a decoder go over all pixels once more."""
    scans = data.count(_SCAN) if image.info.get("progressive") else 0
    if scans > _MOST_SCANS:
        raise InvalidImageError(
            f"{name!r} is a progressive JPEG of {scans} scans.",
            f"Send one of at most {_MOST_SCANS}; cameras and programs write ten or so.",
        )


def _upright_size(image: Image.Image) -> ImageSize:
    turned = image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
    return ImageSize(*(image.size[::-1] if turned else image.size))


def _enough(size: ImageSize, into: InputSpec | None) -> ImageSize | None:
    """The sides that an input needs, where its model was trained on photos decoded so."""
    if into is None or into.decode != "scaled":
        return None
    spot = place(size, into)
    return ImageSize(spot.width, spot.height)


def _convertible(image: Image.Image) -> Image.Image:
    """As an image that Pillow makes grey or RGB of without a loss.

    It clips 16-bit grey to white where it should scale it, and cannot make LAB grey.
    """
    if image.mode == "LAB":
        return image.convert("RGB")
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image, dtype=np.uint16) >> 8).astype(np.uint8))
    return image


def as_png(photo: Photo) -> bytes:
    """The upright photo as a PNG."""
    out = io.BytesIO()
    kept = photo.image.mode in ("L", "LA", "RGB", "RGBA")
    (photo.image if kept else photo.image.convert("RGB")).save(out, "PNG", compress_level=1)
    return out.getvalue()


def place(size: ImageSize, spec: InputSpec) -> Placement:
    """Where a photo of this size goes in the model's input."""
    if spec.resize == "none":
        return Placement(0, 0, size.width, size.height, size, size)
    whole = ImageSize(spec.width, spec.height)
    if spec.resize == "stretch":
        return Placement(0, 0, spec.width, spec.height, size, whole)
    if spec.resize == "crop":
        return _cropped(size, spec)
    ratio = min(spec.width / size.width, spec.height / size.height)
    width = min(spec.width, max(1, round(size.width * ratio)))
    height = min(spec.height, max(1, round(size.height * ratio)))
    left, top = (spec.width - width) // 2, (spec.height - height) // 2
    if spec.anchor == "top_left":
        left = top = 0
    return Placement(left, top, width, height, size, whole)


def _cropped(size: ImageSize, spec: InputSpec) -> Placement:
    """Where a photo goes whose centre alone is seen, rounded as torchvision does it."""
    whole = ImageSize(spec.width, spec.height)
    across = size.width * spec.height <= size.height * spec.width  # its width decides
    if across:
        width = round(spec.width / spec.crop)
        height = max(spec.height, width * size.height // size.width)
    else:
        height = round(spec.height / spec.crop)
        width = max(spec.width, height * size.width // size.height)
    if width * height > MAX_PIXELS:
        raise InvalidImageError(
            f"A photo of {size.width} x {size.height} pixels is too long to take its centre.",
            "Cut it into pieces, and send those.",
        )
    left, top = round((width - spec.width) / 2), round((height - spec.height) / 2)
    return Placement(-left, -top, width, height, size, whole)


def to_input(
    photo: Photo, spec: InputSpec, torch: Torch | None = None
) -> tuple[NDArray[np.float32], Placement]:
    """Make the model's input of a photo.

    Args:
        photo: the upright photo.
        spec: what the model takes.
        torch: resizes where it gives the same pixels sooner; it may be left out.

    Returns:
        (1, C, H, W) float32, scaled and normalised, and where the photo lies in it.
    """
    spot = place(photo.size, spec)
    mode = "L" if spec.channels == "L" else "RGB"
    drawn = _seen(_drawn(photo, mode, spot, spec, torch or Torch(after=0)), spot)
    tensor = np.empty((1, _BANDS[mode], spot.input.height, spot.input.width), dtype=np.float32)
    if (drawn.shape[1], drawn.shape[0]) == (spot.input.width, spot.input.height):
        inner = tensor[0]
    else:
        tensor[...] = _levels(spec)[:, spec.pad, None, None]
        inner = tensor[0, :, spot.top : spot.top + spot.height, spot.left : spot.left + spot.width]
    order = slice(None, None, -1) if spec.channels == "BGR" else slice(None)
    bands = np.moveaxis(drawn, 2, 0)[order]
    for band, mean, std, out in zip(bands, spec.mean, spec.std, inner, strict=True):
        _normalise(band, np.float32(spec.scale), np.float32(mean), np.float32(std), out)
    return tensor, spot


def _seen(drawn: NDArray[np.uint8], spot: Placement) -> NDArray[np.uint8]:
    """(H, W, C): what of a resized photo lies in the input."""
    top, left = max(-spot.top, 0), max(-spot.left, 0)
    return drawn[top : top + spot.input.height, left : left + spot.input.width]


def _normalise(
    band: NDArray[np.uint8],
    scale: np.float32,
    mean: np.float32,
    std: np.float32,
    out: NDArray[np.float32],
) -> None:
    """Write the levels (H, W) of a channel as the model is given them.

    A channel at a time, which stays in the processor's cache; what changes nothing is left out.
    """
    np.divide(band, scale, out=out, dtype=np.float32, casting="unsafe")
    if mean != 0:
        np.subtract(out, mean, out=out)
    if std != 1:
        np.divide(out, std, out=out)


@functools.lru_cache(maxsize=16)
def _levels(spec: InputSpec) -> NDArray[np.float32]:
    """(C, 256): what the model is given for each level of each channel."""
    mean, std = (np.array(numbers, dtype=np.float32) for numbers in (spec.mean, spec.std))
    scaled = np.arange(256, dtype=np.float32)[:, None] / np.float32(spec.scale)
    return np.ascontiguousarray(((scaled - mean) / std).T)


def _drawn(
    photo: Photo, mode: str, spot: Placement, spec: InputSpec, torch: Torch
) -> NDArray[np.uint8]:
    """(H, W, C): the photo in the size it has in the input."""
    sides = (spot.width, spot.height)
    decoded = photo.decoded
    if not isinstance(decoded, Image.Image) and photo.bands == _BANDS[mode]:
        before = (decoded.shape[1], decoded.shape[0])
        if before == sides:
            return decoded
        if spec.filter == "bilinear" and torch.can_resize(before, sides):
            return resampling.resize(decoded, sides)
    image = photo.image.convert(mode)
    resized = image if image.size == sides else image.resize(sides, _FILTERS[spec.filter])
    return np.asarray(resized).reshape(spot.height, spot.width, -1)


def _brief(error: BaseException) -> str:
    # Pillow's own text names a BytesIO object, which tells a user nothing.
    text = str(error) or type(error).__name__
    return "unknown format" if "cannot identify image file" in text else text
