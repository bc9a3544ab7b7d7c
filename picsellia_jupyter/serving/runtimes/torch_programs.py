"""A PyTorch module with the way it is fed, and the faster ways that there are."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.serving.runtimes.torch_fusing import fused


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A module on a device, ready to be called with arrays."""

    torch: Any
    module: Any
    device: str
    """`cpu` or `cuda:0`."""
    as_list: bool = False
    """Whether it takes a list of images (C, H, W) instead of a batch."""
    precision: str = "fp32"
    autocast: bool = False
    """Whether its weights stay fp32 and its operators choose what they do in less."""
    channels_last: bool = False

    def __call__(self, *given: NDArray[np.generic]) -> Any:
        """What the module returns for these arrays."""
        tensors = [self.feed(array) for array in given]
        if self.as_list:
            tensors[0] = list(tensors[0])
        with self.torch.inference_mode(), self.casting():
            return self.module(*tensors)

    @property
    def _dtype(self) -> Any:
        return dtype_of(self.torch, self.precision)

    def feed(self, array: NDArray[np.generic]) -> Any:
        """An array as a tensor of the kind that the module takes."""
        tensor = self.torch.from_numpy(np.require(array, requirements=["C", "W"]))
        if self.device != "cpu":
            # From pinned memory the copy goes on while the CPU does something else.
            tensor = tensor.pin_memory().to(self.device, non_blocking=True)
        if tensor.is_floating_point() and not self.autocast:
            tensor = tensor.to(self._dtype)
        if self.channels_last and tensor.ndim == 4:
            tensor = tensor.contiguous(memory_format=self.torch.channels_last)
        return tensor

    def casting(self) -> contextlib.AbstractContextManager[object]:
        """Where its operators choose their precision by themselves, if they are to."""
        if not self.autocast:
            return contextlib.nullcontext()
        kind = self.device.partition(":")[0]
        # Weights that are kept in another precision would be gone when a recording is replayed.
        return self.torch.autocast(kind, self._dtype, cache_enabled=False)  # type: ignore[no-any-return]


def faster(plain: Program, precisions: Sequence[str]) -> Iterator[Callable[[], Program]]:
    """Ways to run a program, the fastest first; each may fail, or give something else.

    Args:
        plain: as it was loaded, in fp32.
        precisions: to be tried, in this order.
    """
    for precision in precisions:
        for autocast in (False,) if precision == plain.precision else (False, True):
            for fuse in (True, False):
                yield _Way(plain, precision, autocast=autocast, fuse=fuse).make


@dataclass(frozen=True, slots=True)
class _Way:
    plain: Program
    precision: str
    autocast: bool
    fuse: bool

    def make(self) -> Program:
        """The program, run this way."""
        torch = self.plain.torch
        module = copy.deepcopy(self.plain.module)
        if self.precision != self.plain.precision and not self.autocast:
            module = module.to(dtype_of(torch, self.precision))
        module = module.to(memory_format=torch.channels_last)
        if self.fuse:
            module = fused(torch, module)
        return dataclasses.replace(
            self.plain,
            module=module,
            precision=self.precision,
            autocast=self.autocast,
            channels_last=True,
        )


def dtype_of(torch: Any, precision: str) -> Any:
    """What torch calls a precision."""
    names = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    return names[precision]
