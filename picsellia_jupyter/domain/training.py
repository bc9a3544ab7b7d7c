"""Training runs: what sets them off, how far they are, and what they may use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.evaluation import Comparison

NOTEBOOK = "training.ipynb"
"""Name of the model file that trains, and the key of `experiment_parameters` that names another
one by its path."""
NOTEBOOK_KEY, LIMITS_KEY = "notebook", "limits"
"""Keys of `experiment_parameters` that are not handed to the notebook."""
HELD_OUT_NAMES = ("eval", "test")
"""What training calls the data that versions are compared on; the first one that is attached."""


class RunState(str, Enum):
    """How far a training run is; the words of the platform's experiments."""

    WAITING = "WAITING"
    """No runner has taken it up yet."""
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def is_over(self) -> bool:
        """Whether nothing changes any more."""
        return self not in (RunState.WAITING, RunState.RUNNING)


class Cause(str, Enum):
    """What set a training run off."""

    REVIEWS = "reviews"
    """Enough reviews were submitted since the last one."""
    ALERT = "alert"
    """An alert fired: drift, a metric that fell, …"""
    SCHEDULE = "schedule"
    PERSON = "person"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a training run may use."""

    memory_gb: float | None = None
    """GiB of memory of each of its processes; None does not limit it."""
    cpu_s: float | None = None
    """Seconds of processor time of each of its processes."""
    wall_s: float = 6 * 3600.0
    """Seconds from start to end."""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Limits:
        """The limits among `experiment_parameters`: `{"limits": {"memory_gb": 4}}`.

        Raises:
            InvalidInputError: they are no limits.
        """
        given = parameters.get(LIMITS_KEY)
        if given is None:
            return cls()
        known = ("memory_gb", "cpu_s", "wall_s")
        if not isinstance(given, Mapping) or not set(given) <= set(known):
            raise InvalidInputError(
                f"The limits of training are {', '.join(known)}; got {given!r}.",
                "For example: experiment_parameters={'limits': {'memory_gb': 4, 'wall_s': 3600}}.",
            )
        for name, value in given.items():
            if not _is_amount(value):
                raise InvalidInputError(
                    f"The limit {name} of training is a number above 0; got {value!r}.",
                    "Leave it out to have no such limit.",
                )
        return cls(**{name: float(value) for name, value in given.items()})


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The new version beside the champion, on data that neither was trained on."""

    dataset: str
    """`digits/held-out`."""
    comparison: Comparison | None
    """The champion, and the new version as its `shadow`; None where they cannot be compared."""
    said: str = ""
    """Why they cannot, or what was left out."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One training run of a deployment's model."""

    id: str
    deployment_id: str
    cause: Cause
    said: str
    """What set it off, in words."""
    state: RunState
    created_at: float
    """Seconds since the epoch, UTC, as all times here."""
    started_at: float | None = None
    ended_at: float | None = None
    place: str = ""
    """Where somebody had a kernel do it; empty where the platform's own machine does."""
    attempt: int = 0
    """How often a runner has taken it up."""
    progress: float = 0.0
    """Cells of the notebook that are done, in [0, 1]."""
    step: str = ""
    """What it is at: `training`, `evaluating on digits/held-out`, …"""
    error: str = ""
    experiment_id: str = ""
    experiment: str = ""
    """Name of the experiment; empty before it is taken up."""
    base: str = ""
    """The version it begins with: `digits-detector:0`."""
    version: str = ""
    """The version that came of it; empty before."""
    version_id: str = ""
    held_out: HeldOut | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """What a run noted again and again under one name, or once."""

    name: str
    values: tuple[float, ...]
    """One at least, the newest last."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is set up of continuous training, and how near the next run is."""

    is_set_up: bool
    is_active: bool
    project: str = ""
    threshold: int | None = None
    """Submitted reviews after which training begins; None where they do not trigger it."""
    untrained: int = 0
    """Reviews submitted since the last run."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)
    """What training calls a dataset version, and its own name: `train: digits/v2`."""


def _is_amount(value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and value > 0  # type: ignore[arg-type,operator]
