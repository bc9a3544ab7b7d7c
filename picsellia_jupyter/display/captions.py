"""What is said of a predicted image: its caption, and its picture in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath

from picsellia_jupyter.display.units import brief, count, milliseconds, printable
from picsellia_jupyter.domain.predictions import (
    Classification,
    FailedImage,
    PredictedImage,
    considered,
)
from picsellia_jupyter.domain.registry import label_name

Labels = Mapping[int, str]


def name_of(image: PredictedImage | FailedImage) -> str:
    """The name of its file, without the folder."""
    return printable(PurePath(image.source).name or image.source)


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


def short_text(image: PredictedImage, labels: Labels, threshold: float | None) -> str:
    """How much was found, in two words: `12 objects`."""
    if isinstance(image.found, Classification):
        return found_text(image, labels, threshold)
    return count(len(considered(image.found, threshold=threshold)), "object")


def alt_text(image: PredictedImage, labels: Labels, threshold: float | None) -> str:
    """What is to be seen, for those who cannot: how many of which label, and where not."""
    kept = considered(image.found, threshold=threshold)
    if isinstance(kept, Classification):
        return f"{name_of(image)}: classified as {found_text(image, labels, threshold)}"
    counts: Counter[str] = Counter()
    # Thousands of objects have few classes.
    for index, number in Counter(kept.classes.tolist()).items():
        counts[_label(labels, index)] += number
    listed = ", ".join(f"{number} of {label!r}" for label, number in counts.most_common(10))
    return f"{name_of(image)}: {found_text(image, labels, threshold)}" + (
        f": {listed}" if listed else ""
    )


def _label(labels: Labels, index: int) -> str:
    return brief(label_name(labels, index), most=40)
