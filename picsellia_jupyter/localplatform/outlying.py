"""Outlier scores as statistics."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.outliers import fit_of
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.statistics import Selection, chosen_predictions
from picsellia_jupyter.localplatform.tables.deployments import Prediction
from picsellia_jupyter.localplatform.tables.outliers import OutlierFit, OutlierScore
from picsellia_jupyter.wire.predictions import Json

_FIT = "POST /api/local/deployments/{id}/outliers fits one on the training data."


def outlier_log(here: Platform, session: Session, chosen: Selection) -> Json:
    """The result of the service `ae_outlier`: the scores of single predictions, oldest first."""
    fit = fit_of(session, here, chosen.deployment.id)
    if fit is None or fit.state != "READY":
        return {"count": 0, "predictions": [], "infos": {"info": _why(fit)}}
    query = (
        select(Prediction.oracle_prediction_id, Prediction.at, OutlierScore.score)
        .join(OutlierScore, OutlierScore.prediction_id == Prediction.id)
        .where(*chosen_predictions(chosen), OutlierScore.score.is_not(None))
        .order_by(Prediction.at, Prediction.id)
    )
    rows = session.execute(query).all()
    return {
        "count": len(rows),
        "threshold": fit.threshold,
        "contamination": fit.contamination,
        "predictions": [_spelled(row, fit) for row in rows],
    }


def outlier_share(
    session: Session, deployment_id: str, *, since: float, until: float
) -> tuple[int, float | None]:
    """How many images of a window have a score, and the share of outliers among them."""
    fit = session.scalars(select(OutlierFit).filter_by(deployment_id=deployment_id)).first()
    if fit is None or fit.threshold is None:
        return 0, None
    beyond = func.sum(case((OutlierScore.score > fit.threshold, 1), else_=0))
    scored, outliers = session.execute(
        select(func.count(), beyond).where(
            OutlierScore.deployment_id == deployment_id,
            OutlierScore.at.between(since, until),
            OutlierScore.score.is_not(None),
        )
    ).one()
    return scored, outliers / scored if scored else None


def _spelled(row: Any, fit: OutlierFit) -> Json:
    return {
        "oracle_prediction_id": row.oracle_prediction_id,
        "timestamp": row.at,
        "score": row.score,
        "is_outlier": row.score > (fit.threshold or 0.0),
    }


def _why(fit: OutlierFit | None) -> str:
    if fit is None:
        return f"No outlier model is fitted for this deployment. {_FIT}"
    if fit.state == "FITTING":
        return "The outlier model is being fitted. Ask again in a minute."
    return f"The outlier model could not be fitted: {fit.reason}"
