"""TorchScript and torch.export programs, run by torch."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    InvalidPredictionError,
    MissingExtraError,
    ModelLoadError,
)
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.signature import Outputs, TensorSignature, per_image
from picsellia_jupyter.serving.tensors import Tensors


class TorchRuntime:
    """A TorchScript or exported program on the CPU, one thread."""

    def __init__(self, path: Path, kind: ModelFormat) -> None:
        """Load it.

        Raises:
            ModelLoadError: torch refuses it.
        """
        torch = _torch()
        exported = kind is ModelFormat.TORCH_EXPORT
        try:
            self._model = _exported(torch, path) if exported else _scripted(torch, path)
        except pickle.UnpicklingError as error:
            raise ModelLoadError(
                f"The {kind.value} holds a pickle, which could run any code; it is not loaded.",
                "Export the model as ONNX: torch.onnx.export(model, (images,), 'model.onnx').",
            ) from error
        except Exception as error:  # torch raises whatever its archive readers raise
            raise ModelLoadError(
                f"torch cannot load the {kind.value}: {_first_line(error)}",
                "Export it again with this machine's torch "
                f"({torch.__version__}), or as ONNX, which needs none.",
            ) from error
        self._torch = torch
        self.title = f"torch {torch.__version__} ({kind.value}, CPU)"

    @property
    def signature(self) -> None:
        """Unknown: these programs do not tell it in one form; serving.json does."""
        return

    @property
    def inputs(self) -> tuple[TensorSignature, ...]:
        """Unknown, like its signature."""
        return ()

    @property
    def outputs(self) -> tuple[TensorSignature, ...]:
        """Unknown, like its signature."""
        return ()

    def infer(self, tensors: Tensors) -> Tensors:
        """Its own outputs for its own inputs, in the order they are given.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """
        torch = self._torch
        try:
            with torch.inference_mode():
                given = [torch.from_numpy(np.array(one)) for one in tensors.values()]
                return _named(self._model(*given))
        except Exception as error:  # torch raises whatever the program does
            raise InvalidInputError(
                f"The model cannot take these tensors: {_first_line(error)}",
                "Send them in the order of its own arguments.",
            ) from error

    def run(self, batch: NDArray[np.float32]) -> Sequence[Outputs]:
        """Outputs of every image of a batch (N, C, H, W); a tuple's are `output_0` and so on."""
        with self._torch.inference_mode():
            return per_image(_named(self._model(self._torch.from_numpy(batch))), len(batch))


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("Serving a PyTorch model", "torch", "serving") from error
    torch.set_num_threads(1)
    return torch


def _exported(torch: Any, path: Path) -> Callable[[Any], Any]:
    # torch.export.load falls back to unpickling anything; the worker's environment forbids
    # that (see sandbox.py), and this file is loaded nowhere else.
    with path.open("rb") as stream:  # by name, it takes only files that end in .pt2
        module: Callable[[Any], Any] = torch.export.load(stream).module()
    return module


def _scripted(torch: Any, path: Path) -> Callable[[Any], Any]:
    module: Any = torch.jit.load(str(path), map_location="cpu")
    return module.eval()  # type: ignore[no-any-return]


def _named(value: Any) -> Mapping[str, NDArray[np.generic]]:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, tuple | list):
        value = {f"output_{index}": item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        value = {"output_0": value}
    if not all(hasattr(item, "numpy") for item in value.values()):
        raise InvalidPredictionError(
            "The model returns something that is no tensor.",
            "Have it return tensors: one, a tuple, or a dict of them.",
        )
    return {str(name): item.float().numpy() for name, item in value.items()}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
