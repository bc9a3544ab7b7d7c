"""Predictions on photos of one colour each, so that every pixel of a picture is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.handles.predictions import Predictions

WIDTH, HEIGHT = 640, 480
BOX = (160, 120, 480, 360)
"""In each photo: left, top, right, bottom of its first box, in quarters of the photo."""
LABELS = {0: "crack", 1: "dent"}
COLOURS = {0: (0, 114, 178), 1: (230, 159, 0)}
"""Of the labels, as palette.py has them."""


def shade(number: int) -> tuple[int, int, int]:
    """The colour of a photo."""
    return 200, 60 + number, 200


def scores(number: int) -> list[float]:
    """The first is of the large box; every third photo has two more, small ones."""
    first = 0.95 - 0.05 * number
    return [first, 0.5, 0.2] if number % 3 == 0 else [first]


def gallery(folder: str | Path, count: int = 12, *, threshold: float = 0.3) -> Predictions:
    """Predictions on `count` photos, which are written to a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    items = [_item(Path(folder) / f"part-{number:03}.jpg", number) for number in range(count)]
    return Predictions(items, (), labels=LABELS, threshold=threshold)


def _item(path: Path, number: int) -> PredictedImage:
    if not path.exists():
        Image.new("RGB", (WIDTH, HEIGHT), shade(number)).save(path, quality=95)
    given = np.clip(scores(number), 0.01, 1)
    boxes = np.array([BOX, (10, 10, 60, 60), (500, 400, 560, 460)], np.float32)[: len(given)]
    found = Detections(np.minimum(np.arange(len(given)), 1), given.astype(np.float32), boxes)
    return PredictedImage(str(path), ImageSize(WIDTH, HEIGHT), found, 0.01)
