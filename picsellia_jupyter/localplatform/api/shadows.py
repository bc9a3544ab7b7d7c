"""No shadow model any more, and predicted images that it has not seen."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.reviewing import TO_REVIEW
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
)

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["predictions"])


class StoredPrediction(BaseModel):
    """The champion's prediction of an image, and where that image is."""

    id: str
    connector_id: str
    object_name: str
    filename: str


class Unshadowed(BaseModel):
    """Part of the images without a shadow's prediction, newest first."""

    items: list[StoredPrediction]
    count: int
    """All of them."""
    by_others: int
    """Images that another version than the present shadow predicted on as shadow."""


@router.delete("/api/local/deployments/{deployment_id}/shadow", status_code=204)
def remove_shadow(here: Here, deployment_id: UUID) -> None:
    """Have no version predict in the champion's shadow."""
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        row.shadow_model_version_id = None


@router.get("/api/local/deployments/{deployment_id}/unshadowed")
def list_unshadowed(
    here: Here,
    deployment_id: UUID,
    reviewed: bool = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: UUID | None = None,
) -> Unshadowed:
    """Images that no shadow model has predicted on, newest first."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        missing = _missing(row, reviewed=reviewed)
        wanted = missing if after is None else missing.where(_older(session, row, str(after)))
        newest = wanted.order_by(PredictedAsset.created_at.desc(), PredictedAsset.id.desc())
        items = [
            StoredPrediction(id=ident, connector_id=connector, object_name=name, filename=filename)
            for ident, connector, name, filename in session.execute(newest.limit(limit))
        ]
        count = session.scalar(select(func.count()).select_from(missing.subquery())) or 0
        return Unshadowed(items=items, count=count, by_others=_by_others(session, row))


def _missing(row: Deployment, *, reviewed: bool) -> Select[str, str, str, str]:
    seen = exists().where(
        Prediction.deployment_id == PredictedAsset.deployment_id,
        Prediction.oracle_prediction_id == PredictedAsset.oracle_prediction_id,
        Prediction.is_shadow.is_(True),
    )
    query = (
        select(
            PredictedAsset.oracle_prediction_id,
            Datalake.connector_id,
            Data.object_name,
            Data.filename,
        )
        .join(Data, Data.id == PredictedAsset.data_id)
        .join(Datalake, Datalake.id == Data.datalake_id)
        .where(PredictedAsset.deployment_id == row.id, ~seen)
    )
    return query.where(PredictedAsset.review_state != TO_REVIEW) if reviewed else query


def _older(session: Session, row: Deployment, prediction_id: str) -> ColumnElement[bool]:
    same = {"deployment_id": row.id, "oracle_prediction_id": prediction_id}
    found = session.scalars(select(PredictedAsset).filter_by(**same)).first()
    if found is None:
        raise UnknownIdError("prediction", prediction_id)
    at = found.created_at
    return or_(
        PredictedAsset.created_at < at,
        and_(PredictedAsset.created_at == at, PredictedAsset.id < found.id),
    )


def _by_others(session: Session, row: Deployment) -> int:
    others = select(func.count()).select_from(Prediction)
    return (
        session.scalar(
            others.where(
                Prediction.deployment_id == row.id,
                Prediction.is_shadow.is_(True),
                Prediction.predicted_asset_id.is_not(None),
                Prediction.model_version_id != (row.shadow_model_version_id or ""),
            )
        )
        or 0
    )
