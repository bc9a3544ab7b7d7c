"""The whole circle of a deployment, from predictions to the next champion, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TONES = ("good", "busy", "warn", "bad", "off")
"""How a part is: runs, at work, needs somebody, failed, not set up."""


@dataclass(frozen=True, slots=True)
class RunNow:
    """The newest training run."""

    state: str
    """WAITING, RUNNING, SUCCESS, FAILED or CANCELED."""
    step: str = ""
    progress: float = 0.0
    """In [0, 1]."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version that a training run made."""

    title: str
    """`digits-detector:1`."""
    role: str
    """champion, shadow or offer: where the policy has put it."""
    state: str
    """asked, served, failed or superseded."""
    said: str = ""
    """What the gate said, or why it failed."""


@dataclass(frozen=True, slots=True)
class PipelineFacts:
    """What the platform knows of a deployment's circle, at one moment."""

    deployment: str
    state: str
    """Of its serving kernel."""
    predictions: int
    images: int
    """Predictions that are kept with their image."""
    to_review: int
    reviewed: int
    submitted: int
    feedback: bool | None
    """Whether submitted reviews go into dataset versions; None where it is not set up."""
    champion: str
    champion_predictions: int
    champion_wanted: str = ""
    """The champion that its serving kernel has not taken over to yet; empty where it has."""
    champion_before: str = ""
    """What a rollback would lead to; empty where there was none."""
    datasets: Mapping[str, int] = field(default_factory=dict)
    """Images of each dataset version that reviews go into: `{"digits/v2": 120}`."""
    training: bool | None = None
    """Whether continuous training runs; None where it is not set up."""
    threshold: int | None = None
    untrained: int = 0
    """Reviews submitted since the last run."""
    runs: int = 0
    run: RunNow | None = None
    policy: str = ""
    """DEPLOY_SHADOW, DEPLOY_CHAMPION or DEPLOY_MANUAL; empty where it is not set up."""
    is_policy_active: bool = False
    newest: Newest | None = None
    shadow: str = ""
    shadow_predictions: int = 0
    compared: int = 0
    """Reviewed images that the champion and this shadow both predicted on."""
    gate: str = ""
    """The gate in words; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the circle, as it is shown."""

    key: str
    title: str
    state: str
    """In a word or two: `on`, `running`, `not set up`."""
    tone: str
    figure: str
    """The one number, or name, that matters."""
    note: str
    """The rest, in a sentence or two."""
    line: str
    """What to type to look at it, or to set it up."""

    def in_words(self) -> str:
        """The part on one line."""
        return f"{self.title}: {self.figure} ({self.state}). {self.note}".rstrip()
