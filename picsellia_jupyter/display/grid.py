"""Many predicted images in one output that needs nothing else.

Small JPEGs and blocks of shapes, which the output's own script draws where they are seen;
around them small pictures for pages that strip scripts.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.display import style
from picsellia_jupyter.display.captions import Labels, name_of, short_text
from picsellia_jupyter.display.embedding import (
    SMALL_SIDE,
    THUMBNAIL_SIDE,
    Embed,
    Embedded,
    Shown,
    bytes_note,
    embedded,
)
from picsellia_jupyter.display.units import count
from picsellia_jupyter.display.viewer import output_html
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.predictions import FailedImage, considered
from picsellia_jupyter.workflows.matching import match

PAGE = 100
"""Images in one output."""
_FEW = 24
"""So many have static pictures as large as their thumbnails, more have smaller ones."""
_MOST_FAILURES = 100
_WORKERS = 4
"""Threads that decode photos, which Pillow does outside of Python's lock."""


_APART = "display:inline-block;vertical-align:top;margin:0 8px 8px 0"


@dataclass(frozen=True, slots=True)
class Page:
    """Where the images of a grid stand among all there are."""

    first: int
    """Number of the first one, from 1."""
    total: int
    hint: str = ""
    """How to see the others, in words."""
    undone: int = 0
    """Images that an interrupt left out."""


def grid_html(
    items: Sequence[Shown],
    failures: Sequence[FailedImage],
    labels: Labels,
    threshold: float | None,
    *,
    page: Page | None = None,
    embed: Embed = "thumb",
) -> str:
    """Predicted images side by side, then those that failed with their reasons.

    Args:
        items: predicted images; each photo is read when it is its turn.
        failures: images that could not be predicted on.
        labels: class index to label name.
        threshold: the deployment's, where the slider starts; None for classification.
        page: which of all images these are; all of them without it.
        embed: how photos are held.
    """
    place = page or Page(1, len(items))
    side = THUMBNAIL_SIDE if len(items) <= _FEW else SMALL_SIDE
    prepare = functools.partial(
        _prepared, labels=labels, threshold=threshold, embed=embed, side=side
    )
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="grid") as pool:
        results = list(pool.map(prepare, items))
    drawn = [(shown, one) for shown, one in zip(items, results, strict=True) if _is_drawn(one)]
    undrawn = [one for one in results if isinstance(one, FailedImage)]
    head = _head(place, len(drawn), len(failures))
    body = _body(drawn, labels, threshold, head) if drawn else ""
    whole = style.block(
        f'<p class="pxj-head">{style.escape(head)}</p>',
        body,
        f'<p class="pxj-muted">{style.escape(place.hint)}</p>' if place.hint else "",
        _failures_html([*undrawn, *failures]),
        label=head,
    )
    return bytes_note(whole, embed) if drawn else whole


def _prepared(
    shown: Shown, *, labels: Labels, threshold: float | None, embed: Embed, side: int
) -> Embedded | FailedImage:
    try:
        one = embedded(shown, labels, threshold, embed=embed, still_side=side)
    except PicselliaJupyterError as error:
        return FailedImage(shown.image.source, f"Predicted, but not drawn: {error}")
    if shown.shadow is not None:
        one.payload["apart"] = disagreement(shown, threshold)
    return one


def disagreement(shown: Shown, threshold: float | None) -> int:
    """How many considered objects of champion and shadow the other one has not."""
    if shown.shadow is None:
        return 0
    mine = considered(shown.image.found, threshold=threshold)
    theirs = considered(shown.shadow, threshold=threshold)
    both = int((match(mine, theirs, shown.image.size).truth >= 0).sum())
    return len(mine) + len(theirs) - 2 * both


def _is_drawn(one: Embedded | FailedImage) -> bool:
    return isinstance(one, Embedded)


def _body(
    drawn: Sequence[tuple[Shown, Any]], labels: Labels, threshold: float | None, head: str
) -> str:
    payloads = [one.payload for _, one in drawn]
    shared = {key: payloads[0][key] for key in ("threshold", "cut")}
    figures = "".join(_figure(shown, one.still, labels, threshold) for shown, one in drawn)
    return output_html(
        {**shared, "items": payloads},
        f'<div class="pxj-grid pxj-small">{figures}</div>',
        label=head,
        script="grid",
    )


def _figure(shown: Shown, still: str, labels: Labels, threshold: float | None) -> str:
    name = style.escape(name_of(shown.image))
    found = style.escape(short_text(shown.image, labels, threshold))
    # Where style elements are stripped, these still stand side by side.
    return (
        f'<figure style="{_APART}">{still}<figcaption>{name}<br>'
        f'<span class="pxj-muted">{found}</span></figcaption></figure>'
    )


def _head(page: Page, drawn: int, failed: int) -> str:
    head = f"{count(page.total, 'image')} predicted"
    if drawn < page.total:
        last = page.first + drawn - 1
        head += f", {page.first:,} to {last:,} shown" if drawn else ", none shown"
    if page.undone:
        head += f" · interrupted, {page.undone:,} not predicted on"
    return f"{head} · {failed:,} failed" if failed else head


def _failures_html(failures: Sequence[FailedImage]) -> str:
    if not failures:
        return ""
    items = style.rows(
        (name_of(failure), style.escape(failure.reason)) for failure in failures[:_MOST_FAILURES]
    )
    more = len(failures) - _MOST_FAILURES
    left = f'<p class="pxj-muted">and {more:,} more</p>' if more > 0 else ""
    return f'<div class="pxj-part"><p><strong>Failed</strong></p>{items}{left}</div>'
