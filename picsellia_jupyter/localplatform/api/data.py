"""Data: images and videos of a datalake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body, Query
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidImageError,
    InvalidInputError,
    NotFoundError,
)
from picsellia_jupyter.localplatform.blobs import checked_object_name
from picsellia_jupyter.localplatform.deleting import delete_data, remove_blobs
from picsellia_jupyter.localplatform.filters import data_matches, metadata_matches
from picsellia_jupyter.localplatform.images import image_facts
from picsellia_jupyter.localplatform.listing import Asked, Paging, page
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
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake, DataSource, Tag
from picsellia_jupyter.localplatform.tagging import data_tag, link_tag, source_named
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class Meta(BaseModel):
    """Size in pixels, of the upright photo."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)


class NewData(BaseModel):
    """An uploaded object to be made known to a datalake."""

    type: Literal["IMAGE", "VIDEO"]
    filename: Filename
    object_name: str
    content_type: str = "application/octet-stream"
    tags: list[UUID] = []
    data_source_id: UUID | None = None
    meta: Meta | None = None
    metadata: dict[str, Any] | None = None
    custom_metadata: dict[str, Any] | None = None


class Wanted(BaseModel):
    """Names or ids of data, in the body of an XGET."""

    ids: list[UUID] | None = Field(default=None, max_length=1000)
    filenames: list[str] | None = Field(default=None, max_length=1000)
    object_names: list[str] | None = Field(default=None, max_length=1000)
    q: str | None = None


class BulkItem(BaseModel):
    """What to change of one data; what is null stays."""

    metadata: dict[str, Any] | None = None
    custom_metadata: dict[str, Any] | None = None
    tags: list[Words] | None = None
    data_source: Words | None = None


class Bulk(BaseModel):
    """Changes of many data at once."""

    objects: dict[UUID, BulkItem] = Field(max_length=100)


# In a datalake -------------------------------------------------------------------------------


@router.post("/api/datalake/{datalake_id}/datas", status_code=201)
def create_data(here: Here, origin: Origin, datalake_id: UUID, body: NewData) -> Json:
    """Make an uploaded object known; the same one again answers the same."""
    name = checked_object_name(body.object_name)
    with here.store.reading() as session:
        lake = the(session, Datalake, datalake_id, kind="datalake")
        connector = connector_of(session, lake.connector_id)
    facts = _facts(here, connector.id, name, body)
    with here.store.writing() as session:
        row = session.scalars(select(Data).where(Data.object_name == name)).first()
        if row is None:
            row = _added(session, lake, body, facts, now=here.clock())
        elif row.datalake_id != lake.id:
            raise ConflictError(f"Another datalake has the object {name}.", "Upload it again.")
        return Speller(here, session, origin).data([row])[0]


@router.get("/api/datalake/{datalake_id}/datas")
def list_data(
    here: Here,
    origin: Origin,
    datalake_id: UUID,
    asked: Asked,
    q: str | None = None,
    custom_metadata: str | None = None,
) -> Json:
    """Data of a datalake, newest first."""
    wanted = and_(data_matches(q), metadata_matches(custom_metadata))
    with here.store.reading() as session:
        the(session, Datalake, datalake_id, kind="datalake")
        query = select(Data).where(Data.datalake_id == str(datalake_id), wanted)
        found = page(session, query, Data, asked, capped=True)
        return found.reply(Speller(here, session, origin).data(found.rows))


@router.api_route("/api/datalake/{datalake_id}/datas", methods=["XGET"])
def pick_data(
    here: Here,
    origin: Origin,
    datalake_id: UUID,
    body: Wanted,
    order_by: Annotated[list[str] | None, Query()] = None,
    custom_metadata: str | None = None,
) -> Json:
    """Data of a datalake by many names or ids; the SDK's own method, a GET with a body."""
    wanted = and_(_is_wanted(body), data_matches(body.q), metadata_matches(custom_metadata))
    with here.store.reading() as session:
        the(session, Datalake, datalake_id, kind="datalake")
        query = select(Data).where(Data.datalake_id == str(datalake_id), wanted)
        found = page(session, query, Data, Paging(order_by=tuple(order_by or ())))
        return found.reply(Speller(here, session, origin).data(found.rows))


@router.get("/api/datalake/{datalake_id}/datas/find")
def find_data(
    here: Here,
    origin: Origin,
    datalake_id: UUID,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    filename: str | None = None,
    object_name: str | None = None,
) -> Json:
    """The one data with this id, file name or object name."""
    asked = {"id": id and str(id), "filename": filename, "object_name": object_name}
    given = {key: value for key, value in asked.items() if value}
    if not given:
        raise InvalidInputError("Nothing was asked for.", "Give an id, filename or object_name.")
    with here.store.reading() as session:
        query = select(Data).filter_by(datalake_id=str(datalake_id), **given).limit(2)
        rows = session.scalars(query).all()
        _refuse_not_one(rows, given)
        return Speller(here, session, origin).data(rows)[0]


@router.patch("/api/datalake/{datalake_id}/data/bulk")
def update_bulk(here: Here, datalake_id: UUID, body: Bulk) -> Json:
    """Change many data of a datalake; all of them or none."""
    with here.store.writing() as session:
        lake = the(session, Datalake, datalake_id, kind="datalake")
        for ident, change in body.objects.items():
            row = the(session, Data, ident, kind="data")
            if row.datalake_id != lake.id:
                raise InvalidInputError(
                    f"The data {ident} is in another datalake.", "Change it there."
                )
            _change(session, row, change, now=here.clock())
    return {"count": len(body.objects)}


