"""Predicted images as HTML that needs nothing else: one in the viewer, or a few in a strip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.captions import Labels, name_of
from picsellia_jupyter.display.embedding import (
    Embed,
    Shown,
    bytes_note,
    embedded,
    opened,
    still_of,
)
from picsellia_jupyter.display.overlay import jpeg
from picsellia_jupyter.display.viewer import STILL_SIDE, output_html
from picsellia_jupyter.domain.errors import PicselliaJupyterError

STRIP_SIDE = 160
"""Longest side of a picture that is soon replaced, pixels."""


def predicted_image_html(
    shown: Shown, labels: Labels, threshold: float | None, *, embed: Embed = "full"
) -> str:
    """One predicted image in the viewer, and below it how many bytes it takes.

    Args:
        shown: the image and what it is compared with.
        labels: class index to label name.
        threshold: the deployment's, where the slider starts; None for classification.
        embed: how the photo is held.

    Raises:
        InvalidImageError: the photo is gone, or no image.
        InvalidPredictionError: a mask's code is broken.
    """
    side = min(STILL_SIDE, _STILL_SIDES[embed])
    one = embedded(shown, labels, threshold, embed=embed, still_side=side)
    caption = style.escape(one.payload["caption"])
    figure = f'<figure style="margin:0">{one.still}<figcaption>{caption}</figcaption></figure>'
    label = f"Predictions on {name_of(shown.image)}"
    return bytes_note(
        style.block(output_html(one.payload, figure, label=label), label=label), embed
    )


def strip_html(items: Sequence[Shown], labels: Labels, threshold: float | None) -> str:
    """A row of small pictures with their names; those that cannot be drawn are left out."""
    figures = []
    for shown in items:
        try:
            figures.append(_small(shown, labels, threshold))
        except PicselliaJupyterError:
            continue
    return f'<div class="pxj-grid pxj-small">{"".join(figures)}</div>' if figures else ""


def _small(shown: Shown, labels: Labels, threshold: float | None) -> str:
    image = shown.image
    picture = opened(shown.read(), STRIP_SIDE, name_of(image))
    still = still_of(picture, image, labels, threshold, side=STRIP_SIDE)
    name = style.escape(name_of(image))
    # Its name says what it is; it is gone before it could be described.
    img = style.picture(jpeg(still, quality=60), kind="jpeg", alt="", width=still.width)
    return f"<figure>{img}<figcaption>{name}</figcaption></figure>"


_STILL_SIDES: Mapping[Embed, int] = {"thumb": 320, "full": STILL_SIDE, "link": STILL_SIDE}
