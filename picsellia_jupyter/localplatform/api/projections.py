"""Projections of data, and data that is in the bucket already."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.blobs import Blobs
from picsellia_jupyter.localplatform.deleting import remove_blobs
from picsellia_jupyter.localplatform.finding import refuse_taken
from picsellia_jupyter.localplatform.images import image_facts
from picsellia_jupyter.localplatform.jobs import finished_job, spell_job
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Filename, Words
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    Origin,
    connector_of,
)
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller, spell_datalake
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake, DataSource, Tag
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.projections import Projection
from picsellia_jupyter.localplatform.tagging import data_tag, link_tag, source_named
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewProjection(BaseModel):
    """An uploaded rendering of one data."""

    name: Words
    filename: Filename
    object_name: str
    content_type: str
    file_size: int = Field(ge=0)
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)
    additional_info: dict[str, Any] | None = None


class ObjectFacts(BaseModel):
    """What is said of an object in the bucket."""

    metadata: dict[str, Any] | None = None
    custom_metadata: dict[str, Any] | None = None
    tags: list[Words] = []
    data_source: Words | None = None


class Import(BaseModel):
    """Objects of the bucket that are to become data: by name, or all under some prefixes."""

    prefixes: list[str] | None = None
    tag_ids: list[UUID] = []
    data_source_id: UUID | None = None
    objects: dict[str, ObjectFacts] | None = Field(default=None, max_length=500)

    @model_validator(mode="after")
    def _one_of_both(self) -> Import:
        if (self.prefixes is None) == (self.objects is None):
            raise ValueError("give either prefixes or objects")
        return self


class NamedObject(BaseModel):
    """An object of the bucket that is a projection."""

    name: Words
    object_name: str


class ProjectionImport(BaseModel):
    """Objects of the bucket that are projections of data, by the data's object name."""

    projections: dict[str, list[NamedObject]] = Field(max_length=500)


# Projections ---------------------------------------------------------------------------------


@router.post("/api/data/{data_id}/projections", status_code=201)
def create_projection(here: Here, origin: Origin, data_id: UUID, body: NewProjection) -> Json:
    """Make an uploaded rendering of one data known."""
    with here.store.reading() as session:
        data = the(session, Data, data_id, kind="data")
        blobs = here.blobs(_connector(session, data))
    row = _projection(data, blobs, body.name, body.object_name, body.filename, now=here.clock())
    row.infos = body.additional_info
    with here.store.writing() as session:
        refuse_taken(session, Projection, body.name, kind="projection of it", data_id=data.id)
        session.add(row)
        session.flush()
        return _spelled(Speller(here, session, origin), row)


@router.get("/api/data/{data_id}/projections")
def list_projections(here: Here, origin: Origin, data_id: UUID, asked: Asked) -> Json:
    """Renderings of one data."""
    with here.store.reading() as session:
        data = the(session, Data, data_id, kind="data")
        query = select(Projection).filter_by(data_id=data.id)
        found = page(session, query, Projection, asked)
        speller = Speller(here, session, origin)
        return found.reply([_spelled(speller, row) for row in found.rows])


@router.get("/api/data/projection/{projection_id}")
def get_projection(here: Here, origin: Origin, projection_id: UUID) -> Json:
    """A rendering by its id."""
    with here.store.reading() as session:
        row = the(session, Projection, projection_id, kind="projection")
        return _spelled(Speller(here, session, origin), row)


@router.get("/api/data/projection/{projection_id}/presigned-url")
def presigned_url(here: Here, origin: Origin, projection_id: UUID) -> Json:
    """A fresh address to download a rendering from."""
    with here.store.reading() as session:
        row = the(session, Projection, projection_id, kind="projection")
        url = _spelled(Speller(here, session, origin), row)["presigned_url"]
        return {"presigned_url": url}


@router.delete("/api/data/projection/{projection_id}", status_code=204)
def delete_projection(here: Here, projection_id: UUID) -> None:
    """Delete a rendering."""
    with here.store.writing() as session:
        row = the(session, Projection, projection_id, kind="projection")
        data = session.get_one(Data, row.data_id)
        blob = (_connector(session, data), row.object_name)
        session.delete(row)
    remove_blobs(here, [blob])


# What is in the bucket already ---------------------------------------------------------------


@router.post("/api/datalake/{datalake_id}/objects")
def import_objects(here: Here, datalake_id: UUID, body: Import) -> Json:
    """Make objects of the bucket data of its datalake; those that are already stay."""
    now = here.clock()
    with here.store.reading() as session:
        lake = the(session, Datalake, datalake_id, kind="datalake")
        blobs = here.blobs(session.get_one(Connector, lake.connector_id))
    wanted = body.objects or dict.fromkeys(_under(blobs, body.prefixes or []), ObjectFacts())
    found = {name: _read(blobs, lake, name, now=now) for name in wanted}
    with here.store.writing() as session:
        tags = [the(session, Tag, ident, kind="tag") for ident in body.tag_ids]
        source = body.data_source_id
        if source is not None:
            the(session, DataSource, source, kind="data source")
        made = 0
        for name, facts in wanted.items():
            known = select(Data).filter_by(datalake_id=lake.id, object_name=name)
            row = session.scalars(known).first()
            if row is None:
                row, made = found[name], made + 1
                session.add(row)
                session.flush()
            row.data_source_id = str(source) if source else row.data_source_id
            _say(session, row, facts, tags, now=now)
        report = {"found": len(wanted), "imported": made}
        job = finished_job(session, "import_objects", version=2, now=now, report=report)
        return {"datalake": spell_datalake(lake), "job": spell_job(job)}


