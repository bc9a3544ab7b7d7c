"""Batches that shrink where a device's memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.serving.runtimes.memory import OutOfMemoryError
from picsellia_jupyter.serving.signature import Outputs


class ElasticBatches:
    """Runs images in batches of a size that fits, and remembers which does."""

    def __init__(
        self,
        run: Callable[[NDArray[np.float32]], Sequence[Outputs]],
        largest: int,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Make it.

        Args:
            run: outputs of every image of a batch (N, C, H, W).
            largest: images that go into a batch at most.
            tell: told, a line each time, that they are fewer now, and why.
        """
        self._run = run
        self._largest = largest
        self._tell = tell

    @property
    def largest(self) -> int:
        """Images that go into a batch at most, as far as is known now."""
        return self._largest

    def run(self, images: Sequence[NDArray[np.float32]]) -> list[Outputs | OutOfMemoryError]:
        """Outputs of every image (1, C, H, W), or why there are none, in their order."""
        found: list[Outputs | OutOfMemoryError] = []
        while len(found) < len(images):
            part = images[len(found) : len(found) + self._largest]
            try:
                found += self._run(part[0] if len(part) == 1 else np.concatenate(part))
            except OutOfMemoryError as error:
                if len(part) == 1:
                    found.append(error)
                self._halve(len(part), error)
        return found

    def _halve(self, tried: int, error: OutOfMemoryError) -> None:
        before, self._largest = self._largest, max(1, tried // 2)
        if self._largest < before:
            self._tell(f"{error.fact} Batches have {self._largest} at most from now on.")
