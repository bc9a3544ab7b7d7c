"""Predicted assets and their reviews."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.campaigns import advance
from picsellia_jupyter.localplatform.deleting import delete_tagged
from picsellia_jupyter.localplatform.filters import data_matches, metadata_matches
from picsellia_jupyter.localplatform.labels import labeller, labels_of
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin, Platform, User
from picsellia_jupyter.localplatform.reviewing import add_review
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.campaigns import Assignment
from picsellia_jupyter.localplatform.tables.datalakes import Data
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
    Review,
)
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import Json, from_raw, to_shapes

router = Router(dependencies=[NeedsUser])


class ReviewedShape(BaseModel, extra="allow"):
    """One corrected shape; its geometry is in the key of its type."""

    label_id: UUID


class NewReview(BaseModel):
    """What a person made of a prediction; nothing at all means that nothing is there."""

    rectangles: list[ReviewedShape] | None = None
    polygons: list[ReviewedShape] | None = None
    classifications: list[ReviewedShape] | None = None
    lines: list[ReviewedShape] | None = None
    points: list[ReviewedShape] | None = None
    # Beyond what the SDK can send.
    keypoints: list[ReviewedShape] | None = None
    masks: list[ReviewedShape] | None = None


@router.get("/api/deployment/{deployment_id}/predictedassets")
def list_assets(
    here: Here,
    origin: Origin,
    deployment_id: UUID,
    asked: Asked,
    q: str | None = None,
    custom_metadata: str | None = None,
    assignment_status: str | None = None,
    assignment_step_id: UUID | None = None,
    assignment_user_id: UUID | None = None,
) -> Json:
    """Predicted assets of a deployment, newest first."""
    assigned = {
        "status": assignment_status,
        "step_id": assignment_step_id and str(assignment_step_id),
        "assigned_user_id": assignment_user_id and str(assignment_user_id),
    }
    assigned = {key: value for key, value in assigned.items() if value}
    matching = (data_matches(q, prefix="data."), metadata_matches(custom_metadata))
    with here.store.reading() as session:
        the(session, Deployment, deployment_id, kind="deployment")
        query = select(PredictedAsset).where(PredictedAsset.deployment_id == str(deployment_id))
        if q or custom_metadata:
            query = query.join(Data, Data.id == PredictedAsset.data_id).where(*matching)
        if assigned:
            inside = select(Assignment.predicted_asset_id).filter_by(**assigned)
            query = query.where(PredictedAsset.id.in_(inside))
        found = page(session, query, PredictedAsset, asked, capped=True)
        return found.reply(Speller(here, session, origin).assets(found.rows))


@router.get("/api/deployment/{deployment_id}/predictedassets/find")
def find_asset(
    here: Here,
    origin: Origin,
    deployment_id: UUID,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    oracle_prediction_id: UUID | None = None,
    data_id: UUID | None = None,
    object_name: str | None = None,
    filename: str | None = None,
) -> Json:
    """The one predicted asset with this id, prediction, data or file name."""
    own = {"id": id, "oracle_prediction_id": oracle_prediction_id, "data_id": data_id}
    of_data = {"object_name": object_name, "filename": filename}
    query = select(PredictedAsset).where(PredictedAsset.deployment_id == str(deployment_id))
    for key, ident in own.items():
        if ident is not None:
            query = query.where(getattr(PredictedAsset, key) == str(ident))
    if any(of_data.values()):
        query = query.join(Data, Data.id == PredictedAsset.data_id)
    for key, text in of_data.items():
        if text:
            query = query.where(getattr(Data, key) == text)
    asked = {key: value for key, value in {**own, **of_data}.items() if value}
    with here.store.reading() as session:
        the(session, Deployment, deployment_id, kind="deployment")
        rows = session.scalars(query.limit(2)).all() if asked else []
        _refuse_not_one(len(rows), asked)
        return whole_asset(here, session, origin, rows[0])


@router.get("/api/predicted/asset/{asset_id}")
def get_asset(here: Here, origin: Origin, asset_id: UUID) -> Json:
    """A predicted asset with its predictions and reviews."""
    with here.store.reading() as session:
        row = the(session, PredictedAsset, asset_id, kind="predicted asset")
        return whole_asset(here, session, origin, row)


@router.delete("/api/predicted/asset/{asset_id}", status_code=204)
def delete_asset(here: Here, asset_id: UUID) -> None:
    """Delete a predicted asset; its image stays, and so do the statistics."""
    with here.store.writing() as session:
        row = the(session, PredictedAsset, asset_id, kind="predicted asset")
        delete_tagged(session, row, row.id)


@router.post("/api/predicted/asset/{asset_id}/reviews", status_code=201)
def review(here: Here, caller: User, asset_id: UUID, body: NewReview) -> Json:
    """Add a review; the last one counts, the earlier ones are kept."""
    now = here.clock()
    with here.store.writing() as session:
        asset = the(session, PredictedAsset, asset_id, kind="predicted asset")
        drawn = body.model_dump(mode="json", exclude_none=True)
        shapes = reviewed_shapes(session, asset.deployment_id, drawn)
        made = add_review(session, asset, shapes, author=caller.user_id, now=now)
        advance(session, asset, now=now, chance=here.chance)
        return _review(made)


def reviewed_shapes(session: Session, deployment_id: str, drawn: dict[str, list[Json]]) -> Json:
    """The shapes of a new review with their labels by name.

    Raises:
        InvalidInputError: a label is not one of the deployment's.
    """
    labels = {label.id: label.name for label in labels_of(session, deployment_id)}
    return {key: [_reviewed(shape, labels) for shape in shapes] for key, shapes in drawn.items()}


def whole_asset(here: Platform, session: Session, origin: str, row: PredictedAsset) -> Json:
    """A predicted asset with its predictions and reviews."""
    query = select(Prediction).filter_by(predicted_asset_id=row.id).order_by(Prediction.is_shadow)
    deployment = the(session, Deployment, row.deployment_id, kind="deployment")
    reviews = session.scalars(
        select(Review).filter_by(predicted_asset_id=row.id).order_by(Review.created_at)
    )
    return {
        **Speller(here, session, origin).assets([row])[0],
        "predictions": [_prediction(session, deployment, p) for p in session.scalars(query)],
        "reviews": [_review(review) for review in reviews],
    }


def _prediction(session: Session, deployment: Deployment, row: Prediction) -> Json:
    version = the(session, ModelVersion, row.model_version_id, kind="model version")
    found = from_raw(InferenceType(deployment.type), row.raw)
    label_of = labeller(session, deployment.id, version)
    shapes = to_shapes(found, ImageSize(row.width, row.height), label_of)
    return {
        "id": row.id,
        "is_shadow": row.is_shadow,
        "model_version_id": row.model_version_id,
        "latency": row.latency,
        "timestamp": row.at,
        **{key: _exactly_scored(entries, row.raw) for key, entries in shapes.items()},
    }


def _exactly_scored(shapes: list[Json], raw: dict[str, Any]) -> list[Json]:
    """Shapes with the scores as they were sent; inside they are float32."""
    scores = raw["detection_scores"]
    return [{**shape, "score": float(s)} for shape, s in zip(shapes, scores, strict=True)]


def _reviewed(shape: Json, labels: dict[str, str]) -> Json:
    label_id = str(shape.pop("label_id"))
    if label_id not in labels:
        raise InvalidInputError(
            f"The label {label_id} is not one of the deployment's.",
            f"Known: {', '.join(labels.values())}; take their ids from deployment.list_labels().",
        )
    return {"label": {"id": label_id, "name": labels[label_id]}, **shape}


def _review(row: Review) -> Json:
    return {**row.shapes, "id": row.id, "created_at": row.created_at}


def _refuse_not_one(found: int, asked: dict[str, Any]) -> None:
    if not asked:
        raise InvalidInputError("Nothing was asked for.", "Give an id, a data_id or a filename.")
    wanted = ", ".join(f"{key} {str(value)!r}" for key, value in asked.items())
    if not found:
        raise NotFoundError(
            f"There is no predicted asset with {wanted}.", "List what the deployment has."
        )
    if found > 1:
        raise InvalidInputError(f"Several predicted assets have {wanted}.", "Ask by id instead.")