@router.post("/api/datalake/{datalake_id}/objects/projections")
def import_projections(here: Here, datalake_id: UUID, body: ProjectionImport) -> Json:
    """Make objects of the bucket projections of the datalake's data."""
    now = here.clock()
    rows = []
    with here.store.reading() as session:
        lake = the(session, Datalake, datalake_id, kind="datalake")
        blobs = here.blobs(session.get_one(Connector, lake.connector_id))
        for object_name, projections in body.projections.items():
            query = select(Data).filter_by(datalake_id=lake.id, object_name=object_name)
            data = session.scalars(query).first()
            if data is None:
                raise NotFoundError(f"There is no data {object_name}.", "Import it first.")
            for one in projections:
                filename = PurePosixPath(one.object_name).name
                rows.append(_projection(data, blobs, one.name, one.object_name, filename, now=now))
    with here.store.writing() as session:
        for row in rows:
            refuse_taken(
                session, Projection, row.name, kind="projection of it", data_id=row.data_id
            )
            session.add(row)
            session.flush()
        report = {"imported": len(rows)}
        job = finished_job(session, "import_projections", version=2, now=now, report=report)
        return {"datalake": spell_datalake(lake), "job": spell_job(job)}


def _connector(session: Session, data: Data) -> Connector:
    return connector_of(session, session.get_one(Datalake, data.datalake_id).connector_id)


def _projection(
    data: Data, blobs: Blobs, name: str, object_name: str, filename: str, *, now: float
) -> Projection:
    size = blobs.size(object_name)
    if size is None:
        raise NotFoundError(f"Nothing is stored as {object_name}.", "Upload it first.")
    kind, width, height = _decoded(blobs, object_name)
    return Projection(
        data_id=data.id,
        name=name,
        filename=filename,
        object_name=object_name,
        content_type=kind,
        file_size=size,
        width=width,
        height=height,
        created_at=now,
    )


def _decoded(blobs: Blobs, object_name: str) -> tuple[str, int | None, int | None]:
    try:
        with blobs.open(object_name) as stream:
            facts = image_facts(stream)  # type: ignore[arg-type]
    except FileNotFoundError:
        raise NotFoundError(f"Nothing is stored as {object_name}.", "Upload it first.") from None
    except InvalidImageError:
        return "application/octet-stream", None, None
    return facts.content_type, facts.size.width, facts.size.height


def _read(blobs: Blobs, lake: Datalake, object_name: str, *, now: float) -> Data:
    content_type, width, height = _decoded(blobs, object_name)
    guessed = mimetypes.guess_type(object_name)[0] or ""
    return Data(
        datalake_id=lake.id,
        object_name=object_name,
        filename=PurePosixPath(object_name).name,
        type="VIDEO" if guessed.startswith("video/") else "IMAGE",
        content_type=content_type,
        upload_status="DONE" if width else "ERROR",
        width=width,
        height=height,
        created_at=now,
    )


def _under(blobs: Blobs, prefixes: list[str]) -> Iterator[str]:
    for prefix in prefixes:
        if ".." in prefix or prefix.startswith("/"):
            raise InvalidInputError(f"The prefix {prefix!r} is no folder.", "Give one like data/.")
        yield from blobs.names(prefix)


def _say(session: Session, row: Data, facts: ObjectFacts, tags: list[Tag], *, now: float) -> None:
    row.metadata_json = facts.metadata or row.metadata_json
    row.custom_metadata = facts.custom_metadata or row.custom_metadata
    if facts.data_source is not None:
        row.data_source_id = source_named(session, facts.data_source, now=now).id
    named = [data_tag(session, name, row.datalake_id, now=now) for name in facts.tags]
    for tag in [*tags, *named]:
        link_tag(session, tag, row.id)


def _spelled(speller: Speller, row: Projection) -> Json:
    data = speller.session.get_one(Data, row.data_id)
    connector = _connector(speller.session, data)
    return {
        "id": row.id,
        "data_id": row.data_id,
        "name": row.name,
        "object_name": row.object_name,
        "filename": row.filename,
        "content_type": row.content_type,
        "compute_status": "DONE",
        "infos": {
            **(row.infos or {}),
            "width": row.width,
            "height": row.height,
            "file_size": row.file_size,
        },
        "presigned_url": speller.storage_url("GET", connector.id, row.object_name),
        "created_at": row.created_at,
    }
