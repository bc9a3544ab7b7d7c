"""The photo, the shapes and the layers that the browser tests show in the viewer."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from picsellia_jupyter.display.viewer import Layer
from picsellia_jupyter.domain.predictions import Detections, Prediction
from tests.display.one_image import viewer_html

NAMES = {0: "car", 1: "bus", 2: "bicycle"}
GREY = (128, 128, 128)


def photo(width: int = 640, height: int = 480) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), GREY).save(stream, "JPEG")
    return stream.getvalue()


def heads(*scores: float, classes=None) -> dict:
    return {
        "classes": np.array(classes or [0] * len(scores), np.int64),
        "scores": np.array(scores, np.float32),
    }


def boxes(*rows, scores=None, classes=None) -> Detections:
    found = heads(*(scores or [0.9] * len(rows)), classes=classes)
    return Detections(**found, boxes_xyxy=np.array(rows, np.float32).reshape(-1, 4))


def html(found: Prediction, *more: Layer, threshold: float | None = 0.3) -> str:
    layers = [Layer("champion", "champion", found), *more]
    return viewer_html(photo(), layers, NAMES, threshold=threshold)


def near(seen: tuple[int, int, int], wanted: tuple[int, int, int], *, by: int = 6) -> bool:
    return max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) <= by


THREE = boxes(
    (100, 100, 200, 200), (300, 100, 400, 200), (120, 120, 160, 160),
    scores=[0.9, 0.5, 0.2], classes=[0, 1, 2],
)  # fmt: skip


def truth(*rows, classes=None) -> Layer:
    return Layer("ground truth", "truth", boxes(*rows, classes=classes))
