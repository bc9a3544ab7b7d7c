"""The deploy form without its widgets: what was chosen, what is wrong, the line it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from picsellia_jupyter.domain.deployments import (
    DEFAULT_THRESHOLD,
    DeploymentPlan,
    DeploymentRecord,
    Strategy,
)
from picsellia_jupyter.domain.devices import AUTO
from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidThresholdError,
    ModelLoadError,
    NotFoundError,
    PackageMissingError,
    PicselliaJupyterError,
    QuotaSpentError,
)
from picsellia_jupyter.domain.links import LinkError
from picsellia_jupyter.domain.places import LOCAL
from picsellia_jupyter.domain.registry import InferenceType, ModelVersion
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.workflows import deploying
from picsellia_jupyter.workflows.deploying import DeployRequest


class Field(str, Enum):
    """A part of the form that an error can belong to."""

    MODEL = "model"
    STRATEGY = "strategy"
    THRESHOLD = "threshold"
    DATALAKE = "datalake"
    PLACE = "place"
    DEVICE = "device"
    NAME = "name"
    WHOLE = "whole"
    """None of them alone."""


@dataclass(frozen=True, slots=True)
class DeployForm:
    """What stands in the fields."""

    model: str = ""
    """A version as one types it: `digits-detector:0`; empty until one is chosen."""
    strategy: Strategy = Strategy.SERVING
    threshold: float = DEFAULT_THRESHOLD
    """In [0, 1]; left out where the version is a classification."""
    datalake: str = ""
    """Empty for the default one."""
    place: str = ""
    """Empty for none: the platform or the user hosts the model."""
    device: str = AUTO
    name: str = ""
    """Empty has the platform make two words up."""

    def request(self, choices: Choices) -> DeployRequest:
        """What is asked of `Session.deploy`; a field that does not apply is left out."""
        version = choices.find_version(self.model)
        place = self.place if takes_place(self.strategy, choices) else ""
        return DeployRequest(
            model=self.model,
            strategy=self.strategy.value,
            threshold=round(self.threshold, 3) if takes_threshold(version) else None,
            datalake=self.datalake if self.datalake and len(choices.lakes) > 1 else None,
            place=place or None,
            name=self.name.strip() or None,
            device=self.device if place and self.device != AUTO else None,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a form."""

    plan: DeploymentPlan | None
    """What it would make; None while something is wrong."""
    problems: Mapping[Field, PicselliaJupyterError] = field(default_factory=dict)
    known: DeploymentRecord | None = None
    """The deployment that its name stands for already, which would be served again."""

    @property
    def may_be_mended_elsewhere(self) -> bool:
        """Whether a problem may be gone already: a quota raised, a deployment removed."""
        elsewhere = (QuotaSpentError, ConflictError)
        return any(isinstance(problem, elsewhere) for problem in self.problems.values())


def takes_threshold(version: ModelVersion | None) -> bool:
    """Whether a threshold means something; it does not for classification."""
    return version is None or version.type is not InferenceType.CLASSIFICATION


def takes_place(strategy: Strategy, choices: Choices) -> bool:
    """Whether a place can be chosen: not where the platform hosts the model itself."""
    return not (choices.serves_itself and strategy is Strategy.SERVING)


def default_place(strategy: Strategy, choices: Choices) -> str:
    """Where the model runs if nothing is chosen; empty for nowhere of ours."""
    return LOCAL if strategy is Strategy.SERVING and takes_place(strategy, choices) else ""


def judge(form: DeployForm, choices: Choices) -> Verdict:
    """Check every field by itself, by the very workflow that deploys.

    The request grows field by field, so that an error belongs to the one that was added last.
    """
    if not choices.is_read:
        return Verdict(None)
    whole = form.request(choices)
    asked = DeployRequest(model=whole.model, strategy=Strategy.MONITORING.value)
    problems: dict[Field, PicselliaJupyterError] = {}
    plan: DeploymentPlan | None = None
    for part, added in _parts(whole):
        grown = replace(asked, **added)
        try:
            plan = deploying.check(
                grown,
                choices,
                choices,
                serves_itself=choices.serves_itself,
                saved=choices.saved,
            )
        except PicselliaJupyterError as error:
            problems[_blamed(part, error)] = error
            if Field.MODEL in problems:
                break
        else:
            asked = grown
    known = _known(plan, choices, problems) if plan else None
    if plan and not (known and known.state in deploying.LIVE):
        try:
            deploying.check_allowance(plan, choices.allowance)
        except QuotaSpentError as error:
            problems[Field.STRATEGY] = error
    return Verdict(None if problems else plan, problems, known)


def _parts(whole: DeployRequest) -> list[tuple[Field, dict[str, Any]]]:
    # The strategy goes with the place: each alone may be refused where both are not.
    return [
        (Field.MODEL, {}),
        (Field.PLACE, {"strategy": whole.strategy, "place": whole.place}),
        (Field.DEVICE, {"device": whole.device}),
        (Field.THRESHOLD, {"threshold": whole.threshold}),
        (Field.DATALAKE, {"datalake": whole.datalake}),
        (Field.NAME, {"name": whole.name}),
    ]


def _blamed(part: Field, error: PicselliaJupyterError) -> Field:
    # Places are chosen from a list, so what is not found as one is added is the model's file.
    is_file = part is Field.PLACE and isinstance(error, NotFoundError)
    return Field.MODEL if is_file else part


def _known(
    plan: DeploymentPlan, choices: Choices, problems: dict[Field, PicselliaJupyterError]
) -> DeploymentRecord | None:
    try:
        return deploying.existing(plan, choices)
    except ConflictError as error:
        problems[Field.NAME] = error
        return None


_FIELDS: tuple[tuple[type[PicselliaJupyterError], Field], ...] = (
    (InvalidThresholdError, Field.THRESHOLD),
    (ConflictError, Field.NAME),
    (QuotaSpentError, Field.STRATEGY),
    (LinkError, Field.PLACE),
    (PackageMissingError, Field.PLACE),
    (ModelLoadError, Field.MODEL),
    (NotFoundError, Field.MODEL),
)


def field_of(error: Exception) -> Field:
    """Where an error of a deployment that has begun belongs."""
    return next((part for kind, part in _FIELDS if isinstance(error, kind)), Field.WHOLE)
