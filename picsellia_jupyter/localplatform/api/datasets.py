"""Datasets and their versions."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.api.connect import users_json
from picsellia_jupyter.localplatform.datasets import (
    copy_assets,
    delete_dataset_version,
    unlocked,
)
from picsellia_jupyter.localplatform.deleting import delete_tagged
from picsellia_jupyter.localplatform.finding import find_one, refuse_taken
from picsellia_jupyter.localplatform.jobs import finished_job, spell_job
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Name
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Platform, organization_of
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling_datasets import (
    spell_dataset_versions,
    spell_datasets,
)
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Tag, TagLink
from picsellia_jupyter.localplatform.tables.datasets import (
    Annotation,
    Asset,
    Dataset,
    DatasetLabel,
    DatasetVersion,
    Shape,
)
from picsellia_jupyter.localplatform.tables.organization import User
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewDataset(BaseModel):
    """A dataset to be made."""

    name: Name
    description: str = ""


class DatasetChange(BaseModel):
    """What to change of a dataset; what is left out stays."""

    name: Name | None = None
    description: str | None = None


class NewVersion(BaseModel):
    """A dataset version to be made."""

    version: Name
    description: str | None = None
    type: InferenceType = InferenceType.NOT_CONFIGURED


class VersionChange(BaseModel):
    """What to change of a dataset version; what is left out stays."""

    version: Name | None = None
    description: str | None = None
    type: InferenceType | None = None


class Fork(NewVersion):
    """A dataset version to be made from another one."""

    parent_id: UUID
    asset_ids: list[UUID] | None = None
    """None takes all."""
    with_tags: bool = False
    with_labels: bool = False
    with_annotations: bool = False


# Datasets ------------------------------------------------------------------------------------


@router.post("/api/organization/{organization_id}/datasets", status_code=201)
def create_dataset(here: Here, organization_id: str, body: NewDataset) -> Json:
    """Make a dataset without versions."""
    with here.store.writing() as session:
        organization_of(session, organization_id)
        refuse_taken(session, Dataset, body.name, kind="dataset")
        row = Dataset(name=body.name, description=body.description, created_at=here.clock())
        session.add(row)
        session.flush()
        return spell_datasets(session, [row])[0]


@router.get("/api/organization/{organization_id}/datasets")
def list_datasets(here: Here, organization_id: str, asked: Asked) -> Json:
    """Datasets, newest first."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        found = page(session, select(Dataset), Dataset, asked)
        return found.reply(spell_datasets(session, found.rows))


