"""Predicted images as HTML that needs nothing else: one in the viewer, or many in a grid."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from PIL import Image, UnidentifiedImageError

from picsellia_jupyter.display import style
from picsellia_jupyter.display.overlay import draw, jpeg
from picsellia_jupyter.display.units import brief, count, milliseconds, printable
from picsellia_jupyter.display.viewer import Layer, viewer_html
from picsellia_jupyter.domain.errors import (
    InvalidImageError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.predictions import (
    Classification,
    FailedImage,
    PredictedImage,
    considered,
)
from picsellia_jupyter.domain.registry import label_name

THUMBNAIL_SIDE = 320
"""Longest side of an image in a grid, pixels."""
_CLASSIFIED_SIDE = 160
"""The same where one word says it all."""

Labels = Mapping[int, str]


def predicted_image_html(
    image: PredictedImage, photo: bytes, labels: Labels, threshold: float | None
) -> str:
    """One predicted image in the viewer, with a line below it.

    Args:
        image: what was predicted.
        photo: the encoded image it was predicted on.
        labels: class index to label name.
        threshold: the deployment's; None for classification.

    Raises:
        InvalidImageError: `photo` is no image.
        InvalidPredictionError: a mask's code is broken.
    """
    return viewer_html(
        photo,
        [Layer("champion", "champion", image.found)],
        labels,
        threshold=threshold,
        name=name_of(image),
        alt=alt_text(image, labels, threshold),
        caption=caption_text(image, labels, threshold),
        size=image.size,
    )


def grid_html(
    items: Sequence[tuple[PredictedImage, bytes]],
    failures: Sequence[FailedImage],
    labels: Labels,
    threshold: float | None,
    *,
    limit: int = 24,
    total: int | None = None,
) -> str:
    """Many predicted images side by side, then those that failed with their reasons.

    Args:
        items: predicted images, each with the encoded image it was predicted on.
        failures: images that could not be predicted on.
        labels: class index to label name.
        threshold: the deployment's; None for classification.
        limit: most images shown.
        total: images there are in all, where `items` holds only the first of them.
    """
    figures: list[str] = []
    undrawn: list[FailedImage] = []
    for image, photo in items[:limit]:
        try:
            figures.append(_thumbnail(image, photo, labels, threshold))
        except PicselliaJupyterError as error:
            undrawn.append(FailedImage(image.source, f"Predicted, but not drawn: {error}"))
    whole = max(total or 0, len(items))
    head = _grid_head(whole, len(failures), shown=len(figures))
    return style.block(
        f'<p class="pxj-head">{style.escape(head)}</p>',
        _grid(figures, small=all(isinstance(image.found, Classification) for image, _ in items)),
        _failures_html([*undrawn, *failures]),
        label=head,
    )


def caption_text(image: PredictedImage, labels: Labels, threshold: float | None) -> str:
    """What a predicted image shows, in one line: name, size, objects, latency."""
    size = f"{image.size.width} × {image.size.height} px"  # noqa: RUF001 - the sign for "by"
    found = found_text(image, labels, threshold)
    return " · ".join([name_of(image), size, found, milliseconds(image.latency_s)])


def found_text(image: PredictedImage, labels: Labels, threshold: float | None) -> str:
    """How much was found: `12 of 20 objects over threshold 0.3`, or the class and its score."""
    found = image.found
    if isinstance(found, Classification):
        if not len(found):
            return "no class"
        return f"{_label(labels, int(found.classes[0]))}, score {found.scores[0]:.2f}"
    kept = len(considered(found, threshold=threshold))
    if threshold is None:
        return count(kept, "object")
    return f"{kept:,} of {count(len(found), 'object')} over threshold {threshold:g}"


def alt_text(image: PredictedImage, labels: Labels, threshold: float | None) -> str:
    """What is to be seen, for those who cannot: how many of which label, and where not."""
    kept = considered(image.found, threshold=threshold)
    if isinstance(kept, Classification):
        return f"{name_of(image)}: classified as {found_text(image, labels, threshold)}"
    counts = Counter(_label(labels, int(index)) for index in kept.classes)
    listed = ", ".join(f"{number} of {label!r}" for label, number in counts.most_common(10))
    return f"{name_of(image)}: {found_text(image, labels, threshold)}" + (
        f": {listed}" if listed else ""
    )


def name_of(image: PredictedImage | FailedImage) -> str:
    """The name of its file, without the folder."""
    return printable(PurePath(image.source).name or image.source)


def _grid(figures: Sequence[str], *, small: bool) -> str:
    css = "pxj-grid pxj-small" if small else "pxj-grid"
    return f'<div class="{css}">{"".join(figures)}</div>' if figures else ""


def _thumbnail(image: PredictedImage, photo: bytes, labels: Labels, threshold: float | None) -> str:
    side = _CLASSIFIED_SIDE if isinstance(image.found, Classification) else THUMBNAIL_SIDE
    img = _drawn(image, photo, labels, threshold, max_side=side, quality=80)
    name, found = style.escape(name_of(image)), style.escape(_short(image, labels, threshold))
    return (
        f"<figure>{img}<figcaption>{name}<br>"
        f'<span class="pxj-muted">{found}</span></figcaption></figure>'
    )


def _short(image: PredictedImage, labels: Labels, threshold: float | None) -> str:
    if isinstance(image.found, Classification):
        return found_text(image, labels, threshold)
    return count(len(considered(image.found, threshold=threshold)), "object")


def _drawn(
    image: PredictedImage,
    photo: bytes,
    labels: Labels,
    threshold: float | None,
    *,
    max_side: int,
    quality: int,
) -> str:
    try:
        with Image.open(io.BytesIO(photo)) as opened:
            # A JPEG can be decoded at an eighth of its size, much faster than in full.
            opened.draft("RGB", (max_side, max_side))
            picture = draw(
                opened,
                image.found,
                labels,
                threshold=threshold,
                max_side=max_side,
                size=image.size,
                scores=max_side > THUMBNAIL_SIDE,
            )
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InvalidImageError(
            f"{name_of(image)} cannot be shown: {error}.", "Check that the file is still there."
        ) from error
    return style.picture(
        jpeg(picture, quality=quality),
        kind="jpeg",
        alt=alt_text(image, labels, threshold),
        width=picture.width,
    )


def _grid_head(total: int, failed: int, *, shown: int) -> str:
    head = f"{count(total, 'image')} predicted"
    if shown < total:
        head += f", {shown} of {total:,} shown"
    return f"{head} · {failed:,} failed" if failed else head


def _failures_html(failures: Sequence[FailedImage]) -> str:
    if not failures:
        return ""
    items = style.rows((name_of(failure), style.escape(failure.reason)) for failure in failures)
    return f'<div class="pxj-part"><p><strong>Failed</strong></p>{items}</div>'


def _label(labels: Labels, index: int) -> str:
    return brief(label_name(labels, index), most=40)
