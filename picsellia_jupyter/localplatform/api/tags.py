"""Tags and data sources."""

from __future__ import annotations

from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, NotFoundError
from picsellia_jupyter.localplatform.finding import refuse_taken as refuse_name
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, organization_of
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import spell_tag
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.base import Identified
from picsellia_jupyter.localplatform.tables.datalakes import (
    Data,
    Datalake,
    DataSource,
    Tag,
    TagLink,
)
from picsellia_jupyter.localplatform.tables.datasets import Asset, Dataset, DatasetVersion
from picsellia_jupyter.localplatform.tables.deployments import Deployment, PredictedAsset
from picsellia_jupyter.localplatform.tables.registry import Model, ModelVersion
from picsellia_jupyter.localplatform.tagging import link_tag, new_tag, refuse_taken, tag_query
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
Target = Literal[
    "MODEL", "MODEL_VERSION", "DEPLOYMENT", "PREDICTED_ASSET", "DATASET", "DATASET_VERSION"
]  # fmt: skip
"""What tags of the organization can be on; those of DATA belong to a datalake, of ASSET to a
dataset version."""
TABLE_OF: dict[str, type[Identified]] = {
    "DATA": Data,
    "MODEL": Model,
    "MODEL_VERSION": ModelVersion,
    "DEPLOYMENT": Deployment,
    "PREDICTED_ASSET": PredictedAsset,
    "DATASET": Dataset,
    "DATASET_VERSION": DatasetVersion,
    "ASSET": Asset,
}


class NewTag(BaseModel):
    """A tag to be made, or its new name."""

    name: Words


class NewOrganizationTag(NewTag):
    """A tag to be made, and what it is for."""

    target_type: Target


class NewSource(BaseModel):
    """A data source to be made, or its new name."""

    name: Words


# Tags ----------------------------------------------------------------------------------------


@router.post("/api/datalake/{datalake_id}/tags", status_code=201)
def create_data_tag(here: Here, datalake_id: UUID, body: NewTag) -> Json:
    """Make a tag for the data of a datalake."""
    with here.store.writing() as session:
        lake = the(session, Datalake, datalake_id, kind="datalake")
        return spell_tag(new_tag(session, body.name, "DATA", lake.id, now=here.clock()))


@router.get("/api/datalake/{datalake_id}/tags")
def list_data_tags(here: Here, datalake_id: UUID, asked: Asked) -> Json:
    """Tags for the data of a datalake."""
    return _list(here, asked, str(datalake_id), "DATA")


@router.get("/api/datalake/{datalake_id}/tags/find")
def find_data_tag(here: Here, datalake_id: UUID, name: str) -> Json:
    """A data tag by its name."""
    with here.store.reading() as session:
        return spell_tag(_tag_named(session, name, "DATA", str(datalake_id)))


@router.post("/api/organization/{organization_id}/tags", status_code=201)
def create_tag(here: Here, organization_id: str, body: NewOrganizationTag) -> Json:
    """Make a tag for models, versions, deployments or predicted assets."""
    with here.store.writing() as session:
        scope = organization_of(session, organization_id).id
        return spell_tag(new_tag(session, body.name, body.target_type, scope, now=here.clock()))


@router.get("/api/organization/{organization_id}/tags")
def list_tags(
    here: Here, organization_id: str, asked: Asked, target_type: str | None = None
) -> Json:
    """Tags of the organization."""
    return _list(here, asked, organization_id, target_type)


@router.get("/api/organization/{organization_id}/tags/find")
def find_tag(here: Here, organization_id: str, name: str, target_type: str) -> Json:
    """A tag of the organization by its name."""
    with here.store.reading() as session:
        scope = organization_of(session, organization_id).id
        return spell_tag(_tag_named(session, name, target_type, scope))


@router.get("/api/tag/{tag_id}")
def get_tag(here: Here, tag_id: UUID) -> Json:
    """A tag by its id."""
    with here.store.reading() as session:
        return spell_tag(the(session, Tag, tag_id, kind="tag"))


@router.patch("/api/tag/{tag_id}")
def rename_tag(here: Here, tag_id: UUID, body: NewTag) -> Json:
    """Give a tag another name."""
    with here.store.writing() as session:
        tag = the(session, Tag, tag_id, kind="tag")
        refuse_taken(session, body.name, tag.target_type, tag.scope_id, but=tag.id)
        tag.name = body.name
        return spell_tag(tag)


