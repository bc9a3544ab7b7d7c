"""CUDA graphs: a batch's kernels recorded once and launched together."""

from __future__ import annotations

import bisect
import time
from collections.abc import Callable, Sequence
from typing import Any

USUAL_BATCHES = (1, 2, 4, 8, 16, 32)
"""Sizes that are recorded where nobody says which."""
_GAIN = 0.9
"""A replay has to take less than this part of the time to be worth its memory."""
_TIMED = 10
_WARM_UPS = 3
"""Runs before a recording, in which libraries choose their kernels and take their memory."""


class GraphedModule:
    """A module that replays a recording where there is one of the batch's size or a larger one.

    A small network on a GPU waits for its launches more than for its arithmetic; a recording
    takes one launch. The recordings share one pool of memory, since one runs at a time.
    """

    def __init__(
        self, torch: Any, module: Callable[[Any], Any], image: Any, batches: Sequence[int]
    ) -> None:
        """Record it.

        Args:
            torch: the package.
            module: takes a batch (N, C, H, W) and returns tensors whose first side is N.
            image: (1, C, H, W) on its device, as the module is to be fed.
            batches: sizes to record.
        """
        self._torch = torch
        self.module = module
        """What is recorded."""
        self._sizes = sorted(set(batches))
        self._shape = tuple(image.shape[1:])
        self._pool = torch.cuda.graph_pool_handle()
        # The largest first: the others then fit into its memory.
        recorded = [self._record(image, size) for size in reversed(self._sizes)]
        self._recorded = dict(zip(reversed(self._sizes), recorded, strict=True))

    def __call__(self, batch: Any) -> Any:
        """What the module returns for a batch; replayed where its size fits."""
        size = fitting(self._sizes, len(batch))
        if size is None or tuple(batch.shape[1:]) != self._shape:
            return self.module(batch)
        graph, given, found = self._recorded[size]
        given[: len(batch)].copy_(batch, non_blocking=True)
        graph.replay()
        # The next replay writes over these tensors.
        return first(found, len(batch))

    def _record(self, image: Any, size: int) -> tuple[Any, Any, Any]:
        torch = self._torch
        given = image.repeat(size, 1, 1, 1).contiguous(memory_format=_format(torch, image))
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                self.module(given)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            found = self.module(given)
        return graph, given, found


def check_recordable(torch: Any, module: Callable[[Any], Any], image: Any) -> None:
    """Run a module once and see that it waits for the GPU nowhere, which no recording can.

    It is seen before a recording is tried: one that fails leaves its memory taken.

    Raises:
        RuntimeError: it does.
    """
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        module(image)
    finally:
        torch.cuda.set_sync_debug_mode(before)


def pays(torch: Any, graphed: GraphedModule, image: Any) -> bool:
    """Whether replays give what the module gives, also for another image, and are faster.

    What a recording has made of an image's own values, instead of computing them anew, would
    show in the other one.

    Args:
        torch: the package.
        graphed: the recordings.
        image: (1, C, H, W) as the module is fed.
    """
    other = torch.rand_like(image) if image.is_floating_point() else image.flip(-1)
    same = all(_close(torch, graphed(one), graphed.module(one)) for one in (image, other))
    return same and _seconds(torch, graphed, image) < _GAIN * _seconds(torch, graphed.module, image)


def _seconds(torch: Any, module: Callable[[Any], Any], image: Any) -> float:
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(_TIMED):
        module(image)
    torch.cuda.synchronize()
    return time.perf_counter() - began


def _close(torch: Any, got: Any, want: Any) -> bool:
    found = zip(_leaves(got), _leaves(want), strict=True)
    return all(
        one.shape == other.shape and torch.allclose(one, other, rtol=1e-3, atol=1e-3)
        for one, other in found
    )


def _leaves(found: Any) -> list[Any]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, tuple | list):
        return [leaf for item in found for leaf in _leaves(item)]
    return [found]


def fitting(sizes: Sequence[int], count: int) -> int | None:
    """The smallest of the sorted sizes that holds so many images; None where none does."""
    at = bisect.bisect_left(sizes, count)
    return sizes[at] if at < len(sizes) else None


def first(found: Any, count: int) -> Any:
    """Copies of the first rows of every tensor in what a module returned."""
    if isinstance(found, dict):
        return {name: first(item, count) for name, item in found.items()}
    if hasattr(found, "_fields"):
        return type(found)(*(first(item, count) for item in found))
    if isinstance(found, tuple | list):
        return type(found)(first(item, count) for item in found)
    return found[:count].clone()


def _format(torch: Any, image: Any) -> Any:
    last = image.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