@router.delete("/api/datalake/{datalake_id}/datas", status_code=204)
def delete_many(
    here: Here, datalake_id: UUID, ids: Annotated[list[UUID], Body(embed=True)]
) -> None:
    """Delete data with their files; ids that are gone already are passed over."""
    with here.store.writing() as session:
        wanted = Data.id.in_([str(ident) for ident in ids])
        query = select(Data).where(Data.datalake_id == str(datalake_id), wanted)
        blobs = delete_data(session, session.scalars(query).all())
    remove_blobs(here, blobs)


# One data ------------------------------------------------------------------------------------


@router.get("/api/data/{data_id}")
def get_data(here: Here, origin: Origin, data_id: UUID) -> Json:
    """One data by its id."""
    with here.store.reading() as session:
        return Speller(here, session, origin).data([the(session, Data, data_id, kind="data")])[0]


@router.patch("/api/data/{data_id}")
def update_metadata(
    here: Here,
    origin: Origin,
    data_id: UUID,
    metadata: Annotated[dict[str, Any] | None, Body(embed=True)],
) -> Json:
    """Replace the metadata of one data."""
    with here.store.writing() as session:
        row = the(session, Data, data_id, kind="data")
        row.metadata_json = metadata
        return Speller(here, session, origin).data([row])[0]


@router.patch("/api/data/{data_id}/custom-metadata")
def update_custom_metadata(
    here: Here,
    data_id: UUID,
    custom_metadata: Annotated[dict[str, Any] | None, Body(embed=True)],
) -> Json:
    """Replace the custom metadata of one data."""
    with here.store.writing() as session:
        row = the(session, Data, data_id, kind="data")
        row.custom_metadata = custom_metadata
        return {"id": row.id, "custom_metadata": custom_metadata}


@router.delete("/api/data/{data_id}", status_code=204)
def delete_one(here: Here, data_id: UUID) -> None:
    """Delete one data with its file and its predicted assets."""
    with here.store.writing() as session:
        blobs = delete_data(session, [the(session, Data, data_id, kind="data")])
    remove_blobs(here, blobs)


@router.get("/api/data/{data_id}/presigned-url")
def presigned_url(here: Here, origin: Origin, data_id: UUID) -> Json:
    """A fresh address to download one data from."""
    with here.store.reading() as session:
        row = the(session, Data, data_id, kind="data")
        return {"presigned_url": Speller(here, session, origin).data([row])[0]["presigned_url"]}


def _facts(
    here: Platform, connector_id: str, object_name: str, body: NewData
) -> tuple[str, Meta | None]:
    """Content type and size: by decoding where that works, else as the client said."""
    with here.store.reading() as session:
        blobs = here.blobs(connector_of(session, connector_id))
    try:
        with blobs.open(object_name) as stream:
            found = image_facts(stream)  # type: ignore[arg-type]
    except FileNotFoundError:
        raise NotFoundError(f"Nothing is stored as {object_name}.", "Upload it first.") from None
    except InvalidImageError:
        # A video, or a format we do not decode: it is kept, but never served as an image.
        kind = body.content_type if body.type == "VIDEO" else "application/octet-stream"
        return kind, body.meta
    return found.content_type, Meta(width=found.size.width, height=found.size.height)


def _added(
    session: Session, lake: Datalake, body: NewData, facts: tuple[str, Meta | None], *, now: float
) -> Data:
    content_type, meta = facts
    source_id = _source_id(session, body.data_source_id)
    row = Data(
        datalake_id=lake.id,
        object_name=body.object_name,
        filename=body.filename,
        type=body.type,
        content_type=content_type,
        upload_status="DONE" if meta else "ERROR",
        width=meta.width if meta else None,
        height=meta.height if meta else None,
        metadata_json=body.metadata,
        custom_metadata=body.custom_metadata,
        data_source_id=source_id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    for tag_id in body.tags:
        link_tag(session, the(session, Tag, tag_id, kind="tag"), row.id)
    return row


def _source_id(session: Session, given: UUID | None) -> str | None:
    return the(session, DataSource, given, kind="data source").id if given else None


def _change(session: Session, row: Data, change: BulkItem, *, now: float) -> None:
    if change.metadata is not None:
        row.metadata_json = change.metadata
    if change.custom_metadata is not None:
        row.custom_metadata = change.custom_metadata
    if change.data_source is not None:
        row.data_source_id = source_named(session, change.data_source, now=now).id
    for name in change.tags or ():
        link_tag(session, data_tag(session, name, row.datalake_id, now=now), row.id)


def _is_wanted(body: Wanted) -> ColumnElement[bool]:
    if body.ids is not None:
        return Data.id.in_([str(ident) for ident in body.ids])
    if body.filenames is not None:
        return Data.filename.in_(body.filenames)
    if body.object_names is not None:
        return Data.object_name.in_(body.object_names)
    raise InvalidInputError("Nothing was asked for.", "Give ids, filenames or object_names.")


def _refuse_not_one(rows: Sequence[Data], asked: dict[str, str]) -> None:
    wanted = ", ".join(f"{key} {value!r}" for key, value in asked.items())
    if not rows:
        raise NotFoundError(f"There is no data with {wanted}.", "List what the datalake has.")
    if len(rows) > 1:
        raise InvalidInputError(f"Several data have {wanted}.", "Ask by id instead.")
