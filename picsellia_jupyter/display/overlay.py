"""A photo with what the model found drawn on it."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from picsellia_jupyter.display.marks import Canvas, draw_shapes
from picsellia_jupyter.display.palette import BLACK, WHITE, Colour, label_colour
from picsellia_jupyter.display.tags import Tag, draw_tags, tag_font
from picsellia_jupyter.display.units import brief
from picsellia_jupyter.domain.predictions import (
    Classification,
    ImageSize,
    Prediction,
    considered,
)
from picsellia_jupyter.domain.registry import label_name

MAX_SIDE = 1280
"""Longest side of a picture, pixels, unless told otherwise."""

_LEAST_SHOWN = 0.005
"""A class below this would read 0.00."""
_LEGIBLE_SIDE = 320
"""A smaller photo is enlarged by a whole factor, so that its tags can be read."""


def draw(
    image: Image.Image,
    found: Prediction,
    labels: Mapping[int, str],
    *,
    threshold: float | None,
    max_side: int = MAX_SIDE,
    size: ImageSize | None = None,
    scores: bool = True,
) -> Image.Image:
    """Draw the considered objects of a prediction on its photo.

    Args:
        image: the photo as it was opened; it is turned upright here.
        found: all raw objects, in pixels of the upright photo.
        labels: class index to label name.
        threshold: objects scored strictly over it are drawn; None draws all.
        max_side: longest side of the result, pixels.
        size: of the upright photo where `image` is a smaller rendering of it.
        scores: write them in the tags; without, tags are smaller.

    Returns:
        A new RGB picture without metadata. A classification has its classes in a
        strip below the photo.

    Raises:
        InvalidPredictionError: a mask's code is broken, or of another size.
    """
    photo = upright(image)
    full = size or ImageSize(*photo.size)
    picture = _fitted(photo, full, max_side)
    if isinstance(found, Classification):
        return _captioned(picture, found, labels)
    kept = considered(found, threshold=threshold)
    spots = draw_shapes(Canvas(picture, full, stroke=_stroke(picture)), kept)
    order = np.argsort(-kept.scores, kind="stable")
    tags = [_tag(kept, int(row), labels, scores=scores) for row in order]
    draw_tags(picture, spots[order], tags, size=_font_size(picture))
    return picture


def upright(image: Image.Image) -> Image.Image:
    """The photo as a person would hold it: EXIF orientation applied, RGB, no metadata."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode in ("I", "F") or turned.mode.startswith("I;16"):
        turned = _eight_bit(turned)
    if turned.has_transparency_data:
        turned = turned.convert("RGBA")
        turned = Image.alpha_composite(Image.new("RGBA", turned.size, "white"), turned)
    rgb = turned.convert("RGB")
    rgb.info.clear()
    return rgb


def jpeg(image: Image.Image, *, quality: int = 85) -> bytes:
    """Encode a picture as JPEG, without EXIF, GPS or other metadata."""
    stream = io.BytesIO()
    # Better tables save 2 % of a large picture and take as long again; small ones gain more.
    small = image.width * image.height < 250_000
    _bare(image if image.mode == "RGB" else image.convert("RGB")).save(
        stream, "JPEG", quality=quality, optimize=small
    )
    return stream.getvalue()


def png(image: Image.Image) -> bytes:
    """Encode a picture as PNG, without metadata."""
    stream = io.BytesIO()
    _bare(image).save(stream, "PNG")
    return stream.getvalue()


def _bare(image: Image.Image) -> Image.Image:
    # Pillow writes some of `info` back (XMP, comments), whatever it was opened with.
    bare = image.copy()
    bare.info.clear()
    return bare


def fitted(picture: Image.Image, max_side: int, *, gap: float = 2.0) -> Image.Image:
    """The picture at most `max_side` pixels long; itself where it is.

    Args:
        picture: of any size.
        max_side: longest side of the result, pixels.
        gap: how far above its size a picture may be roughly shrunk first; 1 is fastest.
    """
    wanted = fitted_size(ImageSize(*picture.size), max_side)
    if wanted == ImageSize(*picture.size):
        return picture
    return picture.resize((wanted.width, wanted.height), Image.Resampling.HAMMING, reducing_gap=gap)


def fitted_size(size: ImageSize, max_side: int) -> ImageSize:
    """The size of a picture that is made at most `max_side` pixels long; its own where it is."""
    factor = min(1.0, max_side / max(size.width, size.height))
    return ImageSize(max(1, round(size.width * factor)), max(1, round(size.height * factor)))


def _eight_bit(image: Image.Image) -> Image.Image:
    """A deep greyscale picture, its own darkest and lightest values stretched apart."""
    values = np.asarray(image, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    stretched = (values - low) * (255 / (high - low) if high > low else 1)
    return Image.fromarray(np.clip(stretched, 0, 255).astype(np.uint8))


def _fitted(photo: Image.Image, full: ImageSize, max_side: int) -> Image.Image:
    """The photo at the size it is shown; always a new picture."""
    longest = max(full.width, full.height)
    factor = min(1.0, max_side / longest)
    if longest < _LEGIBLE_SIDE:
        factor = max(1, min(_LEGIBLE_SIDE, max_side) // longest)
    wanted = (max(1, round(full.width * factor)), max(1, round(full.height * factor)))
    if wanted == photo.size:
        return photo
    enlarged = wanted[0] > photo.width
    resample = Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
    return photo.resize(wanted, resample, reducing_gap=None if enlarged else 2.0)


def _stroke(picture: Image.Image) -> int:
    return 2 if max(picture.size) < 1000 else 3


def _font_size(picture: Image.Image) -> int:
    return int(np.clip(round(max(picture.size) / 64), 12, 17))


def _tag(found: Prediction, row: int, labels: Mapping[int, str], *, scores: bool) -> Tag:
    index = int(found.classes[row])
    name = brief(label_name(labels, index), most=24)
    text = f"{name} {found.scores[row]:.2f}" if scores else name
    return Tag(text, label_colour(index))


# Classification ------------------------------------------------------------------------------


def _captioned(
    picture: Image.Image, found: Classification, labels: Mapping[int, str]
) -> Image.Image:
    """The picture above a strip with its classes, as many as fit, the answer first."""
    size = _font_size(picture) + 1
    height = 2 * size
    whole = Image.new("RGB", (picture.width, picture.height + height), BLACK)
    whole.paste(picture, (0, 0))
    rows = [row for row in range(len(found)) if row == 0 or found.scores[row] >= _LEAST_SHOWN]
    tags = [_tag(found, row, labels, scores=True) for row in rows]
    font = tag_font(size, [tag.text for tag in tags])
    pen = ImageDraw.Draw(whole)
    middle, left = picture.height + height / 2, size / 2
    for rank, tag in enumerate(tags):
        right = left + size + font.getlength(tag.text)
        if rank and right > picture.width:
            break
        _swatch(pen, left, middle, size, tag.colour)
        ink = WHITE if rank == 0 else (170, 170, 170)
        pen.text((left + size, middle), tag.text, fill=ink, font=font, anchor="lm")
        left = right + size
    return whole


def _swatch(
    pen: ImageDraw.ImageDraw, left: float, middle: float, size: int, colour: Colour
) -> None:
    half = size * 0.3
    pen.rectangle((left, middle - half, left + 2 * half, middle + half), fill=colour)
