"""PyTorch models: TorchScript and torch.export programs, and weights of registered networks."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
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
from picsellia_jupyter.serving.runtimes import cuda_graphs, layouts, torch_files, torch_outputs
from picsellia_jupyter.serving.runtimes.closeness import ROUNDING, TOLERANCE, deviation
from picsellia_jupyter.serving.runtimes.memory import (
    OutOfMemoryError,
    resident_bytes,
    tells_of_memory,
)
from picsellia_jupyter.serving.runtimes.options import Options
from picsellia_jupyter.serving.runtimes.torch_programs import Program, faster
from picsellia_jupyter.serving.signature import InputSignature, Outputs, TensorSignature
from picsellia_jupyter.serving.tensors import Tensors


class TorchRuntime:
    """A PyTorch model on the CPU or a GPU."""

    def __init__(self, path: Path, kind: ModelFormat, options: Options) -> None:
        """Load it.

        Raises:
            ModelLoadError: torch refuses it, or the device that is asked for is not there.
        """
        self._torch = torch = _torch(options.threads)
        self._kind = kind
        self._options = options
        self.device = _device(torch, options.device)
        self._precisions = _precisions(torch, self.device, options.precision)
        loaded = torch_files.load(torch, path, kind, options)
        layouts.check_single(_asked(torch, loaded, kind))
        self.signature = _signature(loaded) if kind is ModelFormat.TORCH_EXPORT else None
        self._program = _placed(torch, loaded, kind, self.device)
        if self._program.as_list:
            self.signature = InputSignature(_argument(loaded).name, resizes=True)
        self.inputs: tuple[TensorSignature, ...] = ()
        self.outputs: tuple[TensorSignature, ...] = ()

    @property
    def precision(self) -> str:
        """`fp32`, `fp16` or `bf16`."""
        return self._program.precision

    @property
    def title(self) -> str:
        """What runs it, in words."""
        place = "CPU" if self.device == "cpu" else self.device
        words = [self._kind.value, place]
        if self.precision != "fp32":
            words.append(self.precision)
        if self._options.precision not in ("auto", self.precision):
            words.append(f"{self.precision}, since {self._options.precision} strays too far")
        return f"torch {self._torch.__version__} ({', '.join(words)})"

    def tune(self, image: NDArray[np.float32]) -> None:
        """Find the fastest way to run it whose outputs stay as they are.

        Raises:
            ModelLoadError: the model fails on the image.
        """
        image = self._one_batch(image)
        try:
            want = torch_outputs.named(self._call(self._program, self._fed(image)))
        except Exception as error:  # torch raises whatever the program does
            raise ModelLoadError(
                f"The model fails on an image {image.shape}: {first_line(error)}",
                "Correct input.width, input.height and input.channels in serving.json, "
                "or export it again.",
            ) from error
        self._program = self._fastest(image, want)
        self._record_graphs(image)
        self.inputs = (_input(self._torch, self._program, self.signature, image.shape),)
        self.outputs = tuple(_output(n, a, free=self._free) for n, a in want.items())

    def run(self, batch: NDArray[np.float32]) -> Sequence[Outputs]:
        """Outputs of every image of a batch (N, C, H, W)."""
        if self.signature and self.signature.batch is not None:
            return layouts.in_batches_of(self.signature.batch, batch, self._whole)
        return torch_outputs.of_images(self._call(self._program, self._fed(batch)), len(batch))

    def infer(self, tensors: Tensors) -> Tensors:
        """Its own outputs for its own inputs, in the order they are given.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """
        try:
            return torch_outputs.named(self._call(self._program, *tensors.values()))
        except OutOfMemoryError:
            raise
        except Exception as error:  # torch raises whatever the program does
            raise InvalidInputError(
                f"The model cannot take these tensors: {first_line(error)}",
                "Send them in the order of its own arguments.",
            ) from error

    def memory_bytes(self) -> int:
        """Of the GPU that its tensors take, or of this process."""
        if self.device == "cpu":
            return resident_bytes()
        return int(self._torch.cuda.memory_allocated(self.device))

    @property
    def _free(self) -> bool:
        return self.signature is None or self.signature.batch is None

    def _fed(self, batch: NDArray[np.float32]) -> NDArray[np.generic]:
        return layouts.fed(batch, self.signature) if self.signature else batch

    def _whole(self, batch: NDArray[np.float32]) -> Outputs:
        return torch_outputs.named(self._call(self._program, self._fed(batch)))

    def _one_batch(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """As many of an image as the model takes at once."""
        count = (self.signature.batch if self.signature else None) or 1
        return np.repeat(image, count, axis=0)

    def _call(self, program: Program, *given: NDArray[np.generic]) -> Any:
        try:
            return program(*given)
        except RuntimeError as error:
            if not self._out_of_memory(error, len(given[0])):
                raise
            error.__traceback__ = None  # its frames hold tensors
            refused = OutOfMemoryError(self.device, len(given[0]))
        if self.device != "cpu":
            self._torch.cuda.empty_cache()
        raise refused

    def _out_of_memory(self, error: RuntimeError, batch: int) -> bool:
        return isinstance(error, self._torch.OutOfMemoryError) or tells_of_memory(error, batch)

    def _fastest(self, image: NDArray[np.float32], want: Outputs) -> Program:
        """The first way of running it that gives what it should; as it is where none does."""
        given, plain = self._fed(image), self._program
        precisions = self._precisions if plain.precision == "fp32" else (plain.precision,)
        for make in faster(plain, precisions):
            try:
                program = make()
                for _ in range(2):  # TorchScript optimises in the second run
                    got = torch_outputs.named(self._call(program, given))
            except Exception:  # noqa: BLE001, S112 - not every network can be run every way
                continue
            limit = TOLERANCE if program.precision != plain.precision else ROUNDING
            if deviation(got, want) <= limit:
                return program
        return self._program

    def _record_graphs(self, image: NDArray[np.float32]) -> None:
        """Record the sizes that are asked for; else the usual ones, where that can be and pays."""
        program, batches = self._program, self._options.graph_batches
        if self.device == "cpu" or batches == () or program.as_list or not self._free:
            return
        if batches is not None:
            self._program = self._graphed(image, batches, at_all_costs=True)
            return
        try:
            self._program = self._graphed(image, cuda_graphs.USUAL_BATCHES, at_all_costs=False)
        except Exception:  # noqa: BLE001 - not every network can be recorded, nor has the memory
            self._torch.cuda.synchronize(self.device)
            self._torch.cuda.empty_cache()

    def _graphed(
        self, image: NDArray[np.float32], batches: Sequence[int], *, at_all_costs: bool
    ) -> Program:
        torch, program = self._torch, self._program
        with torch.inference_mode(), torch.cuda.device(self.device), program.casting():
            given = program.feed(self._fed(image))
            if not at_all_costs:
                cuda_graphs.check_recordable(torch, program.module, given)
            module = cuda_graphs.GraphedModule(torch, program.module, given, batches)
            if not (at_all_costs or cuda_graphs.pays(torch, module, given)):
                return program
        return dataclasses.replace(program, module=module)


def _torch(threads: int) -> Any:
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("Serving a PyTorch model", "torch", "serving") from error
    torch.set_num_threads(threads)
    return torch


def _device(torch: Any, asked: str) -> str:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked == "cpu" or (asked == "auto" and not count):
        return "cpu"
    index = int(asked.partition(":")[2] or 0)
    if index < count:
        return f"cuda:{index}"
    there = ", ".join(["cpu", *(f"cuda:{n}" for n in range(count))])
    built = "" if torch.backends.cuda.is_built() else f"; torch {torch.__version__} knows no GPU"
    raise ModelLoadError(
        f"There is no device {asked!r} here: {there}{built}.",
        "Deploy with one of them, as in --device cpu.",
    )


def _precisions(torch: Any, device: str, asked: str) -> Sequence[str]:
    """What to try, in this order; fp32 always works."""
    if asked == "auto":
        # Before Volta, GPUs have no units for half precision.
        gains = device != "cpu" and torch.cuda.get_device_capability(device) >= (7, 0)
        return ("fp16", "fp32") if gains else ("fp32",)
    if asked == "fp16" and device == "cpu":
        raise ModelLoadError(
            "The CPU gains nothing from fp16.", "Deploy with --precision bf16, fp32 or auto."
        )
    return (asked,) if asked == "fp32" else (asked, "fp32")


def _placed(torch: Any, loaded: Any, kind: ModelFormat, device: str) -> Program:
    if kind is ModelFormat.TORCH_EXPORT:
        if device != "cpu":
            # Not only its weights: constants are made on a device by name.
            from torch.export.passes import move_to_device_pass

            loaded = move_to_device_pass(loaded, device)
        module = loaded.module()
        return Program(torch, module, device, precision=_own_precision(torch, module))
    return Program(
        torch,
        loaded.to(device),
        device,
        as_list=_takes_list(torch, loaded),
        precision=_own_precision(torch, loaded),
    )


def _own_precision(torch: Any, module: Any) -> str:
    """Of a file's own weights: all in half precision, or fp32."""
    kinds = {tensor.dtype for tensor in module.parameters() if tensor.is_floating_point()}
    return {(torch.float16,): "fp16", (torch.bfloat16,): "bf16"}.get(tuple(kinds), "fp32")


