"""What a deployment's dashboard is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError


@dataclass(frozen=True, slots=True, eq=False)
class PredictionLog:
    """P recorded champion predictions with S shapes in all, oldest first.

    Shapes are kept flat; `shape_of` says which prediction each belongs to.
    """

    at: NDArray[np.float64]
    """(P,) seconds since the epoch, UTC."""
    latency_s: NDArray[np.float64]
    """(P,) seconds."""
    shape_of: NDArray[np.int64]
    """(S,) row of the prediction each shape belongs to, in [0, P)."""
    classes: NDArray[np.int64]
    """(S,) class indices."""
    scores: NDArray[np.float64]
    """(S,) raw confidence in [0, 1]."""

    def __post_init__(self) -> None:
        if self.at.shape != self.latency_s.shape:
            raise InvalidPredictionError(
                f"There are {len(self.at)} times but {len(self.latency_s)} latencies."
            )
        if not self.shape_of.shape == self.classes.shape == self.scores.shape:
            raise InvalidPredictionError(
                f"There are {len(self.shape_of)} owners, {len(self.classes)} classes "
                f"and {len(self.scores)} scores of shapes."
            )

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def empty(cls) -> PredictionLog:
        """No prediction at all."""
        numbers, indices = np.zeros(0), np.zeros(0, np.int64)
        return cls(numbers, numbers, indices, indices, numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Counts in T bins."""

    edges: NDArray[np.float64]
    """(T + 1,) bin edges, in the unit the series is of."""
    counts: NDArray[np.int64]
    """(T,)"""


@dataclass(frozen=True, slots=True, eq=False)
class Dashboard:
    """The first dashboard of a deployment, ready to be drawn."""

    deployment: str
    """Its name."""
    since: float
    """Start of the range, seconds since the epoch, UTC."""
    until: float
    """End of the range, seconds since the epoch, UTC."""
    inferences: int
    """Predictions in the range."""
    shapes: int
    """Shapes considered, that is scored over the threshold."""
    threshold: float | None
    predictions_over_time: Series
    """Edges in seconds since the epoch, UTC."""
    latency_at: NDArray[np.float64]
    """(L,) seconds since the epoch, UTC: the middle of each bin that has predictions."""
    latency_p50_s: NDArray[np.float64]
    """(L,) seconds."""
    latency_p95_s: NDArray[np.float64]
    """(L,) seconds."""
    latency_p99_s: NDArray[np.float64]
    """(L,) seconds."""
    mean_latency_s: float | None
    """None where there is no prediction."""
    p50_s: float | None
    p95_s: float | None
    score_histogram: Series
    """Raw scores of all shapes, edges in [0, 1]; the cut at the threshold is drawn, not made."""
    label_counts: Mapping[str, int]
    """Considered shapes per label, most frequent first."""
    p99_s: float | None = None
