"""Assets of dataset versions, and their tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.api.tags import NewTag
from picsellia_jupyter.localplatform.datasets import (
    add_assets,
    copy_assets,
    delete_assets,
    unlocked,
)
from picsellia_jupyter.localplatform.filters import data_matches, metadata_matches, tagged
from picsellia_jupyter.localplatform.finding import find_one
from picsellia_jupyter.localplatform.jobs import finished_job, spell_job
from picsellia_jupyter.localplatform.listing import Asked, Paging, page
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller, spell_tag
from picsellia_jupyter.localplatform.spelling_datasets import spell_assets, spell_with_shapes
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Data, Tag
from picsellia_jupyter.localplatform.tables.datasets import Annotation, Asset, DatasetVersion
from picsellia_jupyter.localplatform.tagging import link_tag, new_tag
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
_OWN_FIELDS = {"tags.name": tagged(Asset.id)}
_PREFIXES_AT_ONCE = 200
"""SQLite refuses conditions that nest deeper than 1,000."""


class NewAssets(BaseModel):
    """Data that are to become assets."""

    data_ids: list[UUID] = Field(min_length=1, max_length=10_000)
    asset_tag_ids: list[UUID] = []


class AssetsToCopy(BaseModel):
    """Assets that another version of the same dataset is to have too."""

    destination_id: UUID
    asset_ids: list[UUID] = Field(max_length=10_000)
    with_tags: bool = False
    with_annotations: bool = False


class WantedAssets(BaseModel):
    """Names or ids of assets, in the body of an XGET."""

    ids: list[UUID] | None = Field(default=None, max_length=1000)
    data_ids: list[UUID] | None = Field(default=None, max_length=1000)
    filenames: list[str] | None = Field(default=None, max_length=1000)
    object_names: list[str] | None = Field(default=None, max_length=1000)
    filename_startswith: list[str] | None = Field(default=None, max_length=1000)
    q: str | None = None


# In a dataset version ------------------------------------------------------------------------


@router.post("/api/dataset/version/{version_id}/assets", status_code=201)
def add_data(here: Here, version_id: UUID, body: NewAssets) -> Json:
    """Put data into a dataset version; those that are there already stay."""
    now = here.clock()
    with here.store.writing() as session:
        version = unlocked(session, version_id)
        tags = [the(session, Tag, ident, kind="asset tag") for ident in body.asset_tag_ids]
        _refuse_unknown(session, wanted := [str(ident) for ident in body.data_ids])
        assets = add_assets(session, version, wanted, now=now)
        for tag in tags:
            for asset in assets:
                link_tag(session, tag, asset.id)
        job = finished_job(session, "add_data", version=1, now=now, report={"assets": len(assets)})
        return {"job": spell_job(job)}


@router.post("/api/dataset/version/{version_id}/assets/copy")
def copy(here: Here, version_id: UUID, body: AssetsToCopy) -> Json:
    """Copy assets to another version of the same dataset."""
    now, ids = here.clock(), [str(ident) for ident in body.asset_ids]
    with here.store.writing() as session:
        source = the(session, DatasetVersion, version_id, kind="dataset version")
        target = unlocked(session, body.destination_id)
        if source.dataset_id != target.dataset_id:
            raise InvalidInputError(
                "Assets are copied between versions of one dataset only.", "Fork, or add the data."
            )
        count = copy_assets(
            session, source, target, now=now, ids=ids, tags=body.with_tags,
            annotations=body.with_annotations,
        )  # fmt: skip
        job = finished_job(session, "copy_assets", version=1, now=now, report={"assets": count})
        return {"job": spell_job(job)}


@router.get("/api/dataset/version/{version_id}/assets")
def list_assets(
    here: Here,
    origin: Origin,
    version_id: UUID,
    asked: Asked,
    q: str | None = None,
    custom_metadata: str | None = None,
) -> Json:
    """Assets of a dataset version, newest first."""
    matching = (_matches(q), metadata_matches(custom_metadata))
    with here.store.reading() as session:
        found = page(
            session, _assets(session, version_id).where(*matching), Asset, asked, capped=True
        )
        return found.reply(spell_assets(Speller(here, session, origin), found.rows))


@router.api_route("/api/dataset/version/{version_id}/assets", methods=["XGET"])
def pick_assets(
    here: Here,
    origin: Origin,
    version_id: UUID,
    body: WantedAssets,
    order_by: Annotated[list[str] | None, Query()] = None,
    custom_metadata: str | None = None,
) -> Json:
    """Assets of a dataset version by many names or ids."""
    matching = (_matches(body.q), metadata_matches(custom_metadata))
    with here.store.reading() as session:
        query = _assets(session, version_id)
        ids = [
            ident
            for wanted in _wanted(body)
            for ident in session.scalars(query.with_only_columns(Asset.id).where(wanted))
        ]
        query = query.where(Asset.id.in_(ids), *matching)
        found = page(session, query, Asset, Paging(order_by=tuple(order_by or ())))
        return found.reply(spell_assets(Speller(here, session, origin), found.rows))


@router.get("/api/dataset/version/{version_id}/assets/find")
def find_asset(
    here: Here,
    origin: Origin,
    version_id: UUID,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    data_id: UUID | None = None,
    filename: str | None = None,
    object_name: str | None = None,
) -> Json:
    """The one asset with this id, data or file name."""
    asked: dict[str, tuple[Any, str | None]] = {
        "id": (Asset.id, str(id) if id else None),
        "data_id": (Asset.data_id, str(data_id) if data_id else None),
        "filename": (Data.filename, filename),
        "object_name": (Data.object_name, object_name),
    }
    given = {key: value for key, (_, value) in asked.items() if value}
    if not given:
        raise InvalidInputError("Nothing was asked for.", "Give an id, a data_id or a filename.")
    with here.store.reading() as session:
        query = _assets(session, version_id).limit(2)
        rows = session.scalars(
            query.where(*(column == value for column, value in asked.values() if value))
        ).all()
        _refuse_not_one(rows, given)
        return spell_assets(Speller(here, session, origin), rows)[0]


@router.get("/api/dataset/version/{version_id}/assets/extended")
def list_extended(here: Here, origin: Origin, version_id: UUID, asked: Asked) -> Json:
    """Assets with their annotations and shapes."""
    with here.store.reading() as session:
        found = page(session, _assets(session, version_id), Asset, asked)
        annotations = session.scalars(
            select(Annotation).where(Annotation.asset_id.in_([row.id for row in found.rows]))
        ).all()
        by_asset = {one["asset_id"]: one for one in spell_with_shapes(session, annotations)}
        items = spell_assets(Speller(here, session, origin), found.rows)
        return found.reply(
            [
                {**item, "annotations": [by_asset[item["id"]]] if item["id"] in by_asset else []}
                for item in items
            ]
        )


@router.delete("/api/dataset/version/{version_id}/assets", status_code=204)
def delete_many(here: Here, version_id: UUID, ids: Annotated[list[UUID], Body(embed=True)]) -> None:
    """Take assets out of a dataset version; ids that are gone already are passed over."""
    with here.store.writing() as session:
        version = unlocked(session, version_id)
        wanted = Asset.id.in_([str(ident) for ident in ids])
        query = select(Asset).filter_by(dataset_version_id=version.id).where(wanted)
        delete_assets(session, session.scalars(query).all())


# Tags ----------------------------------------------------------------------------------------


@router.post("/api/dataset/version/{version_id}/tags", status_code=201)
def create_tag(here: Here, version_id: UUID, body: NewTag) -> Json:
    """Make a tag for the assets of a dataset version."""
    with here.store.writing() as session:
        version = the(session, DatasetVersion, version_id, kind="dataset version")
        return spell_tag(new_tag(session, body.name, "ASSET", version.id, now=here.clock()))


@router.get("/api/dataset/version/{version_id}/tags")
def list_tags(here: Here, version_id: UUID, asked: Asked) -> Json:
    """Tags for the assets of a dataset version."""
    with here.store.reading() as session:
        version = the(session, DatasetVersion, version_id, kind="dataset version")
        query = select(Tag).filter_by(target_type="ASSET", scope_id=version.id)
        found = page(session, query, Tag, asked)
        return found.reply([spell_tag(row) for row in found.rows])


@router.get("/api/dataset/version/{version_id}/tags/find")
def find_tag(here: Here, version_id: UUID, name: str) -> Json:
    """An asset tag by its name."""
    with here.store.reading() as session:
        row = find_one(
            session, Tag, kind="asset tag", name=name, scope_id=str(version_id), target_type="ASSET"
        )
        return spell_tag(row)


# One asset -----------------------------------------------------------------------------------


@router.get("/api/asset/{asset_id}")
def get_asset(here: Here, origin: Origin, asset_id: UUID) -> Json:
    """An asset by its id."""
    with here.store.reading() as session:
        row = the(session, Asset, asset_id, kind="asset")
        return spell_assets(Speller(here, session, origin), [row])[0]


@router.delete("/api/asset/{asset_id}", status_code=204)
def delete_one(here: Here, asset_id: UUID) -> None:
    """Take an asset out of its dataset version; the image stays in its datalake."""
    with here.store.writing() as session:
        row = the(session, Asset, asset_id, kind="asset")
        unlocked(session, row.dataset_version_id)
        delete_assets(session, [row])


def _assets(session: Session, version_id: UUID) -> Select[Asset]:
    version = the(session, DatasetVersion, version_id, kind="dataset version")
    return select(Asset).join(Data, Data.id == Asset.data_id).filter(
        Asset.dataset_version_id == version.id
    )  # fmt: skip


def _matches(query: str | None) -> ColumnElement[bool]:
    return data_matches(query, prefix="data.", own=_OWN_FIELDS)


def _wanted(body: WantedAssets) -> list[ColumnElement[bool]]:
    if body.ids is not None:
        return [Asset.id.in_([str(ident) for ident in body.ids])]
    if body.data_ids is not None:
        return [Asset.data_id.in_([str(ident) for ident in body.data_ids])]
    if body.filenames is not None:
        return [Data.filename.in_(body.filenames)]
    if body.object_names is not None:
        return [Data.object_name.in_(body.object_names)]
    if body.filename_startswith:
        names = body.filename_startswith
        starts = range(0, len(names), _PREFIXES_AT_ONCE)
        return [_starts_with(names[start : start + _PREFIXES_AT_ONCE]) for start in starts]
    raise InvalidInputError("Nothing was asked for.", "Give ids, data_ids or filenames.")


def _starts_with(names: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(Data.filename.startswith(name, autoescape=True) for name in names))


def _refuse_unknown(session: Session, data_ids: list[str]) -> None:
    for start in range(0, len(data_ids), 500):
        part = set(data_ids[start : start + 500])
        gone = part - set(session.scalars(select(Data.id).where(Data.id.in_(part))))
        if gone:
            raise NotFoundError(f"There is no data with the id {min(gone)}.", "Upload it first.")


def _refuse_not_one(rows: Sequence[Asset], asked: dict[str, str]) -> None:
    wanted = ", ".join(f"{key} {value!r}" for key, value in asked.items())
    if not rows:
        raise NotFoundError(
            f"There is no asset with {wanted}.", "List what the dataset version has."
        )
    if len(rows) > 1:
        raise InvalidInputError(f"Several assets have {wanted}.", "Ask by id instead.")
