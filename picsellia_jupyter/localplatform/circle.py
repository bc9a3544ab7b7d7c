"""What is known of a deployment's whole circle, read in one moment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from picsellia_jupyter.domain.training import RunState
from picsellia_jupyter.localplatform.promoting import last_promotion, title_of
from picsellia_jupyter.localplatform.reviewing import TO_REVIEW, review_counts
from picsellia_jupyter.localplatform.spelling import serving_of
from picsellia_jupyter.localplatform.tables.datasets import Asset, DatasetVersion
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
)
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline, PipelineDataset
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.rollouts import Rollout
from picsellia_jupyter.localplatform.tables.training import TrainingRun
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.promotion import gate_from_json


def circle_of(session: Session, row: Deployment, *, now: float) -> Json:
    """Counts and states from predictions to champion, as `wire.pipelines` reads them."""
    loop = session.scalars(select(Pipeline).filter_by(deployment_id=row.id)).first()
    counts = review_counts(session, row.id)
    return {
        "deployment": row.name,
        "predictions": row.inferences,
        "images": sum(counts.values()),
        **{state.lower(): number for state, number in counts.items()},
        **_served(session, row, now),
        **_shadow(session, row),
        **_trained(session, row, loop),
        "datasets": _fed(session, row.id),
        "newest": _newest(session, row.id),
    }


def _served(session: Session, row: Deployment, now: float) -> Json:
    serving = serving_of(row, now=now)
    champion = session.get_one(ModelVersion, row.model_version_id)
    said = ((serving or {}).get("kernel") or {}).get("model_version_id")
    old = session.get(ModelVersion, said) if said and said != champion.id else None
    last = last_promotion(session, row.id)
    return {
        "state": serving["state"] if serving else "not served",
        "champion": title_of(champion),
        "champion_predictions": _of_version(session, row.id, champion.id, is_shadow=False),
        "champion_wanted": title_of(old) if old else "",
        "champion_before": last.previous_title if last else "",
    }


def _shadow(session: Session, row: Deployment) -> Json:
    if row.shadow_model_version_id is None:
        return {"shadow": "", "shadow_predictions": 0, "compared": 0}
    version = session.get_one(ModelVersion, row.shadow_model_version_id)
    champion, shadow = aliased(Prediction), aliased(Prediction)
    both = (
        select(func.count(PredictedAsset.id.distinct()))
        .join(champion, champion.predicted_asset_id == PredictedAsset.id)
        .join(shadow, shadow.predicted_asset_id == PredictedAsset.id)
        .where(
            PredictedAsset.deployment_id == row.id,
            PredictedAsset.review_state != TO_REVIEW,
            champion.is_shadow.is_(False),
            champion.model_version_id == row.model_version_id,
            shadow.is_shadow.is_(True),
            shadow.model_version_id == version.id,
        )
    )
    return {
        "shadow": title_of(version),
        "shadow_predictions": _of_version(session, row.id, version.id, is_shadow=True),
        "compared": session.scalar(both) or 0,
    }


def _trained(session: Session, row: Deployment, loop: Pipeline | None) -> Json:
    runs = select(TrainingRun).filter_by(deployment_id=row.id)
    newest = session.scalars(runs.order_by(TrainingRun.created_at.desc()).limit(1)).first()
    done = runs.where(TrainingRun.state == RunState.SUCCESS.value).subquery()
    settings: dict[str, Any] = (loop.training_settings if loop else None) or {}
    gate = gate_from_json(loop.promotion_gate) if loop else None
    return {
        "feedback": loop.feedback_active if loop and loop.feedback_set_up else None,
        "training": loop.training_active if loop and loop.training_settings else None,
        "threshold": settings.get("threshold") if settings.get("trigger") != "NONE" else None,
        "untrained": loop.submitted_reviews - loop.trained_reviews if loop else 0,
        "runs": session.scalar(select(func.count()).select_from(done)) or 0,
        "run": _run(newest),
        "policy": (loop.deployment_policy if loop else None) or "",
        "is_policy_active": bool(loop and loop.deployment_policy and loop.deployment_active),
        "gate": gate.in_words() if gate else "",
    }


def _run(row: TrainingRun | None) -> Json | None:
    if row is None:
        return None
    return {"state": row.state, "step": row.step, "progress": row.progress, "error": row.error}


def _fed(session: Session, deployment_id: str) -> dict[str, int]:
    """Images of the dataset versions that submitted reviews go into."""
    same = {"deployment_id": deployment_id, "role": "FEEDBACK_LOOP"}
    ids = session.scalars(select(PipelineDataset.dataset_version_id).filter_by(**same)).all()
    found = {}
    for version in session.scalars(select(DatasetVersion).where(DatasetVersion.id.in_(ids))):
        images = select(func.count()).select_from(Asset).filter_by(dataset_version_id=version.id)
        found[f"{version.dataset.name}/{version.version}"] = session.scalar(images) or 0
    return found


def _newest(session: Session, deployment_id: str) -> Json | None:
    """The newest version that a training run made."""
    query = select(Rollout).filter_by(deployment_id=deployment_id)
    trained = query.where(Rollout.run_id.is_not(None)).order_by(Rollout.number.desc())
    row = session.scalars(trained.limit(1)).first()
    if row is None:
        return None
    return {"title": row.title, "role": row.role, "state": row.state, "said": row.said}


def _of_version(session: Session, deployment_id: str, version_id: str, *, is_shadow: bool) -> int:
    counted = (
        select(func.count())
        .select_from(Prediction)
        .where(
            Prediction.deployment_id == deployment_id,
            Prediction.is_shadow.is_(is_shadow),
            Prediction.model_version_id == version_id,
        )
    )
    return session.scalar(counted) or 0
