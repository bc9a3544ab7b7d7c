"""What runs a model; which one is decided by the content of its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.serving.gate import ModelFormat, recognise
from picsellia_jupyter.serving.signature import InputSignature, Outputs, TensorSignature
from picsellia_jupyter.serving.tensors import Tensors


class Runtime(Protocol):
    """A loaded model."""

    @property
    def title(self) -> str:
        """What runs it, in words: `onnxruntime 1.31 (CPU)`."""

    @property
    def signature(self) -> InputSignature | None:
        """What it takes; None where the file does not tell."""

    @property
    def inputs(self) -> tuple[TensorSignature, ...]:
        """The tensors it takes, in its own terms; empty where the file does not tell."""

    @property
    def outputs(self) -> tuple[TensorSignature, ...]:
        """The tensors it gives, in its own terms; empty where the file does not tell."""

    def infer(self, tensors: Tensors) -> Tensors:
        """Its own outputs for its own inputs, nothing converted.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """

    def run(self, batch: NDArray[np.float32]) -> Sequence[Outputs]:
        """Outputs of every image of a batch (N, C, H, W), in its order."""


def load(path: Path) -> Runtime:
    """Load a model file.

    Raises:
        ModelLoadError: its content is none that can be loaded safely, or is broken.
    """
    kind = recognise(path)
    if kind is ModelFormat.ONNX:
        from picsellia_jupyter.serving.runtimes import onnx

        return onnx.OnnxRuntime(path)
    from picsellia_jupyter.serving.runtimes import torch

    return torch.TorchRuntime(path, kind)
