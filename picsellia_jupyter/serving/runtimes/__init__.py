"""What runs a model; which one is decided by the content of its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.serving.gate import ModelFormat, recognise
from picsellia_jupyter.serving.runtimes.options import DEFAULT, Options
from picsellia_jupyter.serving.signature import InputSignature, Outputs, TensorSignature
from picsellia_jupyter.serving.tensors import Tensors


class Runtime(Protocol):
    """A loaded model. One thread at a time."""

    @property
    def title(self) -> str:
        """What runs it, in words: `onnxruntime 1.31 (CPU)`."""

    @property
    def device(self) -> str:
        """Where it runs: `cpu` or `cuda:0`."""

    @property
    def precision(self) -> str:
        """`fp32`, `fp16` or `bf16`."""

    @property
    def signature(self) -> InputSignature | None:
        """What it takes; None where the file does not tell."""

    @property
    def inputs(self) -> tuple[TensorSignature, ...]:
        """The tensors it takes, in its own terms; complete once it is tuned."""

    @property
    def outputs(self) -> tuple[TensorSignature, ...]:
        """The tensors it gives, in its own terms; likewise."""

    def tune(self, image: NDArray[np.float32]) -> None:
        """Find the fastest way to run it whose outputs stay as they are. Called once.

        Args:
            image: a made-up one, (1, C, H, W).

        Raises:
            ModelLoadError: the model fails on it.
        """

    def infer(self, tensors: Tensors) -> Tensors:
        """Its own outputs for its own inputs, nothing converted.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """

    def run(self, batch: NDArray[np.float32]) -> Sequence[Outputs]:
        """Outputs of every image of a batch (N, C, H, W), in its order.

        Raises:
            OutOfMemoryError: the batch does not fit into the device's memory.
        """

    def memory_bytes(self) -> int:
        """Of the device where it runs on one, of this process where not."""


def load(path: Path, options: Options = DEFAULT) -> Runtime:
    """Load a model file.

    Raises:
        ModelLoadError: its content is none that can be loaded safely, or is broken, or the
            device that is asked for is not there.
        MissingExtraError: the package that runs it is not installed.
    """
    return load_as(recognise(path), path, options)


def load_as(kind: ModelFormat, path: Path, options: Options) -> Runtime:
    """Load a model file whose format is known."""
    if kind is ModelFormat.ONNX:
        from picsellia_jupyter.serving.runtimes import onnx

        return onnx.OnnxRuntime(path, options)
    if kind in (ModelFormat.KERAS, ModelFormat.SAVED_MODEL):
        from picsellia_jupyter.serving.runtimes import tensorflow

        return tensorflow.TensorFlowRuntime(path, kind, options)
    from picsellia_jupyter.serving.runtimes import torch

    return torch.TorchRuntime(path, kind, options)
