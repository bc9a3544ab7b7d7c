"""What many predictions add up to: sums that do not depend on the order they came in.

Everything here is a whole number, a least or a greatest, so that merging is associative,
commutative and exact, and a late prediction falls where it would have fallen in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.monitoring import PredictionLog

MINUTE, HOUR, DAY = 60, 3_600, 86_400
WIDTHS = (MINUTE, HOUR, DAY)
"""Seconds that a rollup spans, from multiples of it since the epoch, UTC."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """A sparse histogram over many grids at once."""

    keys: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """(K,) ascending, no two alike; which grid and which of its bins."""
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """(K,) at least 1 each."""

    @classmethod
    def of(cls, keys: NDArray[np.int64]) -> Tally:
        """Count (N,) keys."""
        found, counts = np.unique(keys, return_counts=True)
        return cls(found, counts.astype(np.int64))

    @classmethod
    def sum(cls, parts: list[Tally]) -> Tally:
        """All of them together."""
        if not parts:
            return cls()
        keys = np.concatenate([part.keys for part in parts])
        counts = np.concatenate([part.counts for part in parts])
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        if not len(starts):
            return cls()
        return cls(keys[starts], np.add.reduceat(counts[order], starts))

    def between(self, first: int, beyond: int) -> Tally:
        """The part with keys in [first, beyond)."""
        low, high = np.searchsorted(self.keys, (first, beyond))
        return Tally(self.keys[low:high], self.counts[low:high])

    def __len__(self) -> int:
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Rollup:
    """Predictions of one model version in one span of time, added up."""

    predictions: int = 0
    shapes: int = 0
    latency_us: int = 0
    """Microseconds, summed."""
    first_at: float = inf
    """Seconds since the epoch, UTC; infinite where there is no prediction."""
    last_at: float = -inf
    tally: Tally = field(default_factory=Tally)

    @classmethod
    def sum(cls, parts: list[Rollup]) -> Rollup:
        """All of them together."""
        return cls(
            sum(part.predictions for part in parts),
            sum(part.shapes for part in parts),
            sum(part.latency_us for part in parts),
            min((part.first_at for part in parts), default=inf),
            max((part.last_at for part in parts), default=-inf),
            Tally.sum([part.tally for part in parts]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """P predictions with the sizes of their images."""

    log: PredictionLog
    sizes: NDArray[np.int64]
    """(P, 2) width and height in pixels."""

    def __post_init__(self) -> None:
        if self.sizes.shape != (len(self.log), 2):
            raise InvalidPredictionError(
                f"There are {len(self.log)} predictions but sizes of shape {self.sizes.shape}.",
                "Give width and height of each image.",
            )
