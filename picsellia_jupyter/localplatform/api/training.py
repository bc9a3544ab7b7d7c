"""Training runs as people see them: begun, looked at, cancelled, retried; and what triggers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.training import Cause
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.alerts import Alert
from picsellia_jupyter.localplatform.tables.base import new_id
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.jobs import LoggingLine
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline, PipelineDataset
from picsellia_jupyter.localplatform.tables.projects import Experiment, ExperimentLog, Project
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.training import TrainingRun, TrainingTrigger
from picsellia_jupyter.localplatform.training import begin, cancel, retry
from picsellia_jupyter.localplatform.training_jobs import attached_to, title_of
from picsellia_jupyter.localplatform.triggers import in_words

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["training"])
LINES = 500
"""Lines of a log in one reply."""
_OFTENEST_S = 60.0


class NewRun(BaseModel):
    """Where a training run is to be done."""

    place: str = Field(default="", max_length=500)
    """Somebody has a kernel there do it; empty: this platform starts its runner."""


class RunReply(BaseModel):
    """A training run."""

    id: UUID
    deployment_id: UUID
    cause: str
    said: str
    """What set it off, in words."""
    state: str
    place: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    attempt: int
    progress: float
    step: str
    error: str
    is_cancelled: bool
    experiment_id: UUID | None
    experiment: str
    base: str
    version: str
    version_id: UUID | None
    held_out: dict[str, Any] | None


class RunList(BaseModel):
    """Training runs, newest first."""

    items: list[RunReply]
    count: int | None
    next_cursor: str | None


class PlanReply(BaseModel):
    """What is set up of continuous training."""

    is_set_up: bool
    is_active: bool
    project: str
    threshold: int | None
    untrained: int
    """Reviews submitted since the last run."""
    parameters: dict[str, Any]
    datasets: dict[str, str]


class LogReply(BaseModel):
    """Lines that a run printed."""

    lines: list[str]
    after: int
    """Number of the last one; ask for those after it."""


class Metric(BaseModel):
    """A number or a curve that a run noted."""

    name: str
    type: str
    data: Any


class MetricsReply(BaseModel):
    """What a run noted."""

    items: list[Metric]


class NewTrigger(BaseModel):
    """When training is to begin by itself."""

    alert_id: UUID | None = None
    """Once for each time that this alert fires."""
    every_s: float | None = Field(default=None, ge=_OFTENEST_S, le=366 * 86_400)
    """Or every so many seconds."""
    cooldown_s: float = Field(default=86_400.0, ge=0, le=366 * 86_400)
    """Not within so many seconds after a run."""


class TriggerReply(BaseModel):
    """What sets training off."""

    id: UUID
    alert_id: UUID | None
    every_s: float | None
    cooldown_s: float
    said: str


class TriggerList(BaseModel):
    """All that sets training of a deployment off, beside reviews."""

    items: list[TriggerReply]


@router.get("/api/local/deployments/{deployment_id}/training")
def get_plan(here: Here, deployment_id: UUID) -> PlanReply:
    """What is set up of continuous training, and how near the next run is."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        known = session.scalars(select(Pipeline).filter_by(deployment_id=deployment.id)).first()
        loop = known or Pipeline(deployment_id=deployment.id, created_at=deployment.created_at)
        settings = loop.training_settings or {}
        project = session.get(Project, settings.get("project_id", ""))
        counts = settings.get("trigger") == "FEEDBACK_LOOP"
        attached = attached_to(session, deployment.id)
        return PlanReply(
            is_set_up=loop.training_settings is not None,
            is_active=loop.training_active,
            project=project.name if project else "",
            threshold=settings.get("threshold") if counts else None,
            untrained=(loop.submitted_reviews or 0) - (loop.trained_reviews or 0),
            parameters=settings.get("experiment_parameters") or {},
            datasets={name: title_of(version) for name, version in attached.items()},
        )


@router.delete("/api/local/deployments/{deployment_id}/training/datasets/{name}", status_code=204)
def detach_by_name(here: Here, deployment_id: UUID, name: str) -> None:
    """Have training no longer use the dataset version that it calls so."""
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        known = attached_to(session, deployment.id)
        if name not in known:
            raise NotFoundError.named("attached dataset", name, list(known))
        session.execute(
            delete(PipelineDataset).filter_by(
                deployment_id=deployment.id,
                role="CONTINUOUS_TRAINING",
                dataset_version_id=known[name].id,
            )
        )


# Runs ----------------------------------------------------------------------------------------


@router.post("/api/local/deployments/{deployment_id}/training/runs", status_code=201)
def start_run(here: Here, deployment_id: UUID, body: NewRun | None = None) -> RunReply:
    """Train now, whatever was reviewed."""
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        run = begin(
            session, deployment, Cause.PERSON, episode=f"person:{new_id()}",
            said="Somebody asked for it.", now=here.clock(), place=body.place if body else "",
        )  # fmt: skip
        return spell_run(session, run)


