"""Annotations and their shapes."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.datasets import (
    add_shapes,
    annotation_of,
    drop_shapes,
    geometry_of,
    labels_of_version,
    shapes_query,
    unlocked,
)
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling_datasets import (
    spell_annotation,
    spell_shape,
    spell_with_shapes,
)
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datasets import (
    Annotation,
    Asset,
    DatasetLabel,
    DatasetVersion,
    Shape,
)
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
Status = Literal["PENDING", "SKIPPED", "ACCEPTED", "REFUSED"]
Kind = Literal["rectangles", "polygons", "classifications", "lines", "points", "masks"]
SHAPE_KINDS = ("rectangle", "polygon", "classification", "line", "point", "mask")
"""What a single shape is called in its path."""


async def _shape_kind(request: Request) -> str:
    return request.url.path.split("/")[2]


ShapeKind = Annotated[str, Depends(_shape_kind)]


class Drawn(BaseModel):
    """Shapes by kind; each has `label_id` and its geometry."""

    rectangles: list[Json] | None = None
    polygons: list[Json] | None = None
    classifications: list[Json] | None = None
    lines: list[Json] | None = None
    points: list[Json] | None = None
    keypoints: list[Json] | None = None
    masks: list[Json] | None = None

    def shapes(self) -> dict[str, list[Json]]:
        """The shapes, without the kinds that there are none of."""
        found = {kind: getattr(self, kind) for kind in Drawn.model_fields}
        return {kind: shapes for kind, shapes in found.items() if shapes}


class WholeAnnotation(Drawn):
    """An annotation that replaces what is there."""

    duration: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class AssetAnnotation(Drawn):
    """What one asset is to be annotated with."""

    asset_id: UUID
    attributes: dict[str, Any] | None = None


class BulkAnnotations(BaseModel):
    """Annotations of many assets."""

    import_type: Literal["REPLACE", "KEEP", "CONCATENATE"]
    annotations: list[AssetAnnotation]
    status: Status | None = None


class AnnotationChange(BaseModel):
    """What to change of an annotation; what is left out stays."""

    duration: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    status: Status | None = None


class Doomed(BaseModel):
    """Annotations to be deleted: of these assets, or of all where one is `__all__`."""

    asset_ids: list[str]
    annotation_ids: list[UUID] | None = None
    """Only these."""


# Of a dataset version ------------------------------------------------------------------------


@router.post("/api/dataset/version/{version_id}/bulk-annotations")
def annotate_many(here: Here, version_id: UUID, body: BulkAnnotations) -> dict[str, int]:
    """Annotate many assets: all of them, or none."""
    now = here.clock()
    counts = {"annotations": 0, "shapes": 0, "kept": 0}
    with here.store.writing() as session:
        version = unlocked(session, version_id)
        label_ids = _label_ids(session, version.id)
        for given in body.annotations:
            asset = the(session, Asset, given.asset_id, kind="asset")
            if asset.dataset_version_id != version.id:
                raise InvalidInputError(
                    f"The asset {asset.id} is in another dataset version.", "Annotate it there."
                )
            row = annotation_of(session, asset.id)
            if row is not None and body.import_type == "KEEP":
                counts["kept"] += 1
                continue
            row = row or _new(session, asset.id, now=now)
            if body.import_type == "REPLACE":
                drop_shapes(session, row)
            row.attributes = given.attributes or row.attributes
            row.status = body.status or row.status
            shapes = add_shapes(session, row, given.shapes(), label_ids, now=now)
            counts["annotations"] += 1
            counts["shapes"] += len(shapes)
    return counts


@router.get("/api/dataset/version/{version_id}/annotations")
def list_annotations(
    here: Here, version_id: UUID, asked: Asked, status: Status | None = None
) -> Json:
    """Annotations of a dataset version, without their shapes."""
    with here.store.reading() as session:
        the(session, DatasetVersion, version_id, kind="dataset version")
        query = select(Annotation).join(Asset, Asset.id == Annotation.asset_id)
        query = query.where(Asset.dataset_version_id == str(version_id))
        if status is not None:
            query = query.where(Annotation.status == status)
        found = page(session, query, Annotation, asked)
        return found.reply([spell_annotation(row) for row in found.rows])


@router.get("/api/dataset/version/{version_id}/annotations/ids")
def list_annotation_ids(here: Here, version_id: UUID, status: Status | None = None) -> list[str]:
    """Ids of the annotations of a dataset version."""
    with here.store.reading() as session:
        the(session, DatasetVersion, version_id, kind="dataset version")
        query = select(Annotation.id).join(Asset, Asset.id == Annotation.asset_id)
        query = query.where(Asset.dataset_version_id == str(version_id))
        if status is not None:
            query = query.where(Annotation.status == status)
        return list(session.scalars(query.order_by(Annotation.created_at, Annotation.id)))


@router.api_route("/api/dataset/version/{version_id}/annotations", methods=["XGET"])
def load_annotations(
    here: Here, version_id: UUID, ids: Annotated[list[UUID], Body(max_length=1000)]
) -> list[Json]:
    """Annotations with all their shapes, by ids."""
    wanted = Annotation.id.in_([str(ident) for ident in ids])
    with here.store.reading() as session:
        query = select(Annotation).join(Asset, Asset.id == Annotation.asset_id)
        query = query.where(Asset.dataset_version_id == str(version_id), wanted)
        return spell_with_shapes(session, session.scalars(query).all())


@router.delete("/api/dataset/version/{version_id}/annotations", status_code=204)
def delete_annotations(here: Here, version_id: UUID, body: Doomed) -> None:
    """Delete annotations of a dataset version."""
    with here.store.writing() as session:
        version = unlocked(session, version_id)
        assets = select(Asset.id).where(Asset.dataset_version_id == version.id)
        if "__all__" not in body.asset_ids:
            assets = assets.where(Asset.id.in_(body.asset_ids))
        doomed = delete(Annotation).where(Annotation.asset_id.in_(assets))
        if body.annotation_ids is not None:
            doomed = doomed.where(Annotation.id.in_([str(one) for one in body.annotation_ids]))
        session.execute(doomed)


@router.post("/api/dataset/version/{version_id}/annotations/export")
def export_annotations(version_id: UUID) -> Json:
    """Refuse: the SDK makes these files by itself, of what it is told here."""
    del version_id
    raise InvalidInputError(
        "The local platform makes no files of annotations.",
        "Have the SDK make one: dataset_version.build_coco_file_locally(), or "
        "build_pascal_voc_locally(folder).",
    )


# Of an asset ---------------------------------------------------------------------------------


@router.post("/api/asset/{asset_id}/annotations", status_code=201)
def create_annotation(
    here: Here, asset_id: UUID, duration: Annotated[float, Body(embed=True, ge=0)] = 0.0
) -> Json:
    """Begin the annotation of an asset."""
    with here.store.writing() as session:
        asset = the(session, Asset, asset_id, kind="asset")
        unlocked(session, asset.dataset_version_id)
        if annotation_of(session, asset.id) is not None:
            raise ConflictError(
                f"The asset {asset.id} has an annotation.", "Take it: asset.get_annotation()."
            )
        row = _new(session, asset.id, now=here.clock())
        row.duration = duration
        return spell_annotation(row)


@router.get("/api/asset/{asset_id}/annotations")
def list_of_asset(here: Here, asset_id: UUID) -> Json:
    """The annotation of an asset, in a list."""
    with here.store.reading() as session:
        the(session, Asset, asset_id, kind="asset")
        row = annotation_of(session, str(asset_id))
        items = [spell_annotation(row)] if row else []
        return {"items": items, "count": len(items), "next_cursor": None}


@router.get("/api/asset/{asset_id}/annotations/find")
def find_annotation(here: Here, asset_id: UUID) -> Json:
    """The annotation of an asset."""
    with here.store.reading() as session:
        the(session, Asset, asset_id, kind="asset")
        row = annotation_of(session, str(asset_id))
        if row is None:
            raise NotFoundError(
                f"The asset {asset_id} has no annotation.", "Make one: asset.create_annotation()."
            )
        return spell_annotation(row)


# One annotation ------------------------------------------------------------------------------


@router.get("/api/annotation/{annotation_id}")
def get_annotation(here: Here, annotation_id: UUID) -> Json:
    """An annotation by its id."""
    with here.store.reading() as session:
        return spell_annotation(the(session, Annotation, annotation_id, kind="annotation"))


@router.patch("/api/annotation/{annotation_id}")
def update_annotation(here: Here, annotation_id: UUID, body: AnnotationChange) -> Json:
    """Change the status or duration of an annotation."""
    with here.store.writing() as session:
        row, _ = _changeable(session, annotation_id)
        row.status = body.status or row.status
        if body.duration is not None:
            row.duration = body.duration
        return spell_annotation(row)


@router.delete("/api/annotation/{annotation_id}", status_code=204)
def delete_annotation(here: Here, annotation_id: UUID) -> None:
    """Delete an annotation with its shapes."""
    with here.store.writing() as session:
        session.delete(_changeable(session, annotation_id)[0])


@router.post("/api/annotation/{annotation_id}/save")
def overwrite(here: Here, annotation_id: UUID, body: WholeAnnotation) -> Json:
    """Replace all shapes of an annotation."""
    with here.store.writing() as session:
        row, version_id = _changeable(session, annotation_id)
        drop_shapes(session, row)
        row.duration = body.duration
        labels = _label_ids(session, version_id)
        add_shapes(session, row, body.shapes(), labels, now=here.clock())
        return spell_annotation(row)


@router.post("/api/annotation/{annotation_id}/bulk-{kind}")
def draw(here: Here, annotation_id: UUID, kind: Kind, body: Drawn) -> Json:
    """Draw shapes of one kind; the reply has them under that kind."""
    with here.store.writing() as session:
        row, version_id = _changeable(session, annotation_id)
        labels = {label.id: label for label in labels_of_version(session, version_id)}
        shapes: dict[str, list[Json]] = {kind: body.shapes().get(kind, [])}
        made = add_shapes(session, row, shapes, labels, now=here.clock())
        return {kind: [spell_shape(shape, labels[shape.label_id]) for shape in made]}


@router.get("/api/annotation/{annotation_id}/{kind}")
def list_shapes(here: Here, annotation_id: UUID, kind: Kind) -> Json:
    """Shapes of one kind, in their order."""
    with here.store.reading() as session:
        row = the(session, Annotation, annotation_id, kind="annotation")
        found = session.execute(shapes_query(row.id, kind))
        items = [spell_shape(shape, label) for shape, label in found]
        return {"items": items, "count": len(items), "next_cursor": None}


# One shape -----------------------------------------------------------------------------------


def get_shape(here: Here, kind: ShapeKind, shape_id: UUID) -> Json:
    """A shape by its id."""
    with here.store.reading() as session:
        shape, label = _shape(session, kind, shape_id)
        return spell_shape(shape, label)


def update_shape(here: Here, kind: ShapeKind, shape_id: UUID, body: Json) -> Json:
    """Move a shape, or give it another label or text."""
    with here.store.writing() as session:
        shape, label = _shape(session, kind, shape_id)
        _, version_id = _changeable(session, UUID(shape.annotation_id))
        if body.get("label_id") is not None:
            label = the(session, DatasetLabel, body["label_id"], kind="label")
            if label.dataset_version_id != version_id:
                raise InvalidInputError(
                    f"The label {label.name!r} is another dataset version's.", "Use one of its own."
                )
            shape.label_id = label.id
        shape.text = body.get("text", shape.text)
        shape.geometry = geometry_of(shape.kind, {**shape.geometry, **body})
        return spell_shape(shape, label)


def delete_shape(here: Here, kind: ShapeKind, shape_id: UUID) -> None:
    """Rub a shape out."""
    with here.store.writing() as session:
        shape, _ = _shape(session, kind, shape_id)
        _changeable(session, UUID(shape.annotation_id))
        session.delete(shape)


for _kind in SHAPE_KINDS:
    _path = f"/api/{_kind}/{{shape_id}}"
    router.add_api_route(_path, get_shape, methods=["GET"])
    router.add_api_route(_path, update_shape, methods=["PATCH"])
    router.add_api_route(_path, delete_shape, methods=["DELETE"], status_code=204)


def _new(session: Session, asset_id: str, *, now: float) -> Annotation:
    row = Annotation(asset_id=asset_id, created_at=now)
    session.add(row)
    session.flush()
    return row


def _changeable(session: Session, annotation_id: UUID) -> tuple[Annotation, str]:
    row = the(session, Annotation, annotation_id, kind="annotation")
    asset = session.get_one(Asset, row.asset_id)
    return row, unlocked(session, asset.dataset_version_id).id


def _label_ids(session: Session, version_id: str) -> frozenset[str]:
    return frozenset(label.id for label in labels_of_version(session, version_id))


def _shape(session: Session, kind: str, shape_id: UUID) -> tuple[Shape, DatasetLabel]:
    row = session.scalars(select(Shape).filter_by(id=str(shape_id), kind=f"{kind}s")).first()
    if row is None:
        raise UnknownIdError(kind, str(shape_id))
    return row, session.get_one(DatasetLabel, row.label_id)
