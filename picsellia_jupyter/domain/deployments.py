"""A deployment: one model version tied to production."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from numbers import Real

from picsellia_jupyter.domain import devices
from picsellia_jupyter.domain.devices import AUTO, Compute
from picsellia_jupyter.domain.errors import InvalidInputError, InvalidThresholdError
from picsellia_jupyter.domain.idling import DEFAULT_IDLE_S, idle_in_words
from picsellia_jupyter.domain.registry import Datalake, InferenceType, ModelVersion
from picsellia_jupyter.domain.scale import ONE, Scale

DEFAULT_THRESHOLD = 0.1
"""Low on purpose: start low, see how the model behaves, raise it later."""


class Strategy(str, Enum):
    """Who hosts the model."""

    SERVING = "serving"
    """Picsellia Serving: the platform hosts it, metered in MPU."""
    MONITORING = "monitoring"
    """Monitoring only: the user serves it and sends every prediction back; no MPU."""

    @classmethod
    def parse(cls, text: str) -> Strategy:
        """Read a strategy as it is typed.

        Raises:
            InvalidInputError: it is neither of the two.
        """
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise InvalidInputError(
                f"There is no strategy {text!r}.",
                "Use 'serving' (Picsellia Serving) or 'monitoring' (Monitoring only).",
            ) from None

    @property
    def title(self) -> str:  # type: ignore[override]
        """The strategy as the platform's pages call it."""
        return "Picsellia Serving" if self is Strategy.SERVING else "Monitoring only"


class ServingState(str, Enum):
    """What a serving kernel last said of itself."""

    STARTING = "starting"
    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    PAUSED = "paused"
    """Its MPU are spent; it goes on by itself once there are more."""
    STOPPED = "stopped"
    NOT_SERVED = "not served"
    """No serving kernel was ever started for it, as with Monitoring only."""
    HOSTED = "hosted"
    """Picsellia itself serves it; how it is only its web page says."""


class Stage(str, Enum):
    """The steps of a deployment, in their order."""

    RESOLVE = "resolve"
    DOWNLOAD = "download"
    LOAD = "load"
    DRY_RUN = "dry run"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist before a deployment is announced."""

    name: str
    found: str
    """What it is, in words."""
    remedy: str = ""
    """What to do about it; empty where all is well."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of a deployment that has begun, or the last one when it is done."""

    stage: Stage
    detail: str
    """In words: what is being done, to what."""
    elapsed_s: float
    """Seconds since the deployment began."""
    checks: tuple[Check, ...] = ()
    """What this step has found out, once it has."""


ProgressListener = Callable[[Progress], None]
"""Told of every step as it begins."""


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What a user chose, checked: everything a deployment is made from."""

    model_version: ModelVersion
    strategy: Strategy
    threshold: float | None
    """In [0, 1]; None for classification, which takes none."""
    datalake: Datalake
    name: str | None = None
    """None has the platform invent two words."""
    place: str | None = None
    """Where its serving kernel runs: `local`; None starts none."""
    model_file: str = "model-latest"
    """Name of the model file to serve."""
    threshold_chosen: bool = True
    """False where the user left it to the default."""
    datalake_chosen: bool = True
    """False where the user left it to the default."""
    compute: Compute = devices.DEFAULT
    """What it is to run on."""
    idle_s: float | None = DEFAULT_IDLE_S
    """Its serving kernel ends after so many seconds without a request; None never."""
    scale: Scale = ONE
    """How many replicas serve it, on Ray."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What one prediction before the announcement showed."""

    latency_s: float
    """Seconds of one warm prediction, decoding included."""
    found: int
    """Objects in the trial image."""
    runtime: str
    """What runs the model: `onnxruntime 1.31 (CPU)`."""
    sandbox: str = "process"
    """How the model worker is confined: `full` or `process`."""
    checks: tuple[Check, ...] = ()
    """The checklist that was gone through."""


@dataclass(frozen=True, slots=True)
class ServingKernel:
    """The serving kernel of a deployment, as it last reported itself."""

    kernel_id: str
    address: str
    """Loopback address of its front: `http://127.0.0.1:PORT`."""
    place: str
    pid: int | None = None
    model_version_id: str = ""
    """What it predicts with; empty where it does not say."""
    shadow_version_id: str = ""
    """Its shadow model, once that is ready; empty before, and where there is none."""


