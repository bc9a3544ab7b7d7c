"""What an evaluation says: scores, intervals, curves, confusion, error types, coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RANDOM = "random"
UNKNOWN = "unknown"
"""Name of a sampling that nobody told."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many predicted images were reviewed, and how those were chosen."""

    reviewed: int
    predicted: int
    samplings: Mapping[str, int]
    """Reviewed images by how they were chosen: `random`, `uncertain`, …, or `unknown`."""

    @property
    def is_fair(self) -> bool:
        """Whether what holds for the reviewed images holds for all that were predicted."""
        return self.reviewed == self.predicted or set(self.samplings) == {RANDOM}

    def in_words(self) -> str:
        """The coverage as one sentence or two."""
        told = f"{self.reviewed:,} of {self.predicted:,} predicted images are reviewed"
        if not self.reviewed or self.reviewed == self.predicted:
            return f"{told}."
        how = ", ".join(f"{name} {n:,}" for name, n in self.samplings.items())
        if self.is_fair:
            return f"{told}, chosen at random."
        return (
            f"{told}; chosen: {how}. These figures are of the reviewed images; "
            "only a random choice speaks for all."
        )


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and where it would lie in most repetitions."""

    value: float
    low: float
    high: float
    level: float = 0.95
    """Share of repetitions, in (0, 1)."""

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is more than chance at this level."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Precision, recall and F1 over the threshold, most confident first."""

    scores: NDArray[np.float64]
    """(N,) descending; the point is of all objects scored at least so."""
    precision: NDArray[np.float64]
    """(N,) in [0, 1]"""
    recall: NDArray[np.float64]
    """(N,) in [0, 1]"""

    @property
    def f1(self) -> NDArray[np.float64]:
        """(N,) harmonic mean of precision and recall; 0 where both are 0."""
        total = self.precision + self.recall
        return np.asarray(2 * self.precision * self.recall / np.where(total > 0, total, 1.0))


@dataclass(frozen=True, slots=True)
class BestThreshold:
    """The threshold of the highest F1; objects scored strictly over it are considered."""

    threshold: float
    f1: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """How right one label is, counting what is scored over the threshold."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Of what was found, the share that is right; None where nothing was."""
        found = self.right + self.wrong
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        """Of what is there, the share that was found; None where nothing is."""
        there = self.right + self.missed
        return self.right / there if there else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None where there is nothing at all."""
        all_of_it = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / all_of_it if all_of_it else None


@dataclass(frozen=True, slots=True, eq=False)
class LabelScores:
    """What is known of one label."""

    label: str
    truth: int
    """Objects, or images, of it in the ground truth."""
    at_threshold: AtThreshold
    ap: float | None
    """Average precision; None without ground truth."""
    ap_50: float | None
    best: BestThreshold | None
    curve: Curve | None
    """At an overlap of 0.5; None without ground truth or without anything found."""


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """What was taken for what."""

    labels: Sequence[str]
    """Of rows and columns; with objects the last one is the background."""
    counts: NDArray[np.int64]
    """(C, C); row: what it is, column: what it was taken for."""


@dataclass(frozen=True, slots=True)
class ErrorTypes:
    """Kinds of errors of a detector, after TIDE, at an overlap of 0.5."""

    counts: Mapping[str, int]
    """How often: class, localization, both, duplicate, background, missed."""
    ap_lost: Mapping[str, float]
    """By how much AP50 would rise if all of a kind were mended."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Whether a confidence of 0.8 is right eight times in ten."""

    edges: NDArray[np.float64]
    """(B + 1,) in [0, 1]; a bin holds its lower edge, the last one both."""
    counts: NDArray[np.int64]
    """(B,)"""
    confidence: NDArray[np.float64]
    """(B,) mean score of a bin; 0 where it is empty."""
    accuracy: NDArray[np.float64]
    """(B,) share of a bin that is right; 0 where it is empty."""

    @property
    def ece(self) -> float | None:
        """Expected calibration error: mean gap of both, weighted by the counts."""
        total = int(self.counts.sum())
        gaps = np.abs(self.accuracy - self.confidence)
        return float((gaps * self.counts).sum() / total) if total else None


@dataclass(frozen=True, slots=True)
class Difference:
    """One score of two models on the same images."""

    champion: Interval
    shadow: Interval
    gain: Interval
    """Shadow less champion, resampled in pairs."""

    @property
    def verdict(self) -> str:
        """What the difference says, in words."""
        if not self.gain.excludes_zero:
            return "no clear difference"
        return "shadow better" if self.gain.value > 0 else "shadow worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Champion and shadow on the images that both predicted and somebody reviewed."""

    champion: str
    """Title of its model version."""
    shadow: str
    images: int
    scores: Mapping[str, Difference]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationReport:
    """How well the predictions of a deployment agree with their reviews."""

    deployment: str
    kind: str
    """`bbox`, `segm` or `keypoints` for objects, `classification` for images."""
    coverage: Coverage
    threshold: float | None
    """Confusion and the labels' counts are of what is scored over it; None: of everything."""
    truth: int
    """Objects, or images, in the ground truth."""
    found: int
    """Objects the model found, whatever their score."""
    scores: Mapping[str, float | None]
    """By the platform's names, such as `ap_50_95`; None where there is no ground truth."""
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    labels: Sequence[LabelScores] = ()
    confusion: Confusion | None = None
    errors: ErrorTypes | None = None
    calibration: Calibration | None = None
    comparison: Comparison | None = None
    notices: Sequence[str] = ()
    """What a reader must know of these figures."""
    evaluator: str = ""
    """What matched the objects: a library and its version."""
