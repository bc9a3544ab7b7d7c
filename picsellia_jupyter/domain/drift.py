"""Whether what a deployment sees is still what it saw before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError


class Verdict(str, Enum):
    """What a test says of one signal."""

    DRIFT = "drift"
    STEADY = "steady"
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """N independent observations of one signal, one an image, as distinct values and counts."""

    values: NDArray[np.float64]
    """(K,) ascending, no two alike."""
    counts: NDArray[np.int64]
    """(K,) at least 1 each; they add up to N."""

    def __post_init__(self) -> None:
        if self.values.shape != self.counts.shape or self.values.ndim != 1:
            raise InvalidInputError(
                f"There are {self.values.shape} values but {self.counts.shape} counts.",
                "Give one count for each value.",
            )
        if not bool(np.isfinite(self.values).all()):
            raise InvalidInputError(
                "A sample holds NaN or infinity.", "Leave out what was not observed."
            )

    @classmethod
    def of(cls, observed: NDArray[np.float64]) -> Sample:
        """The sample of (N,) observations."""
        values, counts = np.unique(np.asarray(observed, np.float64), return_counts=True)
        return cls(values, counts.astype(np.int64))

    def __len__(self) -> int:
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True)
class SignalDrift:
    """What became of one signal."""

    signal: str
    test: str
    """`ks` (two-sample Kolmogorov-Smirnov) or `chi2` (homogeneity)."""
    reference: int
    """Images it is compared with."""
    current: int
    """Images of the window."""
    effect: float | None
    """KS distance D, or Cramér's V of chi²; both in [0, 1]. None where there is no image."""
    p: float | None
    """None where there are too few images."""
    q: float | None
    """p adjusted for the number of signals (Benjamini-Hochberg)."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All signals of a deployment, tested together."""

    signals: tuple[SignalDrift, ...]
    alpha: float
    """False discovery rate: the share of false alarms that is borne among alarms."""

    @property
    def verdict(self) -> Verdict:
        """Drift where any signal drifts; too few where none could be tested."""
        found = {one.verdict for one in self.signals}
        if Verdict.DRIFT in found:
            return Verdict.DRIFT
        return Verdict.STEADY if Verdict.STEADY in found else Verdict.TOO_FEW

    @property
    def drifting(self) -> tuple[str, ...]:
        """Names of the signals that drift, the strongest first."""
        moved = [one for one in self.signals if one.verdict is Verdict.DRIFT]
        return tuple(one.signal for one in sorted(moved, key=lambda one: -(one.effect or 0.0)))
