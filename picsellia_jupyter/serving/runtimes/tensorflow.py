"""SavedModels and Keras models, run by TensorFlow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
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
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.runtimes import layouts, tensorflow_files
from picsellia_jupyter.serving.runtimes.memory import OutOfMemoryError, resident_bytes
from picsellia_jupyter.serving.runtimes.options import Options
from picsellia_jupyter.serving.signature import Outputs, TensorSignature
from picsellia_jupyter.serving.tensors import Tensors


class TensorFlowRuntime:
    """A SavedModel or a Keras model on the CPU or a GPU."""

    def __init__(self, path: Path, kind: ModelFormat, options: Options) -> None:
        """Load it.

        Raises:
            ModelLoadError: TensorFlow refuses it, it takes more than one image tensor, or the
                device that is asked for is not there.
        """
        self._tensorflow = tensorflow = _tensorflow(options.threads)
        self.device = _device(tensorflow, options.device)
        with self._on_device():
            self._function = tensorflow_files.load(tensorflow, path, kind)
        self.inputs = self._function.inputs
        self.outputs = self._function.outputs
        self.signature = layouts.only_image(self.inputs)
        self.precision = "fp16" if self.signature.dtype == "float16" else "fp32"
        place = "CPU" if self.device == "cpu" else self.device
        words = [kind.value, place]
        if options.precision not in ("auto", self.precision):
            words.append(f"{self.precision} as in its file, not {options.precision}")
        self.title = f"tensorflow {tensorflow.__version__} ({', '.join(words)})"

    def tune(self, image: NDArray[np.float32]) -> None:
        """Run it twice: the first run builds the graph, the second may build it more freely.

        Raises:
            ModelLoadError: the model fails on it.
        """
        try:
            for _ in range(2):
                found = self._whole(np.repeat(image, self.signature.batch or 1, axis=0))
        except Exception as error:  # TensorFlow raises whatever its kernels do
            raise ModelLoadError(
                f"The model fails on an image {image.shape}: {first_line(error)}",
                "Correct input.width and input.height in serving.json, or export it again.",
            ) from error
        # A signature need not tell how many sides its outputs have.
        self.outputs = tuple(_completed(one, found[one.name]) for one in self.outputs)

    def run(self, batch: NDArray[np.float32]) -> Sequence[Outputs]:
        """Outputs of every image of a batch (N, C, H, W)."""
        return layouts.in_batches_of(self.signature.batch, batch, self._whole)

    def infer(self, tensors: Tensors) -> Tensors:
        """Its own outputs for its own inputs, nothing converted.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """
        try:
            return self._run(tensors)
        except OutOfMemoryError:
            raise
        except Exception as error:  # TensorFlow raises whatever its kernels do
            raise InvalidInputError(
                f"The model cannot take these tensors: {first_line(error)}",
                f"It takes {self.inputs}.",
            ) from error

    def memory_bytes(self) -> int:
        """Of the GPU that its tensors take, or of this process."""
        if self.device == "cpu":
            return resident_bytes()
        gpu = f"GPU:{self.device.partition(':')[2]}"
        return int(self._tensorflow.config.experimental.get_memory_info(gpu)["current"])

    def _whole(self, batch: NDArray[np.float32]) -> Outputs:
        return self._run({self.signature.name: layouts.fed(batch, self.signature)})

    def _run(self, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        tensorflow = self._tensorflow
        try:
            with self._on_device():
                given = {name: tensorflow.constant(array) for name, array in tensors.items()}
                found = self._function.call(**given)
        except tensorflow.errors.ResourceExhaustedError as error:
            count = len(next(iter(tensors.values()), ()))
            raise OutOfMemoryError(self.device, count) from error
        return {one.name: np.asarray(found[one.name].numpy()) for one in self.outputs}

    @contextlib.contextmanager
    def _on_device(self) -> Iterator[None]:
        kind, _, index = self.device.partition(":")
        with self._tensorflow.device(f"/{'GPU' if kind == 'cuda' else 'CPU'}:{index or 0}"):
            yield


def _tensorflow(threads: int) -> Any:
    try:
        import tensorflow
    except ImportError as error:
        raise MissingExtraError("Serving a TensorFlow model", "tensorflow", "tensorflow") from error
    # Too late where something ran already, as in a second model of the same process.
    with contextlib.suppress(RuntimeError):
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        for gpu in tensorflow.config.list_physical_devices("GPU"):
            tensorflow.config.experimental.set_memory_growth(gpu, True)
    return tensorflow


def _device(tensorflow: Any, asked: str) -> str:
    count = len(tensorflow.config.list_physical_devices("GPU"))
    if asked == "cpu" or (asked == "auto" and not count):
        return "cpu"
    index = int(asked.partition(":")[2] or 0)
    if index < count:
        return f"cuda:{index}"
    there = ", ".join(["cpu", *(f"cuda:{n}" for n in range(count))])
    raise ModelLoadError(
        f"There is no device {asked!r} for TensorFlow here: {there}.",
        "Deploy with one of them, as in --device cpu, or pip install 'tensorflow[and-cuda]'.",
    )


def _completed(told: TensorSignature, array: NDArray[np.generic]) -> TensorSignature:
    if told.shape or not array.ndim:
        return told
    return TensorSignature(told.name, told.dtype, (None, *array.shape[1:]))
