"""What one output costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.viewer.scenes import Scene


@dataclass(frozen=True, slots=True)
class Cost:
    """What one output costs."""

    ms: float
    """Of the processor, the least of some rounds: what else runs on the machine counts little."""
    size: int
    """Bytes in the notebook."""


def cost(way: Callable[[Scene], bytes], scene: Scene, rounds: int) -> Cost:
    """The least of some rounds."""
    took, size = [], 0
    for _ in range(rounds):
        begun = time.process_time()
        size = len(way(scene))
        took.append(time.process_time() - begun)
    return Cost(min(took) * 1e3, size)
