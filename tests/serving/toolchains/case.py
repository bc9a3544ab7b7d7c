"""One toolchain, task and form of outputs, to be exported and served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains.view import View

ONNX, TORCHSCRIPT, TORCH_EXPORT = "ONNX", "TorchScript", "torch.export"
FORMATS = (ONNX, TORCHSCRIPT, TORCH_EXPORT)


@dataclass(frozen=True)
class Expected:
    """What a case's model finds in the photo, worked out without our heads."""

    classes: Sequence[int]
    scores: Sequence[float]
    boxes: np.ndarray | None = None
    """(N, 4) left, top, right, bottom in pixels of the photo."""
    masks: Sequence[np.ndarray] = ()
    """(H, W) pixels of the photo each."""
    paths: np.ndarray | None = None
    """(N, K, 2 or 3) or (N, 2) coordinates in pixels of the photo."""


@dataclass(frozen=True)
class Case:
    """What is exported, how it is to be read, and what comes of it."""

    toolchain: str
    task: str
    outputs: str
    """Their form, as the table tells it."""
    kind: InferenceType
    labels: int
    make: Callable[[], Any]
    """The eager torch module, with fixed weights."""
    expected: Callable[[Mapping[str, np.ndarray], View], Expected]
    """From the eager module's own outputs."""
    view: View = field(default_factory=View)
    names: tuple[str, ...] = ("output0",)
    """Of the outputs in ONNX; TorchScript and torch.export have those of the module."""
    formats: tuple[str, ...] = FORMATS
    beside: Callable[[View], Mapping[str, np.ndarray]] | None = None
    """What the model takes beside the photo, by name."""
    real: bool = False
    """Whether the toolchain's own code made the model; else a module of the same contract."""
    needs: str | None = None
    """What has to be installed for it."""
    said: Mapping[str, Any] | None = None
    """serving.json, where the outputs alone do not tell."""
    export: Callable[[Case, str, Path], Path] | None = None
    """Writes the model in a format, where that is none of torch's."""
    run: Callable[[Case], Mapping[str, np.ndarray]] | None = None
    """The eager model's own outputs for the photo, where it is none of torch's."""

    @property
    def name(self) -> str:
        return f"{self.toolchain} {self.task} {self.outputs}".replace("/", "-")
