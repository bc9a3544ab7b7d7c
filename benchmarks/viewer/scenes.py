"""The photo and the boxes that everybody draws."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from picsellia_jupyter.domain.predictions import Detections

WIDTH, HEIGHT = 1920, 1080
NAMES = {index: f"class {index}" for index in range(10)}
THRESHOLD = 0.0
_FALL = 1.3
"""Exponent of the photo's spectrum."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A photo with so many boxes."""

    photo: bytes
    """JPEG, 1920 x 1080."""
    found: Detections


def scenes(counts: tuple[int, ...]) -> list[Scene]:
    """The same photo with more and more boxes."""
    photo = _photo()
    return [Scene(photo, _boxes(count)) for count in counts]


def _photo() -> bytes:
    """Noise whose power falls with its frequency, as a photo's does; 4.2 MB as PNG."""
    draws = np.random.default_rng(0)
    channels = [_noise(draws) for _ in range(3)]
    shared = _noise(draws)
    pixels = np.stack([0.9 * shared + 0.1 * channel for channel in channels], axis=2)
    low, high = np.percentile(pixels, (1, 99))
    scaled = np.clip((pixels - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(scaled).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _noise(draws: np.random.Generator) -> NDArray[np.float64]:
    frequencies = np.hypot(*np.meshgrid(np.fft.rfftfreq(WIDTH), np.fft.fftfreq(HEIGHT)))
    falling = np.maximum(frequencies, 1e-3) ** _FALL
    spectrum = np.fft.rfft2(draws.normal(size=(HEIGHT, WIDTH))) / falling
    return np.asarray(np.fft.irfft2(spectrum, (HEIGHT, WIDTH)))


def _boxes(count: int) -> Detections:
    draws = np.random.default_rng(count)
    sides = draws.uniform(20, 120, (count, 2))
    corners = draws.uniform(0, 1, (count, 2)) * ([WIDTH, HEIGHT] - sides)
    boxes = np.hstack([corners, corners + sides]).astype(np.float32)
    scores = draws.uniform(0.01, 1, count).astype(np.float32)
    return Detections(draws.integers(0, len(NAMES), count), scores, boxes)
