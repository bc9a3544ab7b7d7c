"""Dataset rows as the JSON objects that the SDK reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.spelling import Speller, tags_of
from picsellia_jupyter.localplatform.tables.datalakes import Data
from picsellia_jupyter.localplatform.tables.datasets import (
    Annotation,
    Asset,
    Dataset,
    DatasetLabel,
    DatasetVersion,
    LabelGroup,
    Shape,
)
from picsellia_jupyter.wire.predictions import Json

SHAPE_KINDS = (
    "rectangles", "polygons", "classifications", "lines", "points", "keypoints", "masks"
)  # fmt: skip


def spell_datasets(session: Session, rows: Sequence[Dataset]) -> list[Json]:
    """Datasets, with their tags."""
    tags = tags_of(session, (row.id for row in rows))
    return [
        {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "private": True,
            "tags": tags[row.id],
            "created_at": row.created_at,
        }
        for row in rows
    ]


def spell_dataset_versions(session: Session, rows: Sequence[DatasetVersion]) -> list[Json]:
    """Dataset versions, with their tags."""
    tags = tags_of(session, (row.id for row in rows))
    return [
        {
            "id": row.id,
            "origin_id": row.dataset_id,
            "origin_name": row.dataset.name,
            "version": row.version,
            "type": row.type,
            "description": row.description,
            "locked": row.is_locked,
            "annotation_campaign_id": None,
            "tags": tags[row.id],
            "created_at": row.created_at,
        }
        for row in rows
    ]


def spell_label(row: DatasetLabel) -> Json:
    """A label of a dataset version."""
    return {"id": row.id, "name": row.name, "group_id": row.group_id}


def spell_group(row: LabelGroup) -> Json:
    """A group of labels."""
    return {"id": row.id, "name": row.name, "parent_id": row.parent_id}


def spell_assets(speller: Speller, rows: Sequence[Asset]) -> list[Json]:
    """Assets, each with its data."""
    tags = tags_of(speller.session, (row.id for row in rows))
    data = speller.session.scalars(select(Data).where(Data.id.in_([row.data_id for row in rows])))
    spelled = {item["id"]: item for item in speller.data(data.all())}
    return [
        {
            "id": row.id,
            "dataset_version_id": row.dataset_version_id,
            "data": spelled[row.data_id],
            "tags": tags[row.id],
            "created_at": row.created_at,
        }
        for row in rows
    ]


def spell_annotation(row: Annotation) -> Json:
    """An annotation without its shapes."""
    return {
        "id": row.id,
        "asset_id": row.asset_id,
        "status": row.status,
        "duration": row.duration,
        "attributes": row.attributes,
        "created_at": row.created_at,
    }


def spell_shape(row: Shape, label: DatasetLabel) -> Json:
    """One shape with its label."""
    return {
        "id": row.id,
        "label": spell_label(label),
        "text": row.text,
        "attributes": row.attributes,
        **row.geometry,
    }


def spell_with_shapes(session: Session, rows: Sequence[Annotation]) -> list[Json]:
    """Annotations with all their shapes, whose `label` is its name alone."""
    shapes = _shapes_of(session, [row.id for row in rows])
    return [
        {
            **spell_annotation(row),
            **{kind: shapes[row.id].get(kind, []) for kind in SHAPE_KINDS},
        }
        for row in rows
    ]


def _shapes_of(session: Session, ids: Sequence[str]) -> Mapping[str, dict[str, list[Json]]]:
    query = (
        select(Shape, DatasetLabel.name)
        .join(DatasetLabel, DatasetLabel.id == Shape.label_id)
        .where(Shape.annotation_id.in_(ids))
        .order_by(Shape.annotation_id, Shape.kind, Shape.position)
    )
    found: dict[str, dict[str, list[Json]]] = defaultdict(lambda: defaultdict(list))
    for shape, label in session.execute(query):
        found[shape.annotation_id][shape.kind].append(
            {
                "id": shape.id,
                "label": label,
                "label_id": shape.label_id,
                "text": shape.text,
                "attributes": shape.attributes,
                **shape.geometry,
            }
        )
    return found