@router.get("/api/organization/{organization_id}/datasets/find")
def find_dataset(
    here: Here,
    organization_id: str,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    name: str | None = None,
) -> Json:
    """A dataset by its id or name."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        row = find_one(session, Dataset, kind="dataset", ident=id, name=name)
        return spell_datasets(session, [row])[0]


@router.get("/api/dataset/{dataset_id}")
def get_dataset(here: Here, dataset_id: UUID) -> Json:
    """A dataset by its id."""
    with here.store.reading() as session:
        return spell_datasets(session, [the(session, Dataset, dataset_id, kind="dataset")])[0]


@router.patch("/api/dataset/{dataset_id}")
def update_dataset(here: Here, dataset_id: UUID, body: DatasetChange) -> Json:
    """Rename or describe a dataset."""
    with here.store.writing() as session:
        row = the(session, Dataset, dataset_id, kind="dataset")
        if body.name is not None:
            refuse_taken(session, Dataset, body.name, kind="dataset", but=row.id)
            row.name = body.name
        if body.description is not None:
            row.description = body.description
        return spell_datasets(session, [row])[0]


@router.delete("/api/dataset/{dataset_id}", status_code=204)
def remove_dataset(here: Here, dataset_id: UUID) -> None:
    """Delete a dataset with its versions; the images stay in their datalake."""
    with here.store.writing() as session:
        row = the(session, Dataset, dataset_id, kind="dataset")
        for version in session.scalars(select(DatasetVersion).filter_by(dataset_id=row.id)).all():
            delete_dataset_version(session, version)
        delete_tagged(session, row, row.id)


@router.get("/api/access/dataset/{dataset_id}/users")
def list_users(here: Here, dataset_id: UUID) -> Json:
    """Who may use a dataset: everybody of the organization."""
    with here.store.reading() as session:
        the(session, Dataset, dataset_id, kind="dataset")
        return {"users": users_json(session)}


@router.post("/api/access/dataset/{dataset_id}/users")
def add_user(here: Here, dataset_id: UUID, user_id: Annotated[UUID, Body(embed=True)]) -> Json:
    """Let a user use a dataset, as all users can already."""
    with here.store.reading() as session:
        the(session, Dataset, dataset_id, kind="dataset")
        the(session, User, user_id, kind="user")
        return {"users": users_json(session)}


# Versions ------------------------------------------------------------------------------------


@router.post("/api/dataset/{dataset_id}/versions", status_code=201)
def create_version(here: Here, dataset_id: UUID, body: NewVersion) -> Json:
    """Add a version to a dataset."""
    with here.store.writing() as session:
        row = _made(session, dataset_id, body, now=here.clock())
        return spell_dataset_versions(session, [row])[0]


@router.post("/api/dataset/{dataset_id}/fork", status_code=201)
def fork(here: Here, dataset_id: UUID, body: Fork) -> Json:
    """Make a version of a dataset from another one of it."""
    now = here.clock()
    with here.store.writing() as session:
        parent = the(session, DatasetVersion, body.parent_id, kind="dataset version")
        row = _made(session, dataset_id, body, now=now)
        count = copy_assets(
            session,
            parent,
            row,
            now=now,
            ids=None if body.asset_ids is None else [str(ident) for ident in body.asset_ids],
            tags=body.with_tags,
            labels=body.with_labels or body.with_annotations,
            annotations=body.with_annotations,
        )
        job = finished_job(session, "fork_dataset", version=1, now=now, report={"assets": count})
        made = spell_dataset_versions(session, [row])[0]
        return {"dataset_version": made, "job": spell_job(job)}


@router.get("/api/dataset/{dataset_id}/versions")
def list_versions(here: Here, dataset_id: UUID, asked: Asked) -> Json:
    """Versions of a dataset, newest first."""
    with here.store.reading() as session:
        the(session, Dataset, dataset_id, kind="dataset")
        query = select(DatasetVersion).filter_by(dataset_id=str(dataset_id))
        found = page(session, query, DatasetVersion, asked)
        return found.reply(spell_dataset_versions(session, found.rows))


@router.get("/api/dataset/{dataset_id}/versions/find")
def find_version(
    here: Here,
    dataset_id: UUID,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    version: str | None = None,
) -> Json:
    """A version of a dataset by its id or name."""
    with here.store.reading() as session:
        dataset = the(session, Dataset, dataset_id, kind="dataset")
        row = find_one(
            session, DatasetVersion, kind="dataset version", ident=id, name=version,
            column="version", dataset_id=dataset.id,
        )  # fmt: skip
        return spell_dataset_versions(session, [row])[0]


@router.get("/api/organization/{organization_id}/datasetversions/find")
def find_version_by_id(here: Here, organization_id: str, id: UUID) -> Json:  # noqa: A002
    """A dataset version by its id."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        row = the(session, DatasetVersion, id, kind="dataset version")
        return spell_dataset_versions(session, [row])[0]


@router.get("/api/dataset/version/{version_id}")
def get_version(here: Here, version_id: UUID) -> Json:
    """A dataset version by its id."""
    with here.store.reading() as session:
        row = the(session, DatasetVersion, version_id, kind="dataset version")
        return spell_dataset_versions(session, [row])[0]


@router.patch("/api/dataset/version/{version_id}")
def update_version(here: Here, version_id: UUID, body: VersionChange) -> Json:
    """Rename or describe a dataset version, or say what its annotations are."""
    with here.store.writing() as session:
        row = unlocked(session, version_id)
        if body.version is not None:
            refuse_taken(
                session, DatasetVersion, body.version, kind="version of this dataset",
                column="version", but=row.id, dataset_id=row.dataset_id,
            )  # fmt: skip
            row.version = body.version
        if body.description is not None:
            row.description = body.description
        if body.type is not None:
            row.type = body.type.value
        return spell_dataset_versions(session, [row])[0]


