"""Labels of dataset versions and deployments, and groups of them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform.datasets import (
    get_or_create_labels,
    labels_of_version,
    unlocked,
)
from picsellia_jupyter.localplatform.finding import find_one, refuse_taken
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling_datasets import spell_group, spell_label
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datasets import (
    DatasetLabel,
    DatasetVersion,
    LabelGroup,
    Shape,
)
from picsellia_jupyter.localplatform.tables.deployments import DeploymentLabel
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewLabel(BaseModel):
    """A label to be made."""

    name: Words


class LabelChange(BaseModel):
    """What to change of a label; what is left out stays."""

    name: Words | None = None
    group_id: UUID | None = None


class NewGroup(BaseModel):
    """A group of labels to be made."""

    name: Words
    parent_id: UUID | None = None


class GroupChange(BaseModel):
    """What to change of a group; what is left out stays."""

    name: Words | None = None
    parent_id: UUID | None = None


class Skeleton(BaseModel):
    """The points of a keypoint label, and which of them are joined."""

    vertices: list[str]
    edges: list[list[int]] = []


# Of a dataset version ------------------------------------------------------------------------


@router.post("/api/dataset/version/{version_id}/labels", status_code=201)
def create_label(here: Here, version_id: UUID, body: NewLabel) -> Json:
    """Make a label."""
    with here.store.writing() as session:
        version = unlocked(session, version_id)
        refuse_taken(session, DatasetLabel, body.name, kind="label", dataset_version_id=version.id)
        made = get_or_create_labels(session, version, [body.name], now=here.clock())
        return spell_label(made[0])


@router.get("/api/dataset/version/{version_id}/labels")
def list_labels(here: Here, version_id: UUID) -> Json:
    """Labels of a dataset version, in the order they were made."""
    with here.store.reading() as session:
        version = the(session, DatasetVersion, version_id, kind="dataset version")
        items = [spell_label(row) for row in labels_of_version(session, version.id)]
        return {"items": items, "count": len(items), "next_cursor": None}


@router.get("/api/dataset/version/{version_id}/labels/find")
def find_label(here: Here, version_id: UUID, name: str) -> Json:
    """A label by its name."""
    with here.store.reading() as session:
        version = the(session, DatasetVersion, version_id, kind="dataset version")
        row = find_one(
            session, DatasetLabel, kind="label", name=name, dataset_version_id=version.id
        )
        return spell_label(row)


@router.get("/api/dataset/version/{version_id}/labels/skeleton")
def list_skeletons(here: Here, version_id: UUID) -> Json:
    """The skeletons of a dataset version, by the ids of their labels."""
    with here.store.reading() as session:
        version = the(session, DatasetVersion, version_id, kind="dataset version")
        rows = labels_of_version(session, version.id)
        return {"items": {row.id: row.skeleton for row in rows if row.skeleton}}


@router.api_route("/api/dataset/version/{version_id}/bulk-labels", methods=["XGET"])
def get_or_create(
    here: Here, version_id: UUID, names: Annotated[list[Words], Body(embed=True)]
) -> list[Json]:
    """Labels by their names, made where there are none."""
    with here.store.writing() as session:
        version = unlocked(session, version_id)
        rows = get_or_create_labels(session, version, names, now=here.clock())
        return [spell_label(row) for row in rows]


@router.post("/api/dataset/version/{version_id}/labelgroups", status_code=201)
def create_group(here: Here, version_id: UUID, body: NewGroup) -> Json:
    """Make a group of labels."""
    with here.store.writing() as session:
        version = unlocked(session, version_id)
        refuse_taken(
            session, LabelGroup, body.name, kind="label group", dataset_version_id=version.id
        )
        row = LabelGroup(dataset_version_id=version.id, name=body.name, created_at=here.clock())
        session.add(row)
        session.flush()
        if body.parent_id is not None:
            row.parent_id = _group_of(session, version.id, body.parent_id).id
        return spell_group(row)


@router.get("/api/dataset/version/{version_id}/labelgroups")
def list_groups(here: Here, version_id: UUID, asked: Asked) -> Json:
    """Groups of labels of a dataset version."""
    with here.store.reading() as session:
        version = the(session, DatasetVersion, version_id, kind="dataset version")
        query = select(LabelGroup).filter_by(dataset_version_id=version.id)
        found = page(session, query, LabelGroup, asked)
        return found.reply([spell_group(row) for row in found.rows])


# One group -----------------------------------------------------------------------------------


@router.get("/api/label/group/{group_id}")
def get_group(here: Here, group_id: UUID) -> Json:
    """A group of labels by its id."""
    with here.store.reading() as session:
        return spell_group(the(session, LabelGroup, group_id, kind="label group"))


@router.patch("/api/label/group/{group_id}")
def update_group(here: Here, group_id: UUID, body: GroupChange) -> Json:
    """Rename a group, or put it into another one."""
    with here.store.writing() as session:
        row = the(session, LabelGroup, group_id, kind="label group")
        unlocked(session, row.dataset_version_id)
        if body.name is not None:
            refuse_taken(
                session, LabelGroup, body.name, kind="label group", but=row.id,
                dataset_version_id=row.dataset_version_id,
            )  # fmt: skip
            row.name = body.name
        if body.parent_id is not None:
            parent = _group_of(session, row.dataset_version_id, body.parent_id)
            _refuse_loop(session, row, parent)
            row.parent_id = parent.id
        return spell_group(row)


@router.delete("/api/label/group/{group_id}", status_code=204)
def delete_group(here: Here, group_id: UUID) -> None:
    """Delete a group; its labels stay."""
    with here.store.writing() as session:
        row = the(session, LabelGroup, group_id, kind="label group")
        unlocked(session, row.dataset_version_id)
        session.delete(row)


# One label -----------------------------------------------------------------------------------


@router.get("/api/label/{label_id}")
def get_label(here: Here, label_id: UUID) -> Json:
    """A label by its id, of a deployment or a dataset version."""
    with here.store.reading() as session:
        deployed = session.get(DeploymentLabel, str(label_id))
        if deployed is not None:
            return {"id": deployed.id, "name": deployed.name, "group_id": None}
        return spell_label(the(session, DatasetLabel, label_id, kind="label"))


@router.patch("/api/label/{label_id}")
def update_label(here: Here, label_id: UUID, body: LabelChange) -> Json:
    """Rename a label, or put it into a group; those of deployments never change."""
    with here.store.writing() as session:
        row = _own_label(session, label_id)
        if body.name is not None:
            refuse_taken(
                session, DatasetLabel, body.name, kind="label", but=row.id,
                dataset_version_id=row.dataset_version_id,
            )  # fmt: skip
            row.name = body.name
        if body.group_id is not None:
            row.group_id = _group_of(session, row.dataset_version_id, body.group_id).id
        return spell_label(row)


@router.delete("/api/label/{label_id}", status_code=204)
def delete_label(here: Here, label_id: UUID) -> None:
    """Delete a label of a dataset version with its shapes."""
    with here.store.writing() as session:
        row = _own_label(session, label_id)
        session.execute(delete(Shape).where(Shape.label_id == row.id))
        session.delete(row)


@router.get("/api/label/{label_id}/attributes")
def get_attributes(here: Here, label_id: UUID) -> Json:
    """The attributes that shapes of a label can have."""
    with here.store.reading() as session:
        return {"attributes": the(session, DatasetLabel, label_id, kind="label").attributes}


@router.post("/api/label/{label_id}/attributes")
def set_attributes(
    here: Here, label_id: UUID, attributes: Annotated[dict[str, Any] | None, Body(embed=True)]
) -> Json:
    """Say which attributes shapes of a label can have."""
    with here.store.writing() as session:
        row = _own_label(session, label_id)
        row.attributes = attributes
        return {"attributes": attributes}


@router.get("/api/label/{label_id}/skeleton")
def get_skeleton(here: Here, label_id: UUID) -> Json:
    """The skeleton of a keypoint label; empty where it has none."""
    with here.store.reading() as session:
        row = the(session, DatasetLabel, label_id, kind="label")
        return row.skeleton or {"vertices": [], "edges": []}


@router.post("/api/label/{label_id}/skeleton")
def set_skeleton(here: Here, label_id: UUID, body: Skeleton) -> Json:
    """Give a keypoint label its skeleton."""
    with here.store.writing() as session:
        row = _own_label(session, label_id)
        row.skeleton = body.model_dump()
        return row.skeleton


def _own_label(session: Session, label_id: UUID) -> DatasetLabel:
    deployed = session.get(DeploymentLabel, str(label_id))
    if deployed is not None:
        raise ConflictError(
            f"The label {deployed.name!r} is a deployment's and never changes.",
            "Change the labels of the model version, and deploy it.",
        )
    row = the(session, DatasetLabel, label_id, kind="label")
    unlocked(session, row.dataset_version_id)
    return row


def _group_of(session: Session, version_id: str, group_id: UUID) -> LabelGroup:
    return find_one(
        session, LabelGroup, kind="label group", ident=group_id, dataset_version_id=version_id
    )


def _refuse_loop(session: Session, group: LabelGroup, parent: LabelGroup) -> None:
    above: LabelGroup | None = parent
    while above is not None:
        if above.id == group.id:
            raise InvalidInputError(
                f"The group {group.name!r} cannot be inside itself.", "Choose another parent."
            )
        above = session.get(LabelGroup, above.parent_id) if above.parent_id else None
