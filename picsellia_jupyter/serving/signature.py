"""What a loaded model takes and gives, whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError

Outputs = Mapping[str, NDArray[np.generic]]
"""A model's outputs for one image, by name, in the model's order.

What the model gives for a batch keeps its first dimension, which is 1 then; what it gives for
each image by itself, such as torchvision's dicts, has none.
"""


@dataclass(frozen=True, slots=True)
class InputSignature:
    """The one image tensor that a model takes; None stands for any size."""

    name: str = "images"
    batch: int | None = None
    channels: int | None = None
    height: int | None = None
    """Pixels."""
    width: int | None = None
    """Pixels."""
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    """How the model itself wants it; a runtime is always handed (N, C, H, W)."""
    dtype: str = "float32"
    """What the model itself wants, a numpy name; a runtime is always handed float32."""
    alone: bool = False
    """Whether it takes one image without a batch, such as (C, H, W)."""
    resizes: bool = False
    """Whether it takes photos of any size and resizes them itself."""


@dataclass(frozen=True, slots=True)
class TensorSignature:
    """A tensor that a model takes or gives, in its own terms."""

    name: str
    dtype: str
    """A numpy name: `float32`, `uint8`."""
    shape: tuple[int | None, ...]
    """None for any size."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a worker says of the model that it has loaded."""

    runtime: str
    """What runs it, in words: `onnxruntime 1.31 (CPU)`."""
    device: str = "cpu"
    """`cpu` or `cuda:0`."""
    precision: str = "fp32"
    """`fp32`, `fp16` or `bf16`."""
    sandbox: str = "process"
    """How the worker is confined: `full` or `process`."""
    head: str = ""
    """What reads its outputs."""
    notes: tuple[str, ...] = ()
    """What was assumed of it, since neither it nor serving.json tells: one sentence each."""
    labels: tuple[int, ...] = ()
    """Indices of all labels that it may give; empty where its outputs do not tell."""
    inputs: tuple[TensorSignature, ...] = ()
    outputs: tuple[TensorSignature, ...] = ()
    batch: int = 1
    """The largest batch that pays."""
    memory_bytes: int = 0
    """Of the worker with the model, resident; of the device's memory where it is on one."""


def per_image(outputs: Outputs, count: int) -> list[Outputs]:
    """Outputs of a batch of `count` images, taken apart.

    Args:
        outputs: arrays that all have the batch as their first dimension; those of a single
            image may have another one, and are passed on as they are.
        count: images in the batch.

    Raises:
        InvalidPredictionError: an output is not one of every image.
    """
    if count == 1:
        return [outputs]
    for name, array in outputs.items():
        if array.shape[:1] != (count,):
            raise InvalidPredictionError(
                f"The model's {name!r} has shape {array.shape} for {count} images.",
                "Export it so that every output has the batch as its first dimension.",
            )
    return [{name: array[k : k + 1] for name, array in outputs.items()} for k in range(count)]