@router.delete("/api/dataset/version/{version_id}", status_code=204)
def remove_version(here: Here, version_id: UUID) -> None:
    """Delete a dataset version with its annotations; the images stay in their datalake."""
    with here.store.writing() as session:
        delete_dataset_version(session, unlocked(session, version_id))


@router.post("/api/dataset/version/{version_id}/lock")
def lock(here: Here, version_id: UUID) -> Json:
    """Forbid all changes of a dataset version."""
    return _locked(here, version_id, locked=True)


@router.post("/api/dataset/version/{version_id}/unlock")
def unlock(here: Here, version_id: UUID) -> Json:
    """Allow changes of a dataset version again."""
    return _locked(here, version_id, locked=False)


# What is in it -------------------------------------------------------------------------------


@router.get("/api/dataset/version/{version_id}/stats")
def stats(here: Here, version_id: UUID) -> Json:
    """How many annotations and shapes a dataset version has, and of which labels."""
    with here.store.reading() as session:
        row = the(session, DatasetVersion, version_id, kind="dataset version")
        counted = session.execute(
            select(DatasetLabel.name, func.count())
            .join(Shape, Shape.label_id == DatasetLabel.id)
            .where(DatasetLabel.dataset_version_id == row.id)
            .group_by(DatasetLabel.name)
        ).all()
        annotated = (
            select(func.count())
            .select_from(Annotation)
            .join(Asset, Asset.id == Annotation.asset_id)
            .where(Asset.dataset_version_id == row.id)
        )
        return {
            "label_repartition": {name: int(count) for name, count in counted},
            "nb_objects": sum(count for _, count in counted),
            "nb_annotations": session.scalar(annotated) or 0,
        }


@router.get("/api/dataset/version/{version_id}/analytics/tags")
def tag_analytics(here: Here, version_id: UUID, tag_type: Literal["ASSET", "DATA"]) -> Json:
    """How many assets of a dataset version have each tag."""
    target = Asset.id if tag_type == "ASSET" else Asset.data_id
    with here.store.reading() as session:
        row = the(session, DatasetVersion, version_id, kind="dataset version")
        counted = session.execute(
            select(Tag.name, func.count())
            .join(TagLink, TagLink.tag_id == Tag.id)
            .join(Asset, target == TagLink.target_id)
            .where(Asset.dataset_version_id == row.id)
            .group_by(Tag.name)
        )
        return {"tags": {name: int(count) for name, count in counted}}


@router.get("/api/dataset/version/{version_id}/attributes")
def get_attributes(here: Here, version_id: UUID) -> Json:
    """The attributes that annotations of a dataset version can have."""
    with here.store.reading() as session:
        row = the(session, DatasetVersion, version_id, kind="dataset version")
        return {"attributes": row.attributes}


@router.post("/api/dataset/version/{version_id}/attributes")
def set_attributes(
    here: Here, version_id: UUID, attributes: Annotated[dict[str, Any] | None, Body(embed=True)]
) -> Json:
    """Say which attributes annotations of a dataset version can have."""
    with here.store.writing() as session:
        row = unlocked(session, version_id)
        row.attributes = attributes
        return {"attributes": row.attributes}


def _locked(here: Platform, version_id: UUID, *, locked: bool) -> Json:
    with here.store.writing() as session:
        row = the(session, DatasetVersion, version_id, kind="dataset version")
        row.is_locked = locked
        return spell_dataset_versions(session, [row])[0]


def _made(session: Session, dataset_id: UUID, body: NewVersion, *, now: float) -> DatasetVersion:
    dataset = the(session, Dataset, dataset_id, kind="dataset")
    refuse_taken(
        session, DatasetVersion, body.version, kind="version of this dataset", column="version",
        dataset_id=dataset.id,
    )  # fmt: skip
    row = DatasetVersion(
        dataset_id=dataset.id,
        version=body.version,
        description=body.description or "",
        type=body.type.value,
        created_at=now,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row
