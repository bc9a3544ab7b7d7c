"""Outlier scores as statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.outliers import fit_of
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.statistics import Selection, chosen_predictions, is_tagged
from picsellia_jupyter.localplatform.tables.deployments import Prediction
from picsellia_jupyter.localplatform.tables.outliers import OutlierFit, OutlierScore
from picsellia_jupyter.wire.predictions import Json

NEWEST = 20_000
"""Scores that a dashboard is drawn from."""
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


def newest_scores(
    session: Session, chosen: Selection
) -> tuple[NDArray[np.float64], NDArray[np.float64], float] | None:
    """When the chosen images came, (N,), and their scores, (N,), with the threshold.

    Of more than `NEWEST`, the newest ones; None where none has a score.
    """
    fit = session.scalars(select(OutlierFit).filter_by(deployment_id=chosen.deployment.id)).first()
    if fit is None or fit.threshold is None:
        return None
    query = select(OutlierScore.at, OutlierScore.score).where(
        OutlierScore.deployment_id == chosen.deployment.id, OutlierScore.score.is_not(None)
    )
    if chosen.since is not None:
        query = query.where(OutlierScore.at >= chosen.since)
    if chosen.until is not None:
        query = query.where(OutlierScore.at <= chosen.until)
    if chosen.model_version_id or chosen.source or chosen.tags:
        query = query.join(Prediction, Prediction.id == OutlierScore.prediction_id)
        query = query.add_columns(Prediction.tags).where(*chosen_predictions(chosen))
    rows = session.execute(query.order_by(OutlierScore.at.desc()).limit(NEWEST)).all()
    kept = [row[:2] for row in rows if not chosen.tags or is_tagged(row.tags, chosen.tags)]
    at, scores = np.array(kept, np.float64).reshape(-1, 2).T
    return (at, scores, fit.threshold) if len(at) else None


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
