"""Training runs as their runners see them: claimed, told of, exported, compared, ended."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, PicselliaJupyterError
from picsellia_jupyter.domain.training import NOTEBOOK_KEY, Limits, RunState
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.held_out import compared, images_of
from picsellia_jupyter.localplatform.metered_training import TrainingLedger
from picsellia_jupyter.localplatform.metering import Ledger
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin, Platform
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.projects import Experiment
from picsellia_jupyter.localplatform.tables.training import TrainingRun
from picsellia_jupyter.localplatform.training import beat, claim, held, settings_of
from picsellia_jupyter.localplatform.training_jobs import (
    data_of,
    export,
    finish,
    furnish,
    handed_on,
    held_out_of,
)

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["training"])
Runner = Annotated[str, Field(min_length=8, max_length=80)]


class JobReply(BaseModel):
    """What a runner is to do."""

    state: str
    """RUNNING; FAILED where there is nothing to be done, and `error` says why."""
    error: str
    experiment_id: UUID | None
    base_version_id: UUID
    parameters: dict[str, Any]
    """What the notebook is given."""
    notebook: str
    """Path of the notebook where the version has none; may be empty."""
    datasets: dict[str, UUID]
    memory_gb: float | None
    cpu_s: float | None
    wall_s: float


class Beat(BaseModel):
    """A runner lives."""

    runner: Runner
    progress: float = Field(ge=0, le=1, allow_inf_nan=False)
    step: str = Field(default="", max_length=500)
    tick: int | None = Field(default=None, ge=1)
    """Counted by the runner; MPU are settled once for each. None: the next one."""


class BeatReply(BaseModel):
    """What is wanted of a runner."""

    is_cancelled: bool


class ExportReply(BaseModel):
    """The version that came of a run."""

    version_id: UUID


class HeldOutImage(BaseModel):
    """An image to be predicted on."""

    asset_id: UUID
    filename: str
    width: int
    height: int
    url: str


class HeldOutReply(BaseModel):
    """What versions are compared on."""

    dataset: str
    """Empty where none is attached as `eval` or `test`."""
    said: str
    images: list[HeldOutImage]


class Found(BaseModel):
    """What two versions found, by the ids of assets."""

    runner: Runner
    champion: dict[str, dict[str, Any]]
    challenger: dict[str, dict[str, Any]]


class End(BaseModel):
    """How a run ended."""

    runner: Runner
    state: Literal["SUCCESS", "FAILED", "CANCELED"]
    error: str = Field(default="", max_length=20_000)


@router.post("/api/local/training/runs/{run_id}/claim")
def claim_run(here: Here, run_id: UUID, runner: Annotated[Runner, Body(embed=True)]) -> JobReply:
    """Take a run up; one that cannot be done has failed by that."""
    now = here.clock()
    with here.store.writing() as session:
        run = claim(session, run_id, runner, now=now)
        try:
            TrainingLedger(Ledger(here, session)).reserve(run.id, runner)
            furnish(session, run, now=now)
        except PicselliaJupyterError as error:
            _settle(here, session, run)
            finish(session, run, RunState.FAILED, error=str(error), now=now)
        return _job(session, run)


@router.post("/api/local/training/runs/{run_id}/beat")
def beat_run(here: Here, run_id: UUID, body: Beat) -> BeatReply:
    """Note that the runner lives; say whether it is to end."""
    with here.store.writing() as session:
        run = beat(
            session, run_id, body.runner,
            progress=body.progress, step=body.step, now=here.clock(),
        )  # fmt: skip
        name = _account_name(session, run)
        why = TrainingLedger(Ledger(here, session)).tick(run.id, body.runner, body.tick, name=name)
        if why:
            run.is_cancelled, run.error = True, why
        return BeatReply(is_cancelled=run.is_cancelled)


@router.post("/api/local/training/runs/{run_id}/export")
def export_run(
    here: Here, run_id: UUID, runner: Annotated[Runner, Body(embed=True)]
) -> ExportReply:
    """Make the next model version of what was trained."""
    with here.store.writing() as session:
        version = export(session, held(session, run_id, runner), now=here.clock())
        return ExportReply(version_id=UUID(version.id))


@router.post("/api/local/training/runs/{run_id}/held-out/images")
def list_held_out(
    here: Here, origin: Origin, run_id: UUID, runner: Annotated[Runner, Body(embed=True)]
) -> HeldOutReply:
    """The images that the new version is to be compared on."""
    with here.store.reading() as session:
        run = held(session, run_id, runner)
        try:
            data = held_out_of(session, run)
        except ConflictError as error:
            return HeldOutReply(dataset="", said=str(error), images=[])
        if data is None:
            said = "No dataset version is attached as 'eval' or 'test'."
            return HeldOutReply(dataset="", said=said, images=[])
        speller = Speller(here, session, origin)
        found = images_of(session, run, data)
        spelled = speller.data([row for _, row in found.assets])
        images = [
            HeldOutImage(
                asset_id=UUID(asset.id),
                filename=row.filename,
                width=row.width or 0,
                height=row.height or 0,
                url=told["presigned_url"],
            )
            for (asset, row), told in zip(found.assets, spelled, strict=True)
        ]
        return HeldOutReply(dataset=data.title, said=found.said, images=images)


@router.post("/api/local/training/runs/{run_id}/held-out")
def compare(here: Here, run_id: UUID, body: Found) -> dict[str, Any]:
    """Compare the new version with the champion by what both found."""
    with here.store.reading() as session:
        run = held(session, run_id, body.runner)
        data = held_out_of(session, run)
        if data is None:
            raise ConflictError(
                "No data is held out.", "Attach a dataset version as 'eval', and lock it."
            )
        told = compared(session, run, data, body.champion, body.challenger)
    with here.store.writing() as session:
        held(session, run_id, body.runner).held_out = told
    return told


@router.post("/api/local/training/runs/{run_id}/end", status_code=204)
def end_run(here: Here, run_id: UUID, body: End) -> None:
    """Note how a run ended; a version that came of it goes to continuous deployment."""
    with here.store.writing() as session:
        run = held(session, run_id, body.runner)
        _settle(here, session, run)
        error = body.error or run.error
        finish(session, run, RunState(body.state), error=error, now=here.clock())


def _settle(here: Platform, session: Session, run: TrainingRun) -> None:
    """Charge what a run that has ended used at last, and let go of what it holds."""
    name = _account_name(session, run)
    TrainingLedger(Ledger(here, session)).settle(run.id, name=name)


def _account_name(session: Session, run: TrainingRun) -> str:
    """What an account of MPU calls a run."""
    return f"training of {session.get_one(Deployment, run.deployment_id).name}"


def _job(session: Session, run: TrainingRun) -> JobReply:
    limits = Limits.of(settings_of(run))
    known = session.get(Experiment, run.experiment_id or "")
    return JobReply(
        state=run.state,
        error=run.error,
        experiment_id=UUID(known.id) if known else None,
        base_version_id=UUID(run.base_version_id),
        parameters=handed_on(run),
        notebook=str(settings_of(run).get(NOTEBOOK_KEY) or ""),
        datasets={name: UUID(version.id) for name, version in data_of(session, run).items()},
        memory_gb=limits.memory_gb,
        cpu_s=limits.cpu_s,
        wall_s=limits.wall_s,
    )
