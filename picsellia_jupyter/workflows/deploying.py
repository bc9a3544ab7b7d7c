"""Deploy a model version: check what was asked for, serve it, announce it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.deployments import (
    Check,
    DeploymentPlan,
    DeploymentRecord,
    DryRun,
    Progress,
    ProgressListener,
    ServingState,
    Stage,
    Strategy,
    checked_threshold,
)
from picsellia_jupyter.domain.devices import Compute
from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.domain.idling import DEFAULT_IDLE_S, parse_idle
from picsellia_jupyter.domain.places import LOCAL, RAY, Place
from picsellia_jupyter.domain.ports import (
    Clock,
    Datalakes,
    Deployments,
    KnownDeployments,
    Launcher,
    Registry,
    StagedServing,
)
from picsellia_jupyter.domain.predictions import PREDICTION_TYPES
from picsellia_jupyter.domain.registry import ModelReference, ModelVersion
from picsellia_jupyter.domain.scale import Scale
from picsellia_jupyter.workflows.registry import find_datalake, find_model_version
from picsellia_jupyter.workflows.shield import shielded

DEFAULT_FILE = "model-latest"
"""Name of the model file that is served where none is named."""
LIVE = frozenset(
    {
        ServingState.STARTING,
        ServingState.LOADING,
        ServingState.WARMING,
        ServingState.READY,
        ServingState.DEGRADED,
        ServingState.PAUSED,
    }
)
"""States in which a deployment has a serving kernel that goes on by itself."""


class Tell(Protocol):
    """Tells the listener of a stage."""

    def __call__(self, stage: Stage, detail: str, checks: tuple[Check, ...] = ()) -> None:
        """Say that it has begun, what is being done, and what was found out by it."""


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What a user asked for, unchecked."""

    model: str
    strategy: str = Strategy.SERVING.value
    threshold: float | None = None
    datalake: str | None = None
    place: str | None = None
    name: str | None = None
    model_file: str = DEFAULT_FILE
    device: str | None = None
    precision: str | None = None
    workers: int | None = None
    idle: str | None = None
    replicas: str | None = None

    def line(self) -> str:
        """The magic that asks for the same."""
        told = {
            "--threshold": None if self.threshold is None else f"{self.threshold:g}",
            "--datalake": self.datalake,
            "--on": self.place,
            "--name": self.name,
            "--file": None if self.model_file == DEFAULT_FILE else self.model_file,
            "--device": self.device,
            "--precision": self.precision,
            "--workers": None if self.workers is None else str(self.workers),
            "--idle": self.idle,
            "--replicas": self.replicas,
        }
        words = ["%deploy", shlex.quote(self.model), "--strategy", self.strategy]
        for option, value in told.items():
            # One word with its option: a value that begins with a dash would be taken for one.
            if value is not None and value.startswith("-"):
                words.append(f"{option}={shlex.quote(value)}")
            elif value is not None:
                words += [option, shlex.quote(value)]
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment that was announced."""

    record: DeploymentRecord
    dry_run: DryRun | None
    """None where no serving kernel was started."""
    staged: StagedServing | None


def check(
    request: DeployRequest,
    registry: Registry,
    datalakes: Datalakes,
    *,
    serves_itself: bool,
    saved: Mapping[str, str] | None = None,
) -> DeploymentPlan:
    """Turn what a user asked for into a plan.

    Args:
        request: what was typed.
        registry: where its model is looked up.
        datalakes: where its datalake is looked up.
        serves_itself: whether the platform hosts what is deployed with Picsellia Serving,
            as the cloud does; on the local platform we start its serving kernel.
        saved: addresses of the saved places by their names.

    Raises:
        NotFoundError: the model, version, file or datalake does not exist.
        InvalidThresholdError: the threshold is out of range, or none applies.
        InvalidInputError: the version's type cannot be served; or the strategy, the idle time,
            the number of replicas or workers, the device or the precision is none that there is.
    """
    strategy = Strategy.parse(request.strategy)
    version = find_model_version(registry, ModelReference.parse(request.model))
    _check_type(version)
    place = _place(request.place, strategy, saved, serves_itself=serves_itself)
    compute = Compute.parse(request.device, request.precision, request.workers)
    if place is None:
        _check_nothing_unused(request, compute)
    if place is not None:
        _check_file(registry, version, request.model_file)
    return DeploymentPlan(
        model_version=version,
        strategy=strategy,
        threshold=checked_threshold(request.threshold, version.type),
        datalake=find_datalake(datalakes, request.datalake),
        name=request.name or None,
        place=place,
        model_file=request.model_file,
        threshold_chosen=request.threshold is not None,
        datalake_chosen=request.datalake is not None,
        compute=compute,
        idle_s=parse_idle(request.idle) if request.idle else DEFAULT_IDLE_S,
        scale=_scale(request.replicas, place),
    )


def existing(plan: DeploymentPlan, deployments: KnownDeployments) -> DeploymentRecord | None:
    """The deployment this plan's name already stands for, to be served again.

    Running a cell twice must not fail: the same name for the same model version is the
    same deployment.

    Raises:
        ConflictError: the name stands for something else.
    """
    record = deployments.find_deployment(plan.name) if plan.name else None
    if record is None or _is_same(record, plan):
        return record
    raise ConflictError(
        f"The deployment {plan.name!r} exists already: {record.model_title}, "
        f"{record.strategy.title}, datalake {record.datalake_name!r}.",
        _as_another_version(record, plan)
        or f"Choose another --name, or remove it with: %undeploy {plan.name} --delete",
    )


def _as_another_version(record: DeploymentRecord, plan: DeploymentPlan) -> str:
    """What to type where only the version differs, as after a promotion; else nothing."""
    version = plan.model_version
    model = record.model_title.rpartition(":")[0]
    if model != version.model_name or record.strategy is not plan.strategy:
        return ""
    return (
        f"Serve that one: %deploy {record.model_title} --name {plan.name}; "
        f"{version.title} takes its place with: %promote {plan.name} {version.version}"
    )


def check_allowance(plan: DeploymentPlan, allowance: Allowance | None) -> None:
    """Refuse Picsellia Serving before anything is started, where no MPU is left for it.

    Raises:
        QuotaSpentError: it says what is left, and who to ask.
    """
    if allowance is not None and plan.strategy is Strategy.SERVING:
        allowance.check()


def deploy(
    plan: DeploymentPlan,
    deployments: Deployments,
    launcher: Launcher,
    *,
    listen: ProgressListener,
    clock: Clock,
    began: float,
) -> Deployed:
    """Serve the plan's model, try it on one image, and only then announce the deployment.

    Whatever goes wrong, or an interrupt, leaves nothing behind: no kernel, no deployment.

    Args:
        plan: what to deploy.
        deployments: where it is announced.
        launcher: starts its serving kernel, where the plan has a place.
        listen: told of every stage as it begins.
        clock: seconds, monotonic.
        began: when the deployment began, by that clock.

    Raises:
        QuotaSpentError: no MPU is left for Picsellia Serving.
    """

    def tell(stage: Stage, detail: str, checks: tuple[Check, ...] = ()) -> None:
        listen(Progress(stage, detail, clock() - began, checks))

    known = existing(plan, deployments)
    if known is not None:
        known = _with_threshold(known, plan, deployments)
        if known.state in LIVE:
            _check_same_serving(known, plan)
            tell(Stage.READY, f"{known.name} was being served already")
            return Deployed(known, None, None)
    check_allowance(plan, deployments.allowance())
    if not plan.place:
        return Deployed(_announced_alone(plan, known, deployments, tell), None, None)
    tell(Stage.DOWNLOAD, "starting a serving kernel")
    staged = shielded(lambda: launcher.start(plan), undo=lambda made: made.stop())
    try:
        return _announced(plan, known, staged, deployments, tell)
    except BaseException:
        staged.stop()
        raise


def _announced(
    plan: DeploymentPlan,
    known: DeploymentRecord | None,
    staged: StagedServing,
    deployments: Deployments,
    tell: Tell,
) -> Deployed:
    dry_run = staged.prepare(tell)
    tell(Stage.DRY_RUN, "passed", dry_run.checks)
    record = known or _created(plan, deployments)
    try:
        staged.attach(record)
        tell(Stage.READY, f"{record.name} is ready")
    except BaseException:
        if known is None:
            deployments.delete_deployment(record.id)
        raise
    return Deployed(record, dry_run, staged)


def _announced_alone(
    plan: DeploymentPlan,
    known: DeploymentRecord | None,
    deployments: Deployments,
    tell: Tell,
) -> DeploymentRecord:
    """The deployment of a model that no kernel of ours serves."""
    record = known or _created(plan, deployments)
    try:
        tell(Stage.READY, f"{record.name} is ready")
    except BaseException:
        if known is None:
            deployments.delete_deployment(record.id)
        raise
    return record


def _created(plan: DeploymentPlan, deployments: Deployments) -> DeploymentRecord:
    return shielded(
        lambda: deployments.create_deployment(plan),
        undo=lambda record: deployments.delete_deployment(record.id),
    )


def _is_same(record: DeploymentRecord, plan: DeploymentPlan) -> bool:
    """Whether a plan asks for nothing that a deployment is not."""
    lake = not plan.datalake_chosen or record.datalake_id == plan.datalake.id
    version = record.model_version_id == plan.model_version.id
    return version and lake and record.strategy is plan.strategy


def _with_threshold(
    known: DeploymentRecord, plan: DeploymentPlan, deployments: Deployments
) -> DeploymentRecord:
    """The deployment with the threshold that was asked for, if one was."""
    if not plan.threshold_chosen or plan.threshold in (None, known.threshold):
        return known
    return deployments.set_threshold(known.id, plan.threshold)


def _check_same_serving(known: DeploymentRecord, plan: DeploymentPlan) -> None:
    # Nobody remembers which file a running kernel serves, nor what it was told to serve it on,
    # so only the defaults are assumed.
    asked = plan.compute.words()
    if plan.model_file != DEFAULT_FILE:
        asked.insert(0, f"--file {plan.model_file}")
    if asked:
        raise ConflictError(
            f"{known.name!r} is being served already, perhaps otherwise "
            f"than with {' '.join(asked)}.",
            f"End that first: %undeploy {known.name}",
        )


def _check_nothing_unused(request: DeployRequest, compute: Compute) -> None:
    words = compute.words()
    if request.model_file != DEFAULT_FILE:
        words.append(f"--file {request.model_file}")
    if request.idle:
        words.append(f"--idle {request.idle}")
    if words:
        raise InvalidInputError(
            f"No serving kernel is started that could take {' '.join(words)}.",
            "Leave it out, or serve it here: --strategy monitoring --on local.",
        )


def _scale(replicas: str | None, place: str | None) -> Scale:
    scale = Scale.parse(replicas)
    if replicas is not None and not (place or "").startswith(RAY):
        raise InvalidInputError(
            f"--replicas {replicas} asks for Ray; elsewhere one serving kernel serves.",
            "Add --on ray, or leave it out.",
        )
    return scale


def _place(
    typed: str | None,
    strategy: Strategy,
    saved: Mapping[str, str] | None,
    *,
    serves_itself: bool,
) -> str | None:
    asked = Place.parse(typed, saved).name if typed else None
    if strategy is Strategy.SERVING and serves_itself:
        if asked:
            raise InvalidInputError(
                f"Picsellia Serving hosts the model itself; it cannot run on {asked!r}.",
                "Leave --on out, or serve it on your own hardware: --strategy monitoring.",
            )
        return None
    return asked or (LOCAL if strategy is Strategy.SERVING else None)


def _check_type(version: ModelVersion) -> None:
    if version.type not in PREDICTION_TYPES:
        raise InvalidInputError(
            f"The model version {version.title} is of type {version.type.value}.",
            f"Say what it finds: version.update(type=…), with one of "
            f"{', '.join(kind.value for kind in PREDICTION_TYPES)}.",
        )


def _check_file(registry: Registry, version: ModelVersion, name: str) -> None:
    known = [file.name for file in registry.files(version)]
    if name in known:
        return
    if not known:
        raise NotFoundError(
            f"{version.title} has no file yet.", f'Store its model: version.store("{name}", PATH)'
        )
    raise NotFoundError.named(
        f"file of {version.title}", name, known, remedy="Choose one with: --file NAME"
    )