def _takes_list(torch: Any, module: Any) -> bool:
    """Whether it takes a list of images, as torchvision's detectors do when scripted."""
    if not isinstance(module, torch.jit.ScriptModule):
        return False  # in Python, going through a batch gives its images
    return str(_argument(module).type) == "List[Tensor]"


def _argument(module: Any) -> Any:
    """What a scripted module takes first."""
    return module.forward.schema.arguments[1]


def _asked(torch: Any, loaded: Any, kind: ModelFormat) -> list[str]:
    """What a program cannot be run without, by name."""
    if kind is ModelFormat.TORCH_EXPORT:
        return list(map(str, loaded.graph_signature.user_inputs))
    if isinstance(loaded, torch.jit.ScriptModule):
        given = loaded.forward.schema.arguments[1:]
        return [one.name for one in given if not one.has_default_value()]
    given = inspect.signature(loaded.forward).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in given if one.kind in positional and one.default is one.empty]


def _signature(program: Any) -> InputSignature | None:
    """What an exported program takes, where that is one image tensor."""
    names = program.graph_signature.user_inputs
    nodes = [node for node in program.graph.nodes if node.name in names]
    given = nodes[0].meta.get("val") if len(nodes) == 1 else None
    if given is None or not hasattr(given, "shape"):
        return None
    shape = [side if isinstance(side, int) else None for side in given.shape]
    return layouts.image_signature(str(names[0]), shape, str(given.dtype).removeprefix("torch."))


def _input(
    torch: Any, program: Program, signature: InputSignature | None, shape: Sequence[int]
) -> TensorSignature:
    if signature and not signature.resizes:
        sides = [signature.channels, signature.height, signature.width]
        if signature.layout == "NHWC":
            sides = [*sides[1:], sides[0]]
        whole = sides if signature.alone else [signature.batch, *sides]
        return TensorSignature(signature.name, signature.dtype, tuple(whole))
    module = program.module
    if isinstance(module, cuda_graphs.GraphedModule):
        module = module.module
    if isinstance(module, torch.jit.ScriptModule):
        name = _argument(module).name
    else:
        name = next(iter(inspect.signature(module.forward).parameters))
    across = (None, None) if signature else shape[2:]
    return TensorSignature(name, "float32", (None, shape[1], *across))


def _output(name: str, array: NDArray[np.generic], *, free: bool) -> TensorSignature:
    shape: tuple[int | None, ...] = array.shape
    if free and array.ndim:
        shape = (None, *shape[1:])
    return TensorSignature(name, array.dtype.name, shape)