@dataclass(frozen=True, slots=True)
class FailedSwitch:
    """A champion that a serving kernel was to go over to and could not."""

    version_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Answers:
    """How many predictions a front gave since it began, and how many it could not give."""

    counter: str
    """Whose numbers these are: they begin anew with each front."""
    answered: int
    failed: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a serving kernel says of itself, every few seconds."""

    state: ServingState
    kernel: ServingKernel
    reason: str = ""
    """Why it is in its state, where that is not plain."""
    claim: bool = False
    """Whether this kernel takes the deployment over from any other; true in its first one."""
    failed: FailedSwitch | None = None
    """The champion that it could not go over to; it goes on with the one before."""
    answers: Answers | None = None
    """None where it does not count."""


@dataclass(frozen=True, slots=True)
class ServingJob:
    """What a serving kernel is told to do, in the first message it gets."""

    host: str
    """The platform's address."""
    token: str = field(repr=False)
    """API token for the platform; stays in the front, never reaches the model worker."""
    front_token: str = field(repr=False)
    """Bearer token of the front's own control routes."""
    organization_id: str
    model_version_id: str
    model_file: str
    """Name of the model file to serve."""
    cache_dir: str
    """Folder for downloaded model files."""
    place: str
    kernel_id: str
    device: str = AUTO
    """What the model is to run on: `auto`, `cpu`, `cuda` or `cuda:N`."""
    precision: str = AUTO
    """`auto`, `fp32`, `fp16` or `bf16`."""
    workers: int | None = None
    """Model workers; None for as many as pay."""
    idle_s: float | None = DEFAULT_IDLE_S
    """It ends after so many seconds without a request; None never."""
    resumes: str = ""
    """Id of the deployment that a kernel which was started anew served before; empty else."""
    relayed: bool = False
    """Whether a notebook asks the platform on its behalf, since it cannot reach it itself."""


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment as the platform keeps it."""

    id: str
    name: str
    type: InferenceType
    strategy: Strategy
    state: ServingState
    model_version_id: str
    model_title: str
    """The model version as one would type it: `digits-detector:0`."""
    threshold: float | None
    datalake_id: str
    datalake_name: str = ""
    labels: dict[int, str] = field(default_factory=dict)
    inferences: int | None = 0
    """Champion predictions recorded so far; None where the platform does not say."""
    created_at: float | None = None
    """Seconds since the epoch, UTC."""
    reason: str = ""
    """Why it is in its state, where that is not plain."""
    serving: ServingKernel | None = None
    url: str | None = None
    """Its page on the platform, where it has one."""
    sample_rate: float = 1.0
    """Share of the predictions that are kept with their image, in [0, 1]."""
    shadow_title: str = ""
    """The shadow model's version as one would type it; empty where there is none."""

    def line(
        self,
        *,
        model_file: str = "model-latest",
        compute: Compute = devices.DEFAULT,
        idle_s: float | None = DEFAULT_IDLE_S,
    ) -> str:
        """The magic this deployment stands for, as it is now: run again, it gives the same."""
        words = ["%deploy", self.model_title, f"--strategy {self.strategy.value}"]
        if self.threshold is not None:
            words.append(f"--threshold {self.threshold:g}")
        if self.datalake_name:
            words.append(f"--datalake {_quoted(self.datalake_name)}")
        if self.serving:
            words.append(f"--on {self.serving.place}")
        words.append(f"--name {_quoted(self.name)}")
        if model_file != "model-latest":
            words.append(f"--file {_quoted(model_file)}")
        words += compute.words()
        if idle_s != DEFAULT_IDLE_S:
            words.append(f"--idle {idle_in_words(idle_s)}")
        return " ".join(words)


def checked_threshold(threshold: float | None, kind: InferenceType) -> float | None:
    """The threshold a deployment of this type takes.

    Args:
        threshold: what the user gave; None takes the default.
        kind: the model version's type.

    Returns:
        A number in [0, 1], or None for classification.

    Raises:
        InvalidThresholdError: it lies outside [0, 1], or one is given for a classification.
    """
    given: object = threshold
    if given is not None and not isinstance(given, Real):
        raise InvalidThresholdError(
            f"A threshold is a number in [0, 1]; got {threshold!r}.", "0.1 is a good start."
        )
    if kind is InferenceType.CLASSIFICATION:
        if threshold is not None:
            raise InvalidThresholdError(
                f"A classification takes no threshold; got {threshold:g}.",
                "Its classes compete for the whole image and the first one counts. "
                "Leave --threshold out.",
            )
        return None
    if threshold is None:
        return DEFAULT_THRESHOLD
    if not 0 <= threshold <= 1:
        hint = (
            f"A percentage? {threshold:g} % is {threshold / 100:g}."
            if 1 < threshold <= 100
            else "0.1 is a good start."
        )
        raise InvalidThresholdError(f"A threshold lies in [0, 1]; got {threshold:g}.", hint)
    return float(threshold)


def _quoted(word: str) -> str:
    return f'"{word}"' if any(c.isspace() for c in word) else word