@router.delete("/api/tag/{tag_id}", status_code=204)
def delete_tag(here: Here, tag_id: UUID) -> None:
    """Remove a tag from everything it is on."""
    with here.store.writing() as session:
        session.delete(the(session, Tag, tag_id, kind="tag"))


@router.post("/api/tag/{tag_id}/attach")
def attach_tag(here: Here, tag_id: UUID, targets: Annotated[list[UUID], Body()]) -> Json:
    """Put a tag on things; on those that have it already it stays."""
    with here.store.writing() as session:
        tag = the(session, Tag, tag_id, kind="tag")
        table = TABLE_OF[tag.target_type]
        for target in targets:
            row = the(session, table, target, kind=tag.target_type.lower().replace("_", " "))
            link_tag(session, tag, row.id)
        return {"tag": spell_tag(tag), "count": len(targets)}


@router.post("/api/tag/{tag_id}/detach")
def detach_tag(here: Here, tag_id: UUID, targets: Annotated[list[UUID], Body()]) -> Json:
    """Take a tag off things."""
    with here.store.writing() as session:
        tag = the(session, Tag, tag_id, kind="tag")
        gone = session.execute(
            delete(TagLink).where(
                TagLink.tag_id == tag.id, TagLink.target_id.in_([str(target) for target in targets])
            )
        )
        return {"tag": spell_tag(tag), "count": cast("CursorResult[tuple[()]]", gone).rowcount}


# Data sources --------------------------------------------------------------------------------


@router.post("/api/organization/{organization_id}/datasources", status_code=201)
def create_source(here: Here, organization_id: str, body: NewSource) -> Json:
    """Make a data source."""
    with here.store.writing() as session:
        organization_of(session, organization_id)
        if session.scalars(select(DataSource).where(DataSource.name == body.name)).first():
            raise ConflictError(f"A data source is called {body.name!r} already.", "Use that one.")
        source = DataSource(name=body.name, created_at=here.clock())
        session.add(source)
        return _spelled(source)


@router.get("/api/organization/{organization_id}/datasources")
def list_sources(here: Here, organization_id: str, asked: Asked) -> Json:
    """Data sources of the organization."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        found = page(session, select(DataSource), DataSource, asked)
        return found.reply([_spelled(row) for row in found.rows])


@router.get("/api/organization/{organization_id}/datasources/find")
def find_source(here: Here, organization_id: str, name: str) -> Json:
    """A data source by its name."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        source = session.scalars(select(DataSource).where(DataSource.name == name)).first()
        if source is None:
            known = session.scalars(select(DataSource.name).limit(1000)).all()
            raise NotFoundError.named("data source", name, known)
        return _spelled(source)


@router.get("/api/data/source/{source_id}")
def get_source(here: Here, source_id: UUID) -> Json:
    """A data source by its id."""
    with here.store.reading() as session:
        return _spelled(the(session, DataSource, source_id, kind="data source"))


@router.patch("/api/data/source/{source_id}")
def rename_source(here: Here, source_id: UUID, body: NewSource) -> Json:
    """Give a data source another name."""
    with here.store.writing() as session:
        row = the(session, DataSource, source_id, kind="data source")
        refuse_name(session, DataSource, body.name, kind="data source", but=row.id)
        row.name = body.name
        return _spelled(row)


@router.delete("/api/data/source/{source_id}", status_code=204)
def delete_source(here: Here, source_id: UUID) -> None:
    """Delete a data source; the data from it stay."""
    with here.store.writing() as session:
        session.delete(the(session, DataSource, source_id, kind="data source"))


def _tag_named(session: Session, name: str, target_type: str, scope_id: str) -> Tag:
    tag = session.scalars(tag_query(name, target_type, scope_id)).first()
    if tag is None:
        same_kind = select(Tag.name).where(Tag.target_type == target_type, Tag.scope_id == scope_id)
        raise NotFoundError.named("tag", name, session.scalars(same_kind).all())
    return tag


def _list(here: Here, asked: Asked, scope_id: str, target_type: str | None) -> Json:
    query = select(Tag).where(Tag.scope_id == scope_id)
    if target_type:
        query = query.where(Tag.target_type == target_type)
    with here.store.reading() as session:
        found = page(session, query, Tag, asked)
        return found.reply([spell_tag(row) for row in found.rows])


def _spelled(row: DataSource) -> Json:
    return {"id": row.id, "name": row.name}
