"""Filling dataset versions: assets, labels and annotations, each of them only once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform.deleting import delete_tagged
from picsellia_jupyter.localplatform.spelling_datasets import SHAPE_KINDS
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.base import Identified
from picsellia_jupyter.localplatform.tables.datalakes import Tag, TagLink
from picsellia_jupyter.localplatform.tables.datasets import (
    Annotation,
    Asset,
    DatasetLabel,
    DatasetVersion,
    Shape,
)
from picsellia_jupyter.localplatform.tagging import link_tag, new_tag, tag_query
from picsellia_jupyter.wire.predictions import Json

_NOT_GEOMETRY = frozenset({"id", "label", "label_id", "text", "attributes", "score"})
_AT_ONCE = 500
"""Ids of one query; databases have a limit."""


def unlocked(session: Session, version_id: UUID | str) -> DatasetVersion:
    """A dataset version that may be changed.

    Raises:
        UnknownIdError: there is none.
        ConflictError: it is locked.
    """
    row = the(session, DatasetVersion, version_id, kind="dataset version")
    if row.is_locked:
        raise ConflictError(
            f"The dataset version {row.dataset.name}/{row.version} is locked.",
            "Unlock it: dataset_version.unlock().",
        )
    return row


# Assets --------------------------------------------------------------------------------------


def add_assets(
    session: Session, version: DatasetVersion, data_ids: Iterable[str], *, now: float
) -> list[Asset]:
    """Put images into a dataset version; those that are there already stay.

    Returns:
        An asset for each image, in their order.
    """
    wanted = list(dict.fromkeys(data_ids))
    known = {asset.data_id: asset for asset in _assets_of(session, version, wanted)}
    for data_id in wanted:
        if data_id not in known:
            known[data_id] = Asset(dataset_version_id=version.id, data_id=data_id, created_at=now)
            session.add(known[data_id])
    session.flush()
    return [known[data_id] for data_id in wanted]


def delete_assets(session: Session, assets: Iterable[Asset]) -> None:
    """Take images out of a dataset version, with their annotations."""
    for asset in assets:
        delete_tagged(session, asset, asset.id)
    session.flush()


def delete_dataset_version(session: Session, row: DatasetVersion) -> None:
    """Delete a dataset version with all that is in it but the images."""
    assets = select(Asset.id).where(Asset.dataset_version_id == row.id)
    session.execute(delete(TagLink).where(TagLink.target_id.in_(assets)))
    session.execute(delete(Tag).where(Tag.scope_id == row.id))
    delete_tagged(session, row, row.id)
    session.flush()


def copy_assets(
    session: Session,
    source: DatasetVersion,
    target: DatasetVersion,
    *,
    now: float,
    ids: Sequence[str] | None = None,
    tags: bool = False,
    labels: bool = False,
    annotations: bool = False,
) -> int:
    """Copy assets from one dataset version to another.

    Args:
        session: the transaction.
        source: where from.
        target: where to.
        now: seconds since the epoch.
        ids: which assets; None takes all.
        tags: whether their tags come along.
        labels: whether all labels of the source come along.
        annotations: whether their annotations do, with the labels they need.

    Returns:
        How many.
    """
    query = select(Asset).filter_by(dataset_version_id=source.id).order_by(Asset.created_at)
    chosen = [
        asset for asset in session.scalars(query) if ids is None or asset.id in frozenset(ids)
    ]
    made = add_assets(session, target, [asset.data_id for asset in chosen], now=now)
    if labels:
        names = [label.name for label in labels_of_version(session, source.id)]
        get_or_create_labels(session, target, names, now=now)
    for old, new in zip(chosen, made, strict=True):
        if tags:
            _copy_tags(session, old, new, now=now)
        if annotations:
            _copy_annotation(session, old, new, target, now=now)
    return len(chosen)


def _assets_of(
    session: Session, version: DatasetVersion, data_ids: Sequence[str]
) -> Iterable[Asset]:
    query = select(Asset).filter_by(dataset_version_id=version.id)
    for start in range(0, len(data_ids), _AT_ONCE):
        part = data_ids[start : start + _AT_ONCE]
        yield from session.scalars(query.where(Asset.data_id.in_(part)))


def _copy_tags(session: Session, old: Asset, new: Asset, *, now: float) -> None:
    links = select(Tag).join(TagLink, TagLink.tag_id == Tag.id).where(TagLink.target_id == old.id)
    for tag in session.scalars(links).all():
        link_tag(session, asset_tag(session, tag.name, new.dataset_version_id, now=now), new.id)


def asset_tag(session: Session, name: str, version_id: str, *, now: float) -> Tag:
    """The asset tag of this name, made where there is none."""
    found = session.scalars(tag_query(name, "ASSET", version_id)).first()
    return found or new_tag(session, name, "ASSET", version_id, now=now)


# Labels --------------------------------------------------------------------------------------


def labels_of_version(session: Session, version_id: str) -> list[DatasetLabel]:
    """Labels of a dataset version, in the order they were made."""
    query = select(DatasetLabel).filter_by(dataset_version_id=version_id)
    return list(session.scalars(query.order_by(DatasetLabel.position)))


def get_or_create_labels(
    session: Session, version: DatasetVersion, names: Iterable[str], *, now: float
) -> list[DatasetLabel]:
    """The labels of these names, made where there are none; in the order of the names."""
    known = {label.name: label for label in labels_of_version(session, version.id)}
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            known[name] = DatasetLabel(
                dataset_version_id=version.id, name=name, position=len(known), created_at=now
            )
            session.add(known[name])
    session.flush()
    return [known[name] for name in wanted]


# Annotations ---------------------------------------------------------------------------------


def annotation_of(session: Session, asset_id: str) -> Annotation | None:
    """The annotation of an asset, or None where it has none."""
    return session.scalars(select(Annotation).filter_by(asset_id=asset_id)).first()


def shapes_query(annotation_id: str, kind: str) -> Select[Shape, DatasetLabel]:
    """The query for shapes of one kind with their labels, in their order."""
    return (
        select(Shape, DatasetLabel)
        .join(DatasetLabel, DatasetLabel.id == Shape.label_id)
        .where(Shape.annotation_id == annotation_id, Shape.kind == kind)
        .order_by(Shape.position)
    )


def add_shapes(
    session: Session,
    annotation: Annotation,
    shapes: Mapping[str, Sequence[Json]],
    label_ids: Collection[str],
    *,
    now: float,
) -> list[Shape]:
    """Draw shapes after those that are there.

    Args:
        session: the transaction.
        annotation: where.
        shapes: lists of shapes by kind, each with `label_id` and its geometry.
        label_ids: the labels of the dataset version.
        now: seconds since the epoch.

    Raises:
        InvalidInputError: a label is not one of these, or the geometry is missing.
    """
    made = []
    for kind in SHAPE_KINDS:
        count = session.scalar(
            select(func.count())
            .select_from(Shape)
            .where(Shape.annotation_id == annotation.id, Shape.kind == kind)
        )
        for position, given in enumerate(shapes.get(kind) or (), start=count or 0):
            made.append(new_shape(annotation, kind, position, given, label_ids, now=now))
    session.add_all(made)
    session.flush()
    return made


def drop_shapes(session: Session, annotation: Annotation) -> None:
    """Rub out all shapes of an annotation."""
    session.execute(delete(Shape).where(Shape.annotation_id == annotation.id))


def new_shape(
    annotation: Annotation,
    kind: str,
    position: int,
    given: Json,
    label_ids: Collection[str],
    *,
    now: float,
) -> Shape:
    """A shape of an annotation, not added to it yet.

    Raises:
        InvalidInputError: its label is not one of these, or the geometry is missing.
    """
    label_id = str(given.get("label_id"))
    if label_id not in label_ids:
        raise InvalidInputError(
            f"The label {label_id} is not one of the dataset version's.",
            "Take its id from dataset_version.list_labels().",
        )
    return Shape(
        annotation_id=annotation.id,
        kind=kind,
        position=position,
        label_id=label_id,
        geometry=geometry_of(kind, given),
        text=given.get("text"),
        attributes=given.get("attributes"),
        created_at=now,
    )


GEOMETRY_KEYS: Mapping[str, tuple[str, ...]] = {
    "rectangles": ("x", "y", "w", "h"),
    "polygons": ("polygon",),
    "classifications": (),
    "lines": ("line",),
    "points": ("point",),
    "keypoints": ("keypoints",),
    "masks": ("mask",),
}
"""What a shape of each kind must have."""


def geometry_of(kind: str, given: Json) -> Json:
    """The part of a shape that says where it is.

    Raises:
        InvalidInputError: some of it is missing, or the numbers are no numbers.
    """
    missing = [key for key in GEOMETRY_KEYS[kind] if given.get(key) is None]
    if missing:
        raise InvalidInputError(
            f"A shape of {kind} has no {', '.join(missing)}.",
            f"Give {', '.join(GEOMETRY_KEYS[kind])}, in pixels.",
        )
    found = {key: value for key, value in given.items() if key not in _NOT_GEOMETRY}
    if kind == "rectangles" and not all(isinstance(found[key], (int, float)) for key in "xywh"):
        raise InvalidInputError("A rectangle's x, y, w and h are numbers.", "Give whole pixels.")
    if kind == "masks":
        found = {"area": 0.0, "bbox": [0, 0, 0, 0], **found}
    return found


def _copy_annotation(
    session: Session, old: Asset, new: Asset, target: DatasetVersion, *, now: float
) -> None:
    found = annotation_of(session, old.id)
    if found is None or annotation_of(session, new.id) is not None:
        return
    copy = Annotation(
        asset_id=new.id,
        status=found.status,
        duration=found.duration,
        attributes=found.attributes,
        created_at=now,
    )
    session.add(copy)
    session.flush()
    query = (
        select(Shape, DatasetLabel.name)
        .join(DatasetLabel, DatasetLabel.id == Shape.label_id)
        .where(Shape.annotation_id == found.id)
    )
    for shape, name in session.execute(query).all():
        label = get_or_create_labels(session, target, [name], now=now)[0]
        session.add(_copied(shape, copy, label, now=now))


def _copied(shape: Shape, annotation: Annotation, label: Identified, *, now: float) -> Shape:
    return Shape(
        annotation_id=annotation.id,
        kind=shape.kind,
        position=shape.position,
        label_id=label.id,
        geometry=shape.geometry,
        text=shape.text,
        attributes=shape.attributes,
        created_at=now,
    )
