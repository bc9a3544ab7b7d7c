"""Files of model versions."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from picsellia_jupyter.domain.errors import ConflictError, NotFoundError
from picsellia_jupyter.localplatform.blobs import checked_object_name
from picsellia_jupyter.localplatform.deleting import file_blobs, remove_blobs
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Filename, Words
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    Origin,
    connector_of,
    organization_of,
)
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.registry import ModelFile, ModelVersion
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewFile(BaseModel):
    """An uploaded object to be made a file of a version."""

    name: Words
    filename: Filename
    object_name: str
    large: bool = False


@router.post("/api/model/version/{version_id}/modelfiles", status_code=201)
def create_file(here: Here, origin: Origin, version_id: UUID, body: NewFile) -> Json:
    """Make an uploaded object a file of a version; the same one again answers the same."""
    name = checked_object_name(body.object_name)
    with here.store.writing() as session:
        version = the(session, ModelVersion, version_id, kind="model version")
        connector = connector_of(session, organization_of(session).default_connector_id)
        if here.blobs(connector).size(name) is None:
            raise NotFoundError(f"Nothing is stored as {name}.", "Upload it first.")
        row = session.scalars(
            select(ModelFile).filter_by(version_id=version.id, name=body.name)
        ).first()
        if row is None:
            row = ModelFile(
                version_id=version.id,
                connector_id=connector.id,
                created_at=here.clock(),
                **body.model_dump(),
            )
            session.add(row)
        elif row.object_name != name:
            raise ConflictError(
                f"This model version has a file named {body.name!r} already.",
                "Store it with replace=True, or under another name.",
            )
        return Speller(here, session, origin).file(row)


@router.get("/api/model/version/{version_id}/modelfiles")
def list_files(here: Here, origin: Origin, version_id: UUID, asked: Asked) -> Json:
    """Files of a version."""
    with here.store.reading() as session:
        the(session, ModelVersion, version_id, kind="model version")
        query = select(ModelFile).filter_by(version_id=str(version_id))
        found = page(session, query, ModelFile, asked)
        return found.reply([Speller(here, session, origin).file(row) for row in found.rows])


@router.get("/api/model/version/{version_id}/modelfiles/find")
def find_file(here: Here, origin: Origin, version_id: UUID, name: str) -> Json:
    """A file of a version by its name."""
    with here.store.reading() as session:
        version = the(session, ModelVersion, version_id, kind="model version")
        files = session.scalars(select(ModelFile).filter_by(version_id=version.id)).all()
        row = next((file for file in files if file.name == name), None)
        if row is None:
            raise NotFoundError.named("model file", name, [file.name for file in files])
        return Speller(here, session, origin).file(row)


@router.get("/api/model/file/{file_id}")
def get_file(here: Here, origin: Origin, file_id: UUID) -> Json:
    """A model file by its id."""
    with here.store.reading() as session:
        row = the(session, ModelFile, file_id, kind="model file")
        return Speller(here, session, origin).file(row)


@router.delete("/api/model/file/{file_id}", status_code=204)
def delete_file(here: Here, file_id: UUID) -> None:
    """Delete a model file."""
    with here.store.writing() as session:
        row = the(session, ModelFile, file_id, kind="model file")
        blobs = file_blobs(session, row)
        session.delete(row)
    remove_blobs(here, blobs)
