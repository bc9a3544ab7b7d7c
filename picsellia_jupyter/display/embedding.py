"""How outputs hold their photos: small, at the size they are shown, or by address alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from picsellia_jupyter.display import style
from picsellia_jupyter.display.captions import Labels, alt_text, caption_text, name_of, saved_text
from picsellia_jupyter.display.overlay import (
    MAX_SIDE,
    draw,
    fitted,
    fitted_size,
    jpeg,
    upright,
)
from picsellia_jupyter.display.units import kilobytes
from picsellia_jupyter.display.viewer import Layer, photo_url, viewer_payload
from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import (
    Classification,
    ImageSize,
    PredictedImage,
    Prediction,
    considered,
)

Embed = Literal["thumb", "full", "link"]
THUMBNAIL_SIDE = 320
"""Longest side of a small photo, pixels."""
SMALL_SIDE = 160
"""The same of a static picture where there are many."""
SIDES: Mapping[Embed, int] = {"thumb": THUMBNAIL_SIDE, "full": MAX_SIDE}
_TRIALS: Mapping[Embed, tuple[tuple[int, int], ...]] = {
    "thumb": ((320, 75), (320, 50), (240, 50), (240, 30)),
    "full": ((MAX_SIDE, 80),),
}
"""Longest side and quality of a JPEG; the next where it is too large."""
_MOST_PHOTO = 12_500
"""Signs of a thumbnail's address, so that a hundred images fit into two megabytes."""
_STILL_QUALITIES = (60, 45, 30)
_MOST_STILL_BYTES = {True: 4_100, False: 30_000}
"""Of a static picture; keyed by whether it is one of many."""
_MOST_STILL = 60
"""Objects drawn in a static picture, the most confident ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A predicted image that is to be shown, with what it is compared with."""

    image: PredictedImage
    read: Callable[[], bytes]
    """Gives the encoded photo."""
    shadow: Prediction | None = None
    truth: Prediction | None = None
    address: str = ""
    """Where a page finds the photo that it only links."""

    def layers(self) -> list[Layer]:
        """What the viewer draws."""
        layers = [Layer("champion", "champion", self.image.found)]
        if self.shadow is not None:
            layers.append(Layer("shadow", "shadow", self.shadow))
        if self.truth is not None:
            layers.append(Layer("ground truth", "truth", self.truth))
        return layers


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """What an output holds of one image."""

    payload: dict[str, Any]
    """For its script."""
    still: str
    """An `img` for pages that strip scripts."""


def embedded(
    shown: Shown, labels: Labels, threshold: float | None, *, embed: Embed, still_side: int
) -> Embedded:
    """All of an image that an output holds.

    Args:
        shown: the image.
        labels: class index to label name.
        threshold: the deployment's; None for classification.
        embed: how the photo is held; `link` holds its address and no pixel of it.
        still_side: longest side of the static picture, pixels.

    Raises:
        InvalidImageError: the photo cannot be read.
        InvalidPredictionError: a mask's code is broken.
    """
    image = shown.image
    alt = alt_text(image, labels, threshold)
    payload = viewer_payload(shown.layers(), labels, image.size, threshold=threshold)
    payload |= {"name": name_of(image), "alt": alt}
    payload["caption"] = caption_text(image, labels, threshold)
    if embed == "link":
        still = style.linked(shown.address, alt=alt, width=still_side)
        # The script takes the address from there: JupyterLab resolves it in `img` alone.
        payload["saved"] = saved_text(image.size, None)
        return Embedded(payload | {"photo": ""}, still)
    picture = opened(shown.read(), SIDES[embed], name_of(image))
    payload["photo"], held = _address(picture, embed)
    payload["saved"] = saved_text(image.size, held)
    drawn = still_of(picture, image, labels, threshold, side=still_side)
    img = style.picture(_still_jpeg(drawn), kind="jpeg", alt=alt, width=drawn.width)
    return Embedded(payload, img)


def _address(picture: Image.Image, embed: Embed) -> tuple[str, ImageSize]:
    """The photo as an address that holds it, and its size in there."""
    for side, quality in _TRIALS[embed]:
        address = photo_url(picture, max_side=side, quality=quality)
        if len(address) <= _MOST_PHOTO:
            break
    return address, fitted_size(ImageSize(*picture.size), side)


def _still_jpeg(still: Image.Image) -> bytes:
    """A static picture, of few bytes where it is so small that it is one of many."""
    most = _MOST_STILL_BYTES[max(still.size) <= SMALL_SIDE]
    for quality in _STILL_QUALITIES:
        encoded = jpeg(still, quality=quality)
        if len(encoded) <= most:
            break
    return encoded


def opened(photo: bytes, side: int, name: str) -> Image.Image:
    """The upright photo, at most `side` pixels long, without metadata.

    Raises:
        InvalidImageError: it is no image.
    """
    try:
        with Image.open(io.BytesIO(photo)) as image:
            # A JPEG can be decoded at an eighth of its size, much faster than in full.
            share = side / max(image.size)
            image.draft("RGB", (round(image.width * share), round(image.height * share)))
            return fitted(upright(image), side)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InvalidImageError(
            f"{name} cannot be shown: {error}.", "Check that the file is still there."
        ) from error


def still_of(
    picture: Image.Image,
    image: PredictedImage,
    labels: Labels,
    threshold: float | None,
    *,
    side: int,
) -> Image.Image:
    """A small picture with the most confident considered objects drawn in."""
    kept = considered(image.found, threshold=threshold)
    if len(kept) > _MOST_STILL and not isinstance(kept, Classification):
        kept = kept.take(np.argsort(-kept.scores, kind="stable")[:_MOST_STILL])
    small = fitted(picture, side, gap=1.0)
    return draw(small, kept, labels, threshold=None, max_side=side, size=image.size, scores=False)


def bytes_note(html: str, embed: Embed) -> str:
    """The output, and below it how many bytes it adds to a notebook and what is in them."""
    held = {
        "thumb": f"photos at {THUMBNAIL_SIDE} px at most",
        "full": f"photos at {MAX_SIDE} px at most",
        "link": "photos linked, not included",
    }[embed]
    note = f"{kilobytes(len(html.encode()))} in this output: {held}"
    look = "margin:0 0 8px;font:12px var(--jp-ui-font-family,system-ui,sans-serif)"
    return f'{html}\n<p style="{look}">{style.escape(note)}</p>'
