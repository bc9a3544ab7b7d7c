"""ONNX models, run by onnxruntime."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    MissingExtraError,
    ModelLoadError,
    first_line,
)
from picsellia_jupyter.serving.runtimes import layouts
from picsellia_jupyter.serving.runtimes.memory import OutOfMemoryError, resident_bytes
from picsellia_jupyter.serving.runtimes.options import Options
from picsellia_jupyter.serving.signature import Outputs, TensorSignature
from picsellia_jupyter.serving.tensors import Tensors

_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
_SPINNING = "session.intra_op.allow_spinning"
_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_NUMPY_NAMES = {"float": "float32", "double": "float64"}
_UNKNOWN_OPERATOR = re.compile(r"([\w.-]*:\w+)\(-?\d+\) is not a registered function/op")
_OUT_OF_MEMORY = ("Failed to allocate memory", "CUDA failure 2:", "out of memory")


class OnnxRuntime:
    """An ONNX model on the CPU or a GPU."""

    def __init__(self, path: Path, options: Options) -> None:
        """Load it.

        Raises:
            ModelLoadError: onnxruntime refuses it, it takes what no photo tells, or
                the device that is asked for is not there.
        """
        ort = _onnxruntime()
        self.device = _device(ort, options.device)
        self._session = self._opened(ort, path, options)
        self.inputs = tuple(map(_tensor, self._session.get_inputs()))
        self.outputs = tuple(map(_tensor, self._session.get_outputs()))
        self.signature, self._others = layouts.image_among(self.inputs)
        self._names = [output.name for output in self.outputs]
        self.precision = "fp16" if self.signature.dtype == "float16" else "fp32"
        place = "CPU" if self.device == "cpu" else self.device
        self.title = f"onnxruntime {ort.__version__} ({place}{self._unlike(options.precision)})"

    def tune(self, image: NDArray[np.float32]) -> None:
        """Run it once; onnxruntime has optimised the graph already.

        Raises:
            ModelLoadError: the model fails on it.
        """
        try:
            self.run(image)
        except Exception as error:  # onnxruntime's errors share no base class
            raise ModelLoadError(
                f"The model fails on an image {image.shape}: {first_line(error)}",
                "Correct input.width and input.height in serving.json, or export it again.",
            ) from error

    def run(self, batch: NDArray[np.float32]) -> Sequence[Outputs]:
        """Outputs of every image of a batch (N, C, H, W)."""
        return layouts.in_batches_of(self.signature.batch, batch, self._images)

    def infer(self, tensors: Tensors) -> Tensors:
        """Its own outputs for its own inputs, nothing converted.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """
        try:
            return self._run(tensors)
        except OutOfMemoryError:
            raise
        except Exception as error:  # onnxruntime's errors share no base class
            raise InvalidInputError(
                f"The model cannot take these tensors: {first_line(error)}",
                f"It takes {self.inputs}.",
            ) from error

    def memory_bytes(self) -> int:
        """Of this process: onnxruntime does not tell how much of a GPU it takes."""
        return resident_bytes()

    def _images(self, batch: NDArray[np.float32]) -> Outputs:
        image = {self.signature.name: layouts.fed(batch, self.signature)}
        return self._run({**image, **layouts.beside(self._others, batch)})

    def _run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        try:
            values = self._session.run(None, dict(tensors))
        except Exception as error:
            if any(said in str(error) for said in _OUT_OF_MEMORY):
                count = len(next(iter(tensors.values()), ()))
                raise OutOfMemoryError(self.device, count) from error
            raise
        return dict(zip(self._names, map(np.asarray, values), strict=True))

    def _opened(self, ort: Any, path: Path, options: Options) -> Any:
        try:
            session = ort.InferenceSession(
                path.read_bytes(), _session_options(ort, options), providers=self._providers()
            )
        except Exception as error:  # onnxruntime's errors share no base class
            raise _unloadable(first_line(error)) from error
        # It takes the CPU without a word where the GPU's libraries cannot be loaded.
        if self.device == "cpu" or session.get_providers()[0] == _CUDA:
            return session
        if options.device != "auto":
            raise _no_gpu(self.device, session.get_providers())
        self.device = "cpu"
        return session

    def _providers(self) -> list[object]:
        # The CPU is always among them: some operators run nowhere else.
        return [_CPU] if self.device == "cpu" else [(_CUDA, _cuda_options(self.device)), _CPU]

    def _unlike(self, precision: str) -> str:
        """Words for a precision that was asked for and is not the file's own."""
        if precision in ("auto", self.precision):
            return ""
        return f", {self.precision} as in its file, not {precision}"


def _unloadable(said: str) -> ModelLoadError:
    """The refusal of a model, by what onnxruntime says of it."""
    if unknown := _UNKNOWN_OPERATOR.search(said):
        return ModelLoadError(
            f"The model needs the operator {unknown[1]}, which onnxruntime does not have.",
            "Export it with ONNX's own operators; libraries of others are never loaded here.",
        )
    what = "it keeps weights in another file" if "xternal data" in said else "it cannot be read"
    return ModelLoadError(
        f"onnxruntime cannot load the model, {what}: {said}",
        "Export it again with its weights inside the file: "
        "torch.onnx.export(…, external_data=False).",
    )


def _session_options(ort: Any, options: Options) -> Any:
    made = ort.SessionOptions()
    made.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    made.intra_op_num_threads = options.threads
    made.inter_op_num_threads = 1
    if options.threads > 1:
        # Threads that wait by spinning take the cores that photos are decoded on.
        made.add_session_config_entry(_SPINNING, "0")
    # A model may name other files as its weights. Loaded from bytes it finds them in the
    # working directory, unless it is sent to where there are none.
    made.add_session_config_entry(_WEIGHTS_FOLDER, "/dev/null")
    return made


def _cuda_options(device: str) -> Mapping[str, str]:
    return {
        "device_id": device.partition(":")[2] or "0",
        # The arena doubles otherwise, and a batch that is a bit larger takes what others need.
        "arena_extend_strategy": "kSameAsRequested",
        # An exhaustive search is made anew for every size of batch and image.
        "cudnn_conv_algo_search": "HEURISTIC",
        "cudnn_conv_use_max_workspace": "1",
        "do_copy_in_default_stream": "1",
    }


def _device(ort: Any, asked: str) -> str:
    available = ort.get_available_providers()
    if asked == "cpu" or (asked == "auto" and _CUDA not in available):
        return "cpu"
    if _CUDA not in available:
        raise _no_gpu(asked, available)
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()  # CUDA's libraries, where torch or nvidia's packages brought them
    return "cuda:0" if asked in ("auto", "cuda") else asked


def _no_gpu(device: str, providers: Sequence[str]) -> ModelLoadError:
    return ModelLoadError(
        f"onnxruntime cannot use {device}; it runs on {', '.join(providers)} here.",
        "Install it for GPUs: pip install onnxruntime-gpu (and CUDA 12 with cuDNN 9), "
        "or deploy with --device cpu.",
    )


def _tensor(node: Any) -> TensorSignature:
    if not node.type.startswith("tensor("):
        raise ModelLoadError(
            f"The model's {node.name!r} is a {node.type}, not a tensor.",
            "Export it without such outputs; for scikit-learn: options={'zipmap': False}.",
        )
    dtype = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(side if isinstance(side, int) else None for side in node.shape)
    return TensorSignature(node.name, _NUMPY_NAMES.get(dtype, dtype), shape)


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("Serving an ONNX model", "onnxruntime", "serving") from error
    onnxruntime.set_default_logger_severity(3)
    return onnxruntime
