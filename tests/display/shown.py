"""Predicted images with photos, ready to be shown."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from picsellia_jupyter.display.embedding import Shown
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage, Prediction

NAMES = {0: "zero", 1: "one"}
GREY = (128, 128, 128)


def photo(width: int = 640, height: int = 480, kind: str = "JPEG", **how) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), GREY).save(stream, kind, **how)
    return stream.getvalue()


def boxes(*scores: float, left: float = 100) -> Detections:
    """One box a score, all in one place; the first of class 0, the others of class 1."""
    n = len(scores)
    box = np.array([left, 100, left + 100, 200], np.float32)
    return Detections(
        np.minimum(np.arange(n), 1), np.array(scores, np.float32), np.tile(box, (n, 1))
    )


def shown(
    source: str = "pages/page.jpg",
    found: Prediction | None = None,
    encoded: bytes | None = None,
    size: ImageSize = ImageSize(640, 480),  # noqa: B008 - a frozen value
    **others: Prediction,
) -> Shown:
    image = PredictedImage(source, size, boxes(0.2, 0.5, 0.9) if found is None else found, 0.0042)
    content = photo(size.width, size.height) if encoded is None else encoded
    return Shown(image, lambda: content, address=f"../{source}", **others)
