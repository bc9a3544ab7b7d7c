"""ONNX models, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    MissingExtraError,
    ModelLoadError,
)
from picsellia_jupyter.serving.signature import (
    InputSignature,
    Outputs,
    TensorSignature,
    per_image,
)
from picsellia_jupyter.serving.tensors import Tensors

_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
_INPUT_TYPES: Mapping[str, type[np.floating[Any]]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}


class OnnxRuntime:
    """An ONNX model on the CPU, one thread."""

    def __init__(self, path: Path) -> None:
        """Load it.

        Raises:
            ModelLoadError: onnxruntime refuses it, or it takes more than one image tensor.
        """
        ort = _onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # A model may name other files as its weights. Loaded from bytes it finds them in the
        # working directory, unless it is sent to where there are none.
        options.add_session_config_entry(_WEIGHTS_FOLDER, "/dev/null")
        try:
            self._session = ort.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no base class
            raise ModelLoadError(
                f"onnxruntime cannot load the model: {_first_line(error)}",
                "Export it again with its weights inside the file: "
                "torch.onnx.export(…, external_data=False).",
            ) from error
        self._input, self._dtype = _image_input(self._session.get_inputs())
        self.inputs = tuple(map(_tensor, self._session.get_inputs()))
        self.outputs = tuple(map(_tensor, self._session.get_outputs()))
        self._signature = _signature(self._input)
        self._names = [output.name for output in self._session.get_outputs()]
        self.title = f"onnxruntime {ort.__version__} (CPU)"

    @property
    def signature(self) -> InputSignature:
        """What it takes, as its file tells."""
        return self._signature

    def run(self, batch: NDArray[np.float32]) -> Sequence[Outputs]:
        """Outputs of every image of a batch (N, C, H, W)."""
        outputs = self._run({self._input.name: batch.astype(self._dtype, copy=False)})
        return per_image(outputs, len(batch))

    def infer(self, tensors: Tensors) -> Tensors:
        """Its own outputs for its own inputs, nothing converted.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """
        try:
            return self._run(tensors)
        except Exception as error:  # onnxruntime's errors share no base class
            raise InvalidInputError(
                f"The model cannot take these tensors: {_first_line(error)}",
                f"It takes {self.inputs}.",
            ) from error

    def _run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        values = self._session.run(None, dict(tensors))
        return dict(zip(self._names, map(np.asarray, values), strict=True))


def _tensor(node: Any) -> TensorSignature:
    dtype = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(side if isinstance(side, int) else None for side in node.shape)
    return TensorSignature(
        node.name, {"float": "float32", "double": "float64"}.get(dtype, dtype), shape
    )


def _signature(taken: Any) -> InputSignature:
    if len(taken.shape) != 4:
        raise ModelLoadError(
            f"The model's input has {len(taken.shape)} dimensions, not 4.",
            "Export it with one input of shape (N, C, H, W).",
        )
    batch, channels, height, width = (s if isinstance(s, int) else None for s in taken.shape)
    return InputSignature(taken.name, batch, channels, height, width)


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("Serving an ONNX model", "onnxruntime", "serving") from error
    onnxruntime.set_default_logger_severity(3)
    return onnxruntime


def _image_input(inputs: list[Any]) -> tuple[Any, type[np.floating[Any]]]:
    if len(inputs) != 1:
        raise ModelLoadError(
            f"The model takes {len(inputs)} inputs: {', '.join(i.name for i in inputs)}.",
            "Export it with one, the image batch (N, C, H, W).",
        )
    if inputs[0].type not in _INPUT_TYPES:
        raise ModelLoadError(
            f"The model's input {inputs[0].name!r} is {inputs[0].type}.",
            "Export it with a float input.",
        )
    return inputs[0], _INPUT_TYPES[inputs[0].type]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
