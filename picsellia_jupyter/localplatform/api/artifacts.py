"""Files of experiments: artifacts, and what the training program printed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel
from sqlalchemy import select

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.localplatform.blobs import checked_object_name
from picsellia_jupyter.localplatform.deleting import remove_blobs
from picsellia_jupyter.localplatform.experiments import file_blobs, spell_artifact
from picsellia_jupyter.localplatform.finding import find_one, refuse_taken
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Filename, Words
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    Origin,
    Platform,
    connector_of,
)
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.projects import Artifact, Experiment, LoggingFile
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewArtifact(BaseModel):
    """An uploaded file to be made known to an experiment."""

    name: Words
    filename: Filename
    object_name: str
    large: bool = False


class ArtifactChange(BaseModel):
    """What to change of an artifact; what is left out stays."""

    name: Words | None = None
    filename: Filename | None = None
    object_name: str | None = None
    large: bool | None = None


@router.post("/api/experiment/{experiment_id}/artifacts", status_code=201)
def create_artifact(here: Here, origin: Origin, experiment_id: UUID, body: NewArtifact) -> Json:
    """Make an uploaded file known."""
    connector = _uploaded(here, body.object_name)
    with here.store.writing() as session:
        experiment = the(session, Experiment, experiment_id, kind="experiment")
        refuse_taken(
            session, Artifact, body.name, kind="artifact of this experiment",
            experiment_id=experiment.id,
        )  # fmt: skip
        row = Artifact(
            experiment_id=experiment.id,
            connector_id=connector.id,
            created_at=here.clock(),
            **body.model_dump(),
        )
        session.add(row)
        session.flush()
        return spell_artifact(Speller(here, session, origin), row)


@router.get("/api/experiment/{experiment_id}/artifacts")
def list_artifacts(here: Here, origin: Origin, experiment_id: UUID, asked: Asked) -> Json:
    """Artifacts of an experiment."""
    with here.store.reading() as session:
        experiment = the(session, Experiment, experiment_id, kind="experiment")
        query = select(Artifact).filter_by(experiment_id=experiment.id)
        found = page(session, query, Artifact, asked)
        speller = Speller(here, session, origin)
        return found.reply([spell_artifact(speller, row) for row in found.rows])


@router.get("/api/experiment/{experiment_id}/artifacts/ids")
def list_artifact_ids(here: Here, experiment_id: UUID) -> list[str]:
    """Ids of the artifacts of an experiment."""
    with here.store.reading() as session:
        experiment = the(session, Experiment, experiment_id, kind="experiment")
        return list(session.scalars(select(Artifact.id).filter_by(experiment_id=experiment.id)))


@router.get("/api/experiment/{experiment_id}/artifacts/find")
def find_artifact(here: Here, origin: Origin, experiment_id: UUID, name: str) -> Json:
    """An artifact of an experiment by its name."""
    with here.store.reading() as session:
        experiment = the(session, Experiment, experiment_id, kind="experiment")
        row = find_one(session, Artifact, kind="artifact", name=name, experiment_id=experiment.id)
        return spell_artifact(Speller(here, session, origin), row)


@router.delete("/api/experiment/{experiment_id}/artifacts", status_code=204)
def delete_artifacts(
    here: Here, experiment_id: UUID, ids: Annotated[list[UUID], Body(embed=True)]
) -> None:
    """Delete artifacts of an experiment; ids that are gone already are passed over."""
    wanted = Artifact.id.in_([str(ident) for ident in ids])
    with here.store.writing() as session:
        query = select(Artifact).filter_by(experiment_id=str(experiment_id)).where(wanted)
        rows = session.scalars(query).all()
        blobs = [blob for row in rows for blob in file_blobs(session, row)]
        for row in rows:
            session.delete(row)
    remove_blobs(here, blobs)


@router.get("/api/artifact/{artifact_id}")
def get_artifact(here: Here, origin: Origin, artifact_id: UUID) -> Json:
    """An artifact by its id."""
    with here.store.reading() as session:
        row = the(session, Artifact, artifact_id, kind="artifact")
        return spell_artifact(Speller(here, session, origin), row)


@router.patch("/api/artifact/{artifact_id}")
def update_artifact(here: Here, origin: Origin, artifact_id: UUID, body: ArtifactChange) -> Json:
    """Rename an artifact, or put another file in its place."""
    if body.object_name is not None:
        _uploaded(here, body.object_name)
    with here.store.writing() as session:
        row = the(session, Artifact, artifact_id, kind="artifact")
        if body.name is not None:
            refuse_taken(
                session, Artifact, body.name, kind="artifact of this experiment", but=row.id,
                experiment_id=row.experiment_id,
            )  # fmt: skip
        replaced = body.object_name not in (None, row.object_name)
        blobs = file_blobs(session, row) if replaced else []
        for key, value in body.model_dump(exclude_none=True).items():
            setattr(row, key, value)
        reply = spell_artifact(Speller(here, session, origin), row)
    remove_blobs(here, blobs)
    return reply


@router.delete("/api/artifact/{artifact_id}", status_code=204)
def delete_artifact(here: Here, artifact_id: UUID) -> None:
    """Delete an artifact."""
    with here.store.writing() as session:
        row = the(session, Artifact, artifact_id, kind="artifact")
        blobs = file_blobs(session, row)
        session.delete(row)
    remove_blobs(here, blobs)


# What the training program printed ------------------------------------------------------------


@router.post("/api/experiment/{experiment_id}/logging/save", status_code=201)
def store_logging(
    here: Here,
    origin: Origin,
    experiment_id: UUID,
    object_name: Annotated[str, Body(embed=True)],
) -> Json:
    """Make the uploaded console output of an experiment known; it replaces an earlier one."""
    connector = _uploaded(here, object_name)
    with here.store.writing() as session:
        experiment = the(session, Experiment, experiment_id, kind="experiment")
        row = session.scalars(select(LoggingFile).filter_by(experiment_id=experiment.id)).first()
        if row is None:
            row = LoggingFile(
                experiment_id=experiment.id,
                object_name=object_name,
                connector_id=connector.id,
                created_at=here.clock(),
            )
            session.add(row)
            session.flush()
        row.object_name = object_name
        return _spelled(Speller(here, session, origin), row)


@router.get("/api/experiment/{experiment_id}/logging")
def find_logging(here: Here, origin: Origin, experiment_id: UUID) -> Json:
    """The console output of an experiment."""
    with here.store.reading() as session:
        experiment = the(session, Experiment, experiment_id, kind="experiment")
        row = session.scalars(select(LoggingFile).filter_by(experiment_id=experiment.id)).first()
        if row is None:
            raise NotFoundError(
                f"The experiment {experiment.name!r} has no logging file.",
                "Store one: experiment.store_logging_file(path).",
            )
        return _spelled(Speller(here, session, origin), row)


@router.get("/api/logging/file/{file_id}")
def get_logging(here: Here, origin: Origin, file_id: UUID) -> Json:
    """A logging file by its id."""
    with here.store.reading() as session:
        row = the(session, LoggingFile, file_id, kind="logging file")
        return _spelled(Speller(here, session, origin), row)


@router.delete("/api/logging/file/{file_id}", status_code=204)
def delete_logging(here: Here, file_id: UUID) -> None:
    """Delete a logging file."""
    with here.store.writing() as session:
        row = the(session, LoggingFile, file_id, kind="logging file")
        blobs = file_blobs(session, row)
        session.delete(row)
    remove_blobs(here, blobs)


def _uploaded(here: Platform, object_name: str) -> Connector:
    name = checked_object_name(object_name)
    with here.store.reading() as session:
        connector = connector_of(session, "None")
    if here.blobs(connector).size(name) is None:
        raise NotFoundError(f"Nothing is stored as {name}.", "Upload it first.")
    return connector


def _spelled(speller: Speller, row: LoggingFile) -> Json:
    url = speller.storage_url("GET", row.connector_id, row.object_name)
    return {"id": row.id, "object_name": row.object_name, "presigned_url": url}
