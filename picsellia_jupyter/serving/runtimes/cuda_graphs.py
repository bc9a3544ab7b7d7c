"""CUDA graphs: a batch's kernels recorded once and launched together."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from typing import Any

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
