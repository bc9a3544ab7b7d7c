"""How unlike its training images an image is: the error of a small auto-encoder.

Fitted with torch in a program of its own; run here in numpy, which takes milliseconds an image
and lets the platform score images without torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError

SIDE = 32
"""Pixels a side that images are shrunk to."""
CHANNELS = 3
Layer = tuple[str, int, int, int, bool]
LAYERS: tuple[Layer, ...] = (
    ("encode1", CHANNELS, 16, 2, False),
    ("encode2", 16, 32, 2, False),
    ("encode3", 32, 4, 1, False),
    ("decode1", 4, 32, 1, False),
    ("decode2", 32, 16, 1, True),
    ("decode3", 16, CHANNELS, 1, True),
)
"""Name, channels in and out, stride, and whether what comes in is doubled in size; each is a
3 x 3 convolution. The narrowest place holds 256 numbers of an image's 3,072."""
_ENCODING = 3
"""Layers down to there."""
EMBEDDING = 256
LEAK = 0.1
"""Slope below zero: plain rectifiers die in so narrow a net, and it learns the mean image."""
_AT_ONCE = 64
Weights = Mapping[str, NDArray[np.float32]]
"""`{layer}.weight` (out, in, 3, 3) and `{layer}.bias` (out,)."""


@dataclass(frozen=True, slots=True, eq=False)
class OutlierModel:
    """A fitted auto-encoder and the error beyond which an image is an outlier."""

    weights: Weights
    threshold: float

    def __post_init__(self) -> None:
        for name, inside, outside, _stride, _doubled in LAYERS:
            found = self.weights.get(f"{name}.weight")
            if found is None or found.shape != (outside, inside, 3, 3):
                raise InvalidInputError(
                    f"The auto-encoder has no {name}.weight of shape {(outside, inside, 3, 3)}.",
                    "Fit it again.",
                )


def errors(weights: Weights, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean squared difference between images and their reconstructions.

    Args:
        weights: of a fitted auto-encoder.
        images: (N, SIDE, SIDE, 3) RGB.

    Returns:
        (N,) in [0, 1]: pixels are taken as 0 to 1.

    Raises:
        InvalidInputError: the images have another shape.
    """
    if images.shape[1:] != (SIDE, SIDE, CHANNELS):
        raise InvalidInputError(
            f"The images have shape {images.shape}.", f"Shrink them to {SIDE} x {SIDE} RGB."
        )
    parts = [_errors(weights, images[k : k + _AT_ONCE]) for k in range(0, len(images), _AT_ONCE)]
    return np.concatenate([np.zeros(0), *parts])


def threshold_of(held_out: NDArray[np.float64], contamination: float) -> float:
    """The error that a share of the training images exceeds.

    Args:
        held_out: (N,) errors of training images that the model was not fitted on.
        contamination: that share, in (0, 0.5].

    Raises:
        InvalidInputError: it is no such share.
    """
    if not 0 < contamination <= 0.5:
        raise InvalidInputError(
            f"contamination is {contamination:g}, not over 0 and at most 0.5.",
            "0.05 calls one training image in twenty an outlier.",
        )
    return float(np.quantile(held_out, 1 - contamination))


def _errors(weights: Weights, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    pixels = images.astype(np.float32).transpose(0, 3, 1, 2) / np.float32(255)
    differences = reconstructed(weights, pixels) - pixels
    squares: NDArray[np.float64] = (differences.astype(np.float64) ** 2).mean(axis=(1, 2, 3))
    return squares


def reconstructed(weights: Weights, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3, SIDE, SIDE) images in [0, 1] as the auto-encoder gives them back."""
    found = _through(weights, pixels, LAYERS)
    return np.asarray(1 / (1 + np.exp(-np.clip(found, -60, 60))), np.float32)


def embedded(weights: Weights, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """(N, 256) numbers of the narrowest place: what the auto-encoder keeps of each image.

    Args:
        weights: of a fitted auto-encoder.
        images: N of (SIDE, SIDE, 3) RGB.
    """
    if not images:
        return np.zeros((0, EMBEDDING), np.float32)
    pixels = np.stack(images).astype(np.float32).transpose(0, 3, 1, 2) / np.float32(255)
    return _through(weights, pixels, LAYERS[:_ENCODING]).reshape(len(images), -1)


def _through(
    weights: Weights, pixels: NDArray[np.float32], layers: Sequence[Layer]
) -> NDArray[np.float32]:
    found = pixels
    for name, _inside, _outside, stride, doubled in layers:
        if doubled:
            found = found.repeat(2, axis=2).repeat(2, axis=3)
        found = _convolved(found, weights[f"{name}.weight"], weights[f"{name}.bias"], stride)
        if name != LAYERS[-1][0]:
            found = np.where(found > 0, found, found * np.float32(LEAK))
    return found


def _convolved(
    images: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32], stride: int
) -> NDArray[np.float32]:
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    patches = patches[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
    flat = patches.reshape(*patches.shape[:3], -1)
    found = flat @ weight.reshape(len(weight), -1).T + bias
    moved: NDArray[np.float32] = found.transpose(0, 3, 1, 2)
    return moved
