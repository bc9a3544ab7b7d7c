"""Experiments: their state, datasets, logs, and what is published of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.api.jobs import Line
from picsellia_jupyter.localplatform.deleting import remove_blobs
from picsellia_jupyter.localplatform.experiments import (
    delete_experiment,
    find_log,
    log_named,
    longer,
    publish,
    spell_experiment,
    spell_log,
)
from picsellia_jupyter.localplatform.finding import refuse_taken
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Name, Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.spelling_datasets import spell_dataset_versions
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datasets import DatasetVersion
from picsellia_jupyter.localplatform.tables.projects import (
    Artifact,
    Experiment,
    ExperimentDataset,
    ExperimentLog,
)
from picsellia_jupyter.localplatform.tables.registry import Model, ModelFile, ModelVersion
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
ExperimentStatus = Literal["RUNNING", "CANCELED", "TERMINATED", "FAILED", "WAITING", "SUCCESS"]
JobStatus = Literal["RUNNING", "SUCCESS", "TERMINATED", "FAILED"]
LogType = Literal[
    "VALUE", "IMAGE", "LINE", "TABLE", "BAR", "HEATMAP", "LABELMAP", "EVALUATION"
]  # fmt: skip


class ExperimentChange(BaseModel):
    """What to change of an experiment; what is left out stays."""

    name: Name | None = None
    description: str | None = None
    status: ExperimentStatus | None = None


class NamedDataset(BaseModel):
    """A dataset version, and what the experiment calls it."""

    name: Words
    dataset_version_id: UUID


class BaseModelVersion(BaseModel):
    """The model version an experiment begins with."""

    model_version_id: UUID
    attach_base_parameters: bool | None = None
    attach_model_files: bool | None = None


class NewLog(BaseModel):
    """Something to be noted."""

    name: Words
    type: LogType
    data: Any


class LogChange(BaseModel):
    """What to change of a log; what is left out stays."""

    name: Words | None = None
    data: Any = None


@router.get("/api/experiment/{experiment_id}")
def get_experiment(here: Here, experiment_id: UUID) -> Json:
    """An experiment by its id."""
    with here.store.reading() as session:
        return spell_experiment(the(session, Experiment, experiment_id, kind="experiment"))


@router.patch("/api/experiment/{experiment_id}")
def update_experiment(here: Here, experiment_id: UUID, body: ExperimentChange) -> Json:
    """Rename or describe an experiment, or say how it goes."""
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        if body.name is not None:
            refuse_taken(
                session, Experiment, body.name, kind="experiment of this project", but=row.id,
                project_id=row.project_id,
            )  # fmt: skip
            row.name = body.name
        if body.description is not None:
            row.description = body.description
        row.status = body.status or row.status
        return spell_experiment(row)


@router.delete("/api/experiment/{experiment_id}", status_code=204)
def remove_experiment(here: Here, experiment_id: UUID) -> None:
    """Delete an experiment with its logs and files."""
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        blobs = delete_experiment(session, row)
    remove_blobs(here, blobs)


@router.patch("/api/experiment/{experiment_id}/job/status")
def update_job_status(
    here: Here, experiment_id: UUID, status: Annotated[JobStatus, Body(embed=True)]
) -> Json:
    """Say how the training program of an experiment goes."""
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        row.job_status = status
        return spell_experiment(row)


@router.post("/api/experiment/{experiment_id}/experiment")
def set_base_experiment(
    here: Here, experiment_id: UUID, base_experiment_id: Annotated[UUID, Body(embed=True)]
) -> Json:
    """Say which experiment this one goes on from."""
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        base = the(session, Experiment, base_experiment_id, kind="experiment")
        _refuse_loop(session, row, base)
        row.base_experiment_id = base.id
        return spell_experiment(row)


@router.post("/api/experiment/{experiment_id}/model")
def set_base_model_version(here: Here, experiment_id: UUID, body: BaseModelVersion) -> Json:
    """Say which model version an experiment begins with; take its parameters and files along."""
    now = here.clock()
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        version = the(session, ModelVersion, body.model_version_id, kind="model version")
        row.base_model_version_id = version.id
        parameters = (version.settings or {}).get("parameters")
        if body.attach_base_parameters and parameters:
            log_named(session, row.id, "parameters", "TABLE", parameters, now=now)
        if body.attach_model_files:
            _attach_files(session, row, version, now=now)
        return spell_experiment(row)


# Its datasets --------------------------------------------------------------------------------


@router.post("/api/experiment/{experiment_id}/datasets", status_code=201)
def attach_dataset(here: Here, experiment_id: UUID, body: NamedDataset) -> Json:
    """Have an experiment use a dataset version under a name of its own."""
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        version = the(session, DatasetVersion, body.dataset_version_id, kind="dataset version")
        refuse_taken(
            session, ExperimentDataset, body.name, kind="dataset of this experiment",
            experiment_id=row.id,
        )  # fmt: skip
        same = select(ExperimentDataset).filter_by(
            experiment_id=row.id, dataset_version_id=version.id
        )
        if session.scalars(same).first():
            raise ConflictError(
                f"{version.dataset.name}/{version.version} is attached already.",
                "Detach it first to give it another name.",
            )
        attached = ExperimentDataset(
            experiment_id=row.id,
            dataset_version_id=version.id,
            name=body.name,
            created_at=here.clock(),
        )
        session.add(attached)
        session.flush()
        return _spelled(session, attached)


@router.get("/api/experiment/{experiment_id}/datasets")
def list_datasets(here: Here, experiment_id: UUID, asked: Asked) -> Json:
    """Dataset versions that an experiment uses, with their names there."""
    with here.store.reading() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        query = select(ExperimentDataset).filter_by(experiment_id=row.id)
        found = page(session, query, ExperimentDataset, asked)
        return found.reply([_spelled(session, one) for one in found.rows])


@router.get("/api/experiment/{experiment_id}/datasets/find")
def find_dataset(here: Here, experiment_id: UUID, name: str) -> Json:
    """A dataset version that an experiment uses, by its name there."""
    with here.store.reading() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        rows = session.scalars(select(ExperimentDataset).filter_by(experiment_id=row.id)).all()
        found = next((one for one in rows if one.name == name), None)
        if found is None:
            raise NotFoundError.named("attached dataset", name, [one.name for one in rows])
        return _spelled(session, found)


@router.delete("/api/experiment/{experiment_id}/datasets", status_code=204)
def detach_datasets(
    here: Here, experiment_id: UUID, ids: Annotated[list[UUID], Body(embed=True)]
) -> None:
    """Have an experiment no longer use dataset versions."""
    gone = ExperimentDataset.dataset_version_id.in_([str(ident) for ident in ids])
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        session.execute(delete(ExperimentDataset).filter_by(experiment_id=row.id).where(gone))


# Its logs ------------------------------------------------------------------------------------


@router.post("/api/experiment/{experiment_id}/logs", status_code=201)
def log(here: Here, experiment_id: UUID, body: NewLog, raise_on_conflict: bool = False) -> Json:
    """Note something of an experiment; what has that name already is replaced, or refused."""
    now = here.clock()
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        made = log_named(
            session, row.id, body.name, body.type, body.data, now=now,
            replace=not raise_on_conflict,
        )  # fmt: skip
        return spell_log(made)


@router.get("/api/experiment/{experiment_id}/logs/extended")
def list_logs(here: Here, experiment_id: UUID, asked: Asked) -> Json:
    """Logs of an experiment with their data."""
    with here.store.reading() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        query = select(ExperimentLog).filter_by(experiment_id=row.id)
        found = page(session, query, ExperimentLog, asked)
        return found.reply([spell_log(one) for one in found.rows])


@router.get("/api/experiment/{experiment_id}/logs/ids")
def list_log_ids(here: Here, experiment_id: UUID) -> list[str]:
    """Ids of the logs of an experiment."""
    with here.store.reading() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        return list(session.scalars(select(ExperimentLog.id).filter_by(experiment_id=row.id)))


@router.get("/api/experiment/{experiment_id}/logs/find")
def find_experiment_log(here: Here, experiment_id: UUID, name: str) -> Json:
    """A log of an experiment by its name."""
    with here.store.reading() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        found = find_log(session, row.id, name)
        if found is None:
            names = session.scalars(select(ExperimentLog.name).filter_by(experiment_id=row.id))
            raise NotFoundError.named("log", name, names.all())
        return spell_log(found)


@router.delete("/api/experiment/{experiment_id}/logs", status_code=204)
def delete_logs(
    here: Here, experiment_id: UUID, ids: Annotated[list[UUID], Body(embed=True)]
) -> None:
    """Delete logs of an experiment; ids that are gone already are passed over."""
    gone = ExperimentLog.id.in_([str(ident) for ident in ids])
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        session.execute(delete(ExperimentLog).filter_by(experiment_id=row.id).where(gone))


@router.get("/api/log/{log_id}")
def get_log(here: Here, log_id: UUID) -> Json:
    """A log by its id."""
    with here.store.reading() as session:
        return spell_log(the(session, ExperimentLog, log_id, kind="log"))


@router.patch("/api/log/{log_id}")
def update_log(here: Here, log_id: UUID, body: LogChange) -> Json:
    """Rename a log, or replace what it says."""
    with here.store.writing() as session:
        row = the(session, ExperimentLog, log_id, kind="log")
        if body.name is not None:
            refuse_taken(
                session, ExperimentLog, body.name, kind="log of this experiment", but=row.id,
                experiment_id=row.experiment_id,
            )  # fmt: skip
            row.name = body.name
        if body.data is not None:
            row.data = body.data
        return spell_log(row)


@router.post("/api/log/{log_id}/append")
def append_log(here: Here, log_id: UUID, data: Annotated[Any, Body(embed=True)]) -> Json:
    """Add points to a curve: an object of lists, a list, or one number."""
    with here.store.writing() as session:
        row = the(session, ExperimentLog, log_id, kind="log")
        row.data = longer(row.data, data)
        return spell_log(row)


@router.delete("/api/log/{log_id}", status_code=204)
def delete_log(here: Here, log_id: UUID) -> None:
    """Delete a log."""
    with here.store.writing() as session:
        session.delete(the(session, ExperimentLog, log_id, kind="log"))


@router.post("/api/experiment/{experiment_id}/logging")
def add_line(here: Here, experiment_id: UUID, body: Line) -> Json:
    """Keep a line that the training program printed."""
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        session.add(body.row(row.id, now=here.clock()))
        return {"line_nb": body.line_nb}


# Publishing ----------------------------------------------------------------------------------


@router.post("/api/experiment/{experiment_id}/publish", status_code=201)
def export_as_model(
    here: Here, origin: Origin, experiment_id: UUID, name: Annotated[Name, Body(embed=True)]
) -> Json:
    """Make a model of an experiment."""
    now = here.clock()
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        refuse_taken(session, Model, name, kind="model")
        model = Model(name=name, description=row.description, created_at=now)
        session.add(model)
        session.flush()
        version = publish(session, row, model, now=now)
        return Speller(here, session, origin).versions([version])[0]


@router.post("/api/experiment/{experiment_id}/publish/version", status_code=201)
def export_in_existing_model(
    here: Here, origin: Origin, experiment_id: UUID, model_id: Annotated[UUID, Body(embed=True)]
) -> Json:
    """Make the next version of a model of an experiment."""
    with here.store.writing() as session:
        row = the(session, Experiment, experiment_id, kind="experiment")
        model = the(session, Model, model_id, kind="model")
        version = publish(session, row, model, now=here.clock())
        return Speller(here, session, origin).versions([version])[0]


def _refuse_loop(session: Session, row: Experiment, base: Experiment) -> None:
    before: Experiment | None = base
    while before is not None:
        if before.id == row.id:
            raise InvalidInputError("An experiment cannot go on from itself.", "Name another one.")
        earlier = before.base_experiment_id
        before = session.get(Experiment, earlier) if earlier else None


def _spelled(session: Session, row: ExperimentDataset) -> Json:
    version = session.get_one(DatasetVersion, row.dataset_version_id)
    return {
        "id": row.id,
        "name": row.name,
        "dataset_version": spell_dataset_versions(session, [version])[0],
    }


def _attach_files(session: Session, row: Experiment, version: ModelVersion, *, now: float) -> None:
    taken = set(session.scalars(select(Artifact.name).filter_by(experiment_id=row.id)))
    for file in session.scalars(select(ModelFile).filter_by(version_id=version.id)).all():
        if file.name not in taken:
            session.add(
                Artifact(
                    experiment_id=row.id,
                    name=file.name,
                    filename=file.filename,
                    object_name=file.object_name,
                    connector_id=file.connector_id,
                    large=file.large,
                    created_at=now,
                )
            )
