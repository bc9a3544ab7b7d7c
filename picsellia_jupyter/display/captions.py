"""What is said of a predicted image: its caption, and its picture in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath

from picsellia_jupyter.display.units import brief, count, milliseconds, printable
from picsellia_jupyter.domain.predictions import (
    Classification,
    FailedImage,
    ImageSize,
    PredictedImage,
    considered,
)
from picsellia_jupyter.domain.registry import label_name

Labels = Mapping[int, str]
_MOST_TAGS = 10
_LEAST_SAVED, _MOST_WIDE, _MOST_PIXELS = 480, 1280, 1.2e8
"""Of a picture that the viewer saves; `save` in viewer.js has the same."""


def name_of(image: PredictedImage | FailedImage) -> str:
    """The name of its file, without the folder."""
    return printable(PurePath(image.source).name or image.source)


def caption_text(image: PredictedImage, labels: Labels, threshold: float | None) -> str:
    """What a predicted image shows, in one line: name, size, objects, latency, tags."""
    size = f"{image.size.width} × {image.size.height} px"  # noqa: RUF001 - the sign for "by"
    found = found_text(image, labels, threshold)
    parts = [name_of(image), size, found, milliseconds(image.latency_s)]
    if image.tags:
        shown = ", ".join(brief(tag, most=40) for tag in image.tags[:_MOST_TAGS])
        more = len(image.tags) - _MOST_TAGS
        parts.append(f"tags: {shown}" + (f" and {more:,} more" if more > 0 else ""))
    return " · ".join(parts)


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


def saved_text(size: ImageSize, held: ImageSize | None) -> str:
    """What the viewer's button saves: a picture in the photo's own pixels.

    Args:
        size: of the upright photo.
        held: its size in the output, from which it is enlarged; None where it is linked.
    """
    wide = min(max((held or size).width, _LEAST_SAVED), _MOST_WIDE)
    room = (_MOST_PIXELS / size.width / size.height) ** 0.5
    scale = min(max(1.0, wide / size.width), room)
    width, height = int(size.width * scale), int(size.height * scale)
    told = f"As it is shown, the photo at {width} × {height} px"  # noqa: RUF001
    if held is None:
        return f"{told}; browsers refuse it on pages opened as files"
    if held.width >= width:
        return told
    return f"{told}, enlarged from {held.width} × {held.height}"  # noqa: RUF001


def _label(labels: Labels, index: int) -> str:
    return brief(label_name(labels, index), most=40)
