"""Pages of two kinds of writers: ink on paper, which the detector knows, and chalk on slate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from picsellia_jupyter.demo.cameras import slate
from picsellia_jupyter.demo.pages import Page, compose_page
from picsellia_jupyter.demo.scans import load_scans, split_scans
from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.domain.reviews import Shape
from picsellia_jupyter.handles.reviews import Reviews


def on_paper(split: str, count: int, *, first: int) -> dict[str, Page]:
    """Pages in ink on paper, by the names of their files.

    Args:
        split: which scans are written: `train`, `validation` or `test`; no scan is in two.
        count: how many pages.
        first: number of the first one; the same number and split give the same page.
    """
    scans = split_scans(load_scans())[split]
    return {
        f"paper_{number:05d}.jpg": compose_page(scans, number)
        for number in range(first, first + count)
    }


def on_slate(split: str, count: int, *, first: int) -> dict[str, Page]:
    """Pages in chalk on slate; see `on_paper`."""
    return {
        name.replace("paper", "slate"): Page(slate(page.image), page.truth)
        for name, page in on_paper(split, count, first=first).items()
    }


def review(reviews: Reviews, pages: Mapping[str, Page], labels: Mapping[int, str]) -> int:
    """Review pages as somebody would who sees at once what is written on them.

    Args:
        reviews: what is to be reviewed.
        pages: by the names of their files; images of other names are left as they are.
        labels: class index to label name.

    Returns:
        How many were reviewed.
    """
    done = 0
    for item in reviews:
        name = Path(item.subject.image.source).name
        if name in pages:
            item.save(_written(pages[name].truth, labels))
            done += 1
    return done


def _written(truth: Detections, labels: Mapping[int, str]) -> list[Shape]:
    return [
        Shape(labels[int(index)], ((left, top), (right, bottom)))
        for index, (left, top, right, bottom) in zip(
            truth.classes, truth.boxes_xyxy.astype(float).round().tolist(), strict=True
        )
    ]
