"""TensorFlow's and Keras' files as functions of one image batch."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.errors import ModelLoadError, first_line
from picsellia_jupyter.serving import archives
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.signature import TensorSignature

_OLDEST_KERAS = (3, 13, 2)
"""Safe mode of older ones can be got round (CVE-2026-1462)."""
_SIGNATURE = "serving_default"


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """What a file holds, ready to be called."""

    call: Callable[..., Any]
    """Takes tensors by name and gives a dict of them."""
    inputs: tuple[TensorSignature, ...]
    outputs: tuple[TensorSignature, ...]
    kept: object
    """Whose variables the function uses: they go when it goes."""


def load(tensorflow: Any, path: Path, kind: ModelFormat) -> Function:
    """The function in a file.

    Raises:
        ModelLoadError: TensorFlow or Keras refuses the file, or it has no signature.
    """
    read = _keras if kind is ModelFormat.KERAS else _saved_model
    try:
        # Both insist on names: a folder, or a file that ends in .keras.
        with tempfile.TemporaryDirectory(prefix="picsellia-") as folder:
            return read(tensorflow, path, Path(folder))
    except ModelLoadError:
        raise
    except Exception as error:  # they raise whatever their readers raise
        raise ModelLoadError(
            f"TensorFlow {tensorflow.__version__} cannot load the {kind.value}: "
            f"{first_line(error)}",
            "Layers with code of their own are never run here; export the model as a "
            "SavedModel, model.export(folder), or as ONNX.",
        ) from error


def _keras(tensorflow: Any, path: Path, folder: Path) -> Function:
    import keras

    _check_version(keras.__version__)
    named = folder / "model.keras"
    shutil.copyfile(path, named)
    model = keras.saving.load_model(named, compile=False, safe_mode=True)
    names = [f"output_{index}" for index in range(len(model.outputs))]
    by_name = dict(zip(names, model.outputs, strict=True))

    @tensorflow.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def call(**given: Any) -> Any:
        found = model(*given.values(), training=False)
        return dict(zip(names, tensorflow.nest.flatten(found), strict=True))

    return Function(
        call,
        tuple(_tensor(tensor.name, tensor) for tensor in model.inputs),
        tuple(_tensor(name, tensor) for name, tensor in by_name.items()),
        model,
    )


def _check_version(version: str) -> None:
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    if numbers < _OLDEST_KERAS:
        raise ModelLoadError(
            f"keras {version} is too old to load a file safely.",
            "Install a newer one: pip install -U 'keras>=3.13.2'.",
        )


def _saved_model(tensorflow: Any, path: Path, folder: Path) -> Function:
    with zipfile.ZipFile(path) as archive:
        archives.check(archive)
        archive.extractall(folder)
    (graph,) = (*folder.glob("saved_model.pb"), *folder.glob("*/saved_model.pb"))
    loaded = tensorflow.saved_model.load(str(graph.parent))
    call = _signature(loaded.signatures)
    _, inputs = call.structured_input_signature
    return Function(call, _tensors(inputs), _tensors(call.structured_outputs), loaded)


def _signature(signatures: Mapping[str, Any]) -> Any:
    if _SIGNATURE in signatures:
        return signatures[_SIGNATURE]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    raise ModelLoadError(
        f"The SavedModel has the signatures {', '.join(signatures) or 'none'}.",
        f"Export it with one called {_SIGNATURE!r}: model.export(folder).",
    )


def _tensors(specs: Mapping[str, Any]) -> tuple[TensorSignature, ...]:
    return tuple(_tensor(name, spec) for name, spec in specs.items())


def _tensor(name: str, spec: Any) -> TensorSignature:
    dtype = spec.dtype if isinstance(spec.dtype, str) else spec.dtype.name
    return TensorSignature(name, dtype, _sides(spec.shape))


def _sides(shape: Any) -> tuple[int | None, ...]:
    if getattr(shape, "rank", 0) is None:
        return ()
    sides: Sequence[int | None] = tuple(shape)
    return tuple(side if side is None else int(side) for side in sides)