@router.get("/api/local/deployments/{deployment_id}/training/runs")
def list_runs(here: Here, deployment_id: UUID, asked: Asked) -> RunList:
    """Training runs of a deployment, newest first."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        query = select(TrainingRun).filter_by(deployment_id=deployment.id)
        found = page(session, query, TrainingRun, asked)
        items = [spell_run(session, row) for row in found.rows]
        return RunList(items=items, count=found.count, next_cursor=found.next_cursor)


@router.get("/api/local/training/runs/{run_id}")
def get_run(here: Here, run_id: UUID) -> RunReply:
    """A training run as it is now."""
    with here.store.reading() as session:
        return spell_run(session, the(session, TrainingRun, run_id, kind="training run"))


@router.post("/api/local/training/runs/{run_id}/cancel")
def cancel_run(here: Here, run_id: UUID) -> RunReply:
    """Ask for the end of a run."""
    with here.store.writing() as session:
        return spell_run(session, cancel(session, run_id, now=here.clock()))


@router.post("/api/local/training/runs/{run_id}/retry", status_code=201)
def retry_run(here: Here, run_id: UUID, body: NewRun | None = None) -> RunReply:
    """Have a run that failed or was cancelled done again."""
    with here.store.writing() as session:
        run = the(session, TrainingRun, run_id, kind="training run")
        place = body.place if body else ""
        return spell_run(session, retry(session, run, now=here.clock(), place=place))


@router.get("/api/local/training/runs/{run_id}/log")
def get_log(here: Here, run_id: UUID, after: int = -1) -> LogReply:
    """Lines that a run printed, after a number; the newest of them where they are many."""
    with here.store.reading() as session:
        run = the(session, TrainingRun, run_id, kind="training run")
        query = select(LoggingLine).where(
            LoggingLine.owner_id == (run.experiment_id or ""), LoggingLine.line_nb > after
        )
        rows = session.scalars(query.order_by(LoggingLine.line_nb.desc()).limit(LINES)).all()
        lines = [line for row in reversed(rows) for line in _lines_of(row)]
        return LogReply(lines=lines, after=rows[0].line_nb if rows else after)


@router.get("/api/local/training/runs/{run_id}/metrics")
def get_metrics(here: Here, run_id: UUID) -> MetricsReply:
    """Numbers and curves that a run noted, oldest first."""
    with here.store.reading() as session:
        run = the(session, TrainingRun, run_id, kind="training run")
        query = select(ExperimentLog).where(
            ExperimentLog.experiment_id == (run.experiment_id or ""),
            ExperimentLog.type.in_(("VALUE", "LINE")),
        )
        rows = session.scalars(query.order_by(ExperimentLog.created_at)).all()
        return MetricsReply(
            items=[Metric(name=row.name, type=row.type, data=row.data) for row in rows]
        )


# Triggers ------------------------------------------------------------------------------------


@router.post("/api/local/deployments/{deployment_id}/training/triggers", status_code=201)
def add_trigger(here: Here, deployment_id: UUID, body: NewTrigger) -> TriggerReply:
    """Have training begin by itself."""
    if (body.alert_id is None) == (body.every_s is None):
        raise InvalidInputError(
            "A trigger is an alert or a schedule.", "Give alert_id or every_s, one of them."
        )
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        if body.alert_id is not None:
            _own_alert(session, deployment, body.alert_id)
        row = TrainingTrigger(
            deployment_id=deployment.id,
            alert_id=str(body.alert_id) if body.alert_id else None,
            every_s=body.every_s,
            cooldown_s=body.cooldown_s,
            created_at=here.clock(),
        )
        session.add(row)
        session.flush()
        return _spelled(session, row)


@router.get("/api/local/deployments/{deployment_id}/training/triggers")
def list_triggers(here: Here, deployment_id: UUID) -> TriggerList:
    """What sets training off, beside reviews."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        query = select(TrainingTrigger).filter_by(deployment_id=deployment.id)
        rows = session.scalars(query.order_by(TrainingTrigger.created_at)).all()
        return TriggerList(items=[_spelled(session, row) for row in rows])


@router.delete("/api/local/training/triggers/{trigger_id}", status_code=204)
def remove_trigger(here: Here, trigger_id: UUID) -> None:
    """Have it set off training no more."""
    with here.store.writing() as session:
        session.delete(the(session, TrainingTrigger, trigger_id, kind="training trigger"))


def spell_run(session: Session, row: TrainingRun) -> RunReply:
    """A training run, with the names of what it refers to."""
    experiment = session.get(Experiment, row.experiment_id or "")
    names = {
        "experiment": experiment.name if experiment else "",
        "base": _title(session, row.base_version_id),
        "version": _title(session, row.version_id),
    }
    fields = {name: getattr(row, name, None) for name in RunReply.model_fields}
    return RunReply.model_validate({**fields, **names})


def _lines_of(row: LoggingLine) -> list[str]:
    # The SDK sends a line, or several in one go.
    return [str(one) for one in row.log] if isinstance(row.log, list) else [str(row.log)]


def _title(session: Session, version_id: str | None) -> str:
    found = session.get(ModelVersion, version_id or "")
    return f"{found.model.name}:{found.version}" if found else ""


def _own_alert(session: Session, deployment: Deployment, alert_id: UUID) -> None:
    alert = the(session, Alert, alert_id, kind="alert")
    if alert.deployment_id != deployment.id:
        raise InvalidInputError(
            f"The alert {alert.name!r} watches another deployment.", "Name one of this one's."
        )


def _spelled(session: Session, row: TrainingTrigger) -> TriggerReply:
    alert = session.get(Alert, row.alert_id or "")
    said = f"when {alert.name!r} fires" if alert else f"every {in_words(row.every_s or 0.0)}"
    fields = {name: getattr(row, name, None) for name in TriggerReply.model_fields}
    return TriggerReply.model_validate({**fields, "said": said})
