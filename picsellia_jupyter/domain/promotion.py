"""Who takes a place in a deployment, and the gate before the champion's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.evaluation import Comparison, Difference
from picsellia_jupyter.domain.registry import InferenceType

FEWEST = 20
"""Of fewer images no interval is told, so no gate can ask for less."""


class Policy(str, Enum):
    """What becomes of a newly trained version."""

    SHADOW = "DEPLOY_SHADOW"
    """It predicts beside the champion."""
    CHAMPION = "DEPLOY_CHAMPION"
    """It replaces the champion, where the gate lets it."""
    MANUAL = "DEPLOY_MANUAL"
    """It waits for a person to decide."""


class Role(str, Enum):
    """The place of a version in a deployment."""

    CHAMPION = "champion"
    SHADOW = "shadow"
    OFFER = "offer"
    """Trained and not deployed: it waits for a person."""


class Cause(str, Enum):
    """Who had a version take its place."""

    PERSON = "person"
    ROLLBACK = "rollback"
    POLICY = "policy"


class RolloutState(str, Enum):
    """How far a version is in taking its place."""

    ASKED = "asked"
    """No serving kernel has said yet that it serves it."""
    SERVED = "served"
    FAILED = "failed"
    """The serving kernel could not load it; the one before stays."""
    SUPERSEDED = "superseded"
    """Another one was asked for before it was served."""


class Evidence(str, Enum):
    """What a gate goes by."""

    REVIEWS = "reviews"
    """Reviewed images that champion and candidate both predicted on."""
    HELD_OUT = "held-out"
    """The evaluation on frozen data at the end of the training run."""
    EITHER = "either"
    """The reviews where they are enough, else the held-out evaluation."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a gate lets a version pass, and why, in one sentence."""

    passes: bool
    said: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A version is promoted only if it is better by `by`, with confidence, on enough images."""

    metric: str
    """`ap_50_95`, `ap_50`, `accuracy` or `macro_f1`."""
    by: float = 0.0
    """In [0, 1); the interval of the gain must lie above it."""
    confidence: float = 0.95
    """Of the interval, in [0.5, 1)."""
    at_least: int = 100
    """Images that both predicted and that have a truth."""
    evidence: Evidence = Evidence.EITHER

    def __post_init__(self) -> None:
        if not (math.isfinite(self.by) and 0 <= self.by < 1):
            raise InvalidInputError(
                f"A gate asks for a gain in [0, 1); got {self.by:g}.", "0.02 is two points of AP."
            )
        if not 0.5 <= self.confidence < 1:
            raise InvalidInputError(
                f"A confidence lies in [0.5, 1); got {self.confidence:g}.", "95 % is 0.95."
            )
        if self.at_least < FEWEST:
            raise InvalidInputError(
                f"A gate asks for at least {FEWEST} images; got {self.at_least}.",
                "Of fewer no interval can be told.",
            )

    def in_words(self) -> str:
        """The gate as one sentence."""
        return (
            f"Promote only if {self.metric} is better by more than {self.by:g}, with "
            f"{_percent(self.confidence)} confidence, on at least {self.at_least:,} images "
            f"({_OF[self.evidence]})."
        )

    def judge(self, candidate: str, known: Mapping[Evidence, Comparison]) -> Verdict:
        """Whether a candidate passes.

        Args:
            candidate: its title, `digits-detector:1`.
            known: what there is to go by.
        """
        wanted = _ORDER if self.evidence is Evidence.EITHER else (self.evidence,)
        verdicts = [self._by(candidate, one, known.get(one)) for one in wanted]
        enough = [verdict for verdict, is_enough in verdicts if is_enough]
        return enough[0] if enough else verdicts[0][0]

    def _by(
        self, candidate: str, evidence: Evidence, found: Comparison | None
    ) -> tuple[Verdict, bool]:
        """The verdict of one kind of evidence, and whether there is enough of it."""
        of = _OF[evidence]
        images = found.images if found else 0
        if found is None or images < self.at_least:
            said = (
                f"{candidate} is compared with the champion on {images:,} images ({of}), and the "
                f"gate asks for {self.at_least:,}."
            )
            return Verdict(False, said), False
        score = found.scores.get(self.metric)
        if score is None:
            known = ", ".join(found.scores) or "none"
            said = f"There is no {self.metric} of {candidate} ({of}); known: {known}."
            return Verdict(False, said), False
        return self._of_score(candidate, found, score, of), True

    def _of_score(self, candidate: str, found: Comparison, score: Difference, of: str) -> Verdict:
        gain, level = score.gain, _percent(score.gain.level)
        if not math.isclose(gain.level, self.confidence):
            return Verdict(
                False,
                f"The interval of {candidate} is told with {level} confidence ({of}), "
                f"and the gate asks for {_percent(self.confidence)}.",
            )
        numbers = (
            f"{self.metric} of {candidate} is {score.shadow.value:.3f} and {found.champion}'s "
            f"{score.champion.value:.3f} on {found.images:,} images ({of}), a gain of "
            f"{gain.value:+.3f} ({level} confidence: {gain.low:+.3f} to {gain.high:+.3f})"
        )
        if gain.low > self.by:
            return Verdict(True, f"{numbers}, above the gate's {self.by:g}.")
        asked = f"and the gate asks for more than {self.by:g} at its low end."
        return Verdict(False, f"{numbers}, {asked}")


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def usual_metric(kind: InferenceType) -> str:
    """What a gate of a deployment of this type compares where nothing is said."""
    return "macro_f1" if kind is InferenceType.CLASSIFICATION else "ap_50_95"


_OF: Mapping[Evidence, str] = {
    Evidence.REVIEWS: "reviewed",
    Evidence.HELD_OUT: "held out",
    Evidence.EITHER: "reviewed or held out",
}
_ORDER = (Evidence.REVIEWS, Evidence.HELD_OUT)


@dataclass(frozen=True, slots=True)
class StoredPrediction:
    """The champion's prediction of an image in the target datalake."""

    id: str
    connector_id: str
    object_name: str
    filename: str


@dataclass(frozen=True, slots=True)
class Unshadowed:
    """Images that no shadow model has predicted on."""

    items: tuple[StoredPrediction, ...]
    count: int
    """All of them."""
    by_others: int
    """Images that another version than the present shadow predicted on as shadow."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version that took a place in a deployment, or was to."""

    id: str
    version_id: str
    title: str
    """`digits-detector:1`."""
    role: Role
    cause: Cause
    state: RolloutState
    at: float
    """Seconds since the epoch, UTC."""
    previous: str = ""
    """Title of the version that had the place before; empty where none had."""
    previous_version_id: str = ""
    forced: bool = False
    """Whether a person overrode the gate."""
    said: str = ""
    """What the gate said, or why it failed."""
    run_id: str = ""
    """The training run that it comes from."""
