"""PyTorch's files as modules; no way to unpickle anything lies here."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.errors import MissingExtraError, ModelLoadError, first_line
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.runtimes import architectures, torchvision_networks
from picsellia_jupyter.serving.runtimes.options import Options

_OLDEST = (2, 10)
"""Older ones have known holes in how they read weights (CVE-2026-24747)."""
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_DATA_PARALLEL = "module."
_TORCHVISION = ("torchvision::", "ops.torchvision")
"""How torch calls operators that it does not know before torchvision is imported."""


def load(torch: Any, path: Path, kind: ModelFormat, options: Options) -> Any:
    """The module in a file, on the CPU; for an exported one, the exported program.

    Raises:
        ModelLoadError: torch refuses it, or weights have no architecture that they fit.
    """
    try:
        return _load(torch, path, kind, options)
    except ModelLoadError:
        raise
    except pickle.UnpicklingError as error:
        raise ModelLoadError(
            f"The {kind.value} holds a pickle, which could run any code; it is not loaded.",
            "Export the model as ONNX: torch.onnx.export(model, (images,), 'model.onnx').",
        ) from error
    except Exception as error:  # torch raises whatever its archive readers raise
        raise ModelLoadError(
            f"torch cannot load the {kind.value}: {first_line(error)}",
            "Export it again with this machine's torch "
            f"({torch.__version__}), or as ONNX, which needs none.",
        ) from error


def _check_sums(path: Path, kind: ModelFormat) -> None:
    """Torch compares no checksums: it would serve a model with a wrong bit in its weights."""
    with zipfile.ZipFile(path) as archive:
        wrong = archive.testzip()
    if wrong:
        raise ModelLoadError(
            f"The {kind.value} is a broken zip archive: {wrong!r} has another checksum.",
            "Store it again.",
        )


def _load(torch: Any, path: Path, kind: ModelFormat, options: Options) -> Any:
    if kind is not ModelFormat.SAFETENSORS:
        _check_sums(path, kind)
    if kind in (ModelFormat.TORCH_EXPORT, ModelFormat.TORCHSCRIPT):
        try:
            return _program(torch, path, kind)
        except Exception as error:  # torch raises whatever its archive readers raise
            if not any(words in str(error) for words in _TORCHVISION):
                raise
            torchvision_networks.torchvision(f"The {kind.value} needs torchvision's own operators")
            return _program(torch, path, kind)
    module = architectures.build(options.architecture)
    read = _safetensors if kind is ModelFormat.SAFETENSORS else _state_dict
    _fill(module, _unwrapped(read(torch, path)))
    return module.eval()


def _program(torch: Any, path: Path, kind: ModelFormat) -> Any:
    if kind is ModelFormat.TORCH_EXPORT:
        # torch.export.load falls back to unpickling anything; the worker's environment forbids
        # that (see sandbox.py), and this file is loaded nowhere else.
        with path.open("rb") as stream:  # by name, it takes only files that end in .pt2
            return torch.export.load(stream)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(str(path), map_location="cpu").eval()


def _state_dict(torch: Any, path: Path) -> Mapping[str, Any]:
    if torch.torch_version.TorchVersion(torch.__version__) < _OLDEST:
        raise ModelLoadError(
            f"torch {torch.__version__} is too old to read weights safely.",
            "Install a newer one: pip install -U 'torch>=2.10'.",
        )
    return torch.load(path, map_location="cpu", weights_only=True)  # type: ignore[no-any-return]


def _safetensors(_torch: Any, path: Path) -> Mapping[str, Any]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingExtraError("Serving safetensors", "safetensors", "serving") from error
    return load_file(path, device="cpu")  # type: ignore[no-any-return]


def _unwrapped(raw: Any) -> Mapping[str, Any]:
    """Weights as the network itself names them, out of what training loops wrap them in."""
    for name in _WRAPPERS:
        if isinstance(raw, Mapping) and isinstance(raw.get(name), Mapping):
            raw = raw[name]
            break
    if (
        not isinstance(raw, Mapping)
        or not raw
        or not all(hasattr(v, "dtype") for v in raw.values())
    ):
        raise ModelLoadError(
            f"The file holds a {type(raw).__name__} that is no state dict.",
            "Store the weights alone: torch.save(model.state_dict(), path), or as safetensors.",
        )
    if all(name.startswith(_DATA_PARALLEL) for name in raw):
        return {name.removeprefix(_DATA_PARALLEL): tensor for name, tensor in raw.items()}
    return raw


def _fill(module: Any, weights: Mapping[str, Any]) -> None:
    try:
        module.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ModelLoadError(
            f"The weights do not fit {type(module).__name__}: {' '.join(lines[1:3])[:300]}",
            "Correct the architecture in serving.json, or store the weights that belong to it.",
        ) from error
