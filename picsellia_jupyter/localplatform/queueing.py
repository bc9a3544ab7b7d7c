"""The queue of a review: predicted assets that a policy chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, select
from sqlalchemy.orm import Session, aliased

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.predictions import ImageSize, over_threshold
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.reviews import Chosen, Policy, Queue
from picsellia_jupyter.localplatform.campaigns import OPEN, refuse_closed
from picsellia_jupyter.localplatform.labels import label_names, labels_of
from picsellia_jupyter.localplatform.reviewing import SAMPLED, TO_REVIEW
from picsellia_jupyter.localplatform.tables.campaigns import (
    Assignment,
    CampaignStep,
    ReviewCampaign,
)
from picsellia_jupyter.localplatform.tables.datalakes import Tag, TagLink
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
)
from picsellia_jupyter.localplatform.tables.outliers import OutlierScore
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import from_raw
from picsellia_jupyter.workflows import sampling
from picsellia_jupyter.workflows.sampling import Ranked, Standing

NEWEST = 20_000
"""Predictions that are weighed; a random sample is of all there are."""
NEWEST_COMPARED = 2_000
"""The same where the shapes of two models are compared, which takes longer."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be reviewed."""

    policy: Policy
    limit: int
    label: str = ""
    user_id: str = ""
    """Who asks."""


def queue_of(session: Session, deployment: Deployment, wish: Wish) -> Queue:
    """Choose predicted assets of a deployment that are to be reviewed.

    Raises:
        InvalidInputError: nothing is known that the policy could go by.
        NotFoundError: the deployment has no such label.
    """
    if wish.policy is Policy.RANDOM:
        assets = _standings(session, deployment.id)
        items = sampling.at_random(assets, wish.limit)
        pending = sum(not asset.is_reviewed for asset in assets)
        return Queue(wish.policy, tuple(items), pending)
    if wish.policy is Policy.CAMPAIGN:
        assigned = _assigned(session, deployment, wish.user_id)
        return Queue(wish.policy, tuple(assigned[: wish.limit]), len(assigned))
    if wish.policy is Policy.LABEL:
        ranked = _with_label(session, deployment, wish.label)
    else:
        ranked = list(_WEIGHED[wish.policy](session, deployment))
    items = sampling.by_weight(ranked, wish.limit)
    return Queue(wish.policy, tuple(items), len(ranked), wish.label)


def _standings(session: Session, deployment_id: str) -> list[Standing]:
    tagged = (
        select(TagLink.target_id)
        .join(Tag, Tag.id == TagLink.tag_id)
        .where(Tag.name == SAMPLED + Policy.RANDOM.value)
    )
    sampled = set(session.scalars(tagged))
    query = select(PredictedAsset.id, PredictedAsset.data_id, PredictedAsset.review_state).where(
        PredictedAsset.deployment_id == deployment_id
    )
    return [
        Standing(row.id, row.review_state != TO_REVIEW, row.data_id in sampled)
        for row in session.execute(query)
    ]


def _assigned(session: Session, deployment: Deployment, user_id: str) -> list[Chosen]:
    campaign = session.scalars(
        select(ReviewCampaign).filter_by(deployment_id=deployment.id)
    ).first()
    if campaign is None:
        raise InvalidInputError(
            f"{deployment.name!r} has no review campaign.",
            "Begin one: d.create_campaign().assign(USER)",
        )
    refuse_closed(campaign)
    query = (
        select(Assignment.predicted_asset_id, CampaignStep.name)
        .join(CampaignStep, CampaignStep.id == Assignment.step_id)
        .where(
            Assignment.campaign_id == campaign.id,
            Assignment.assigned_user_id == user_id,
            Assignment.status.in_(OPEN),
        )
        .order_by(Assignment.created_at, Assignment.id)
    )
    return [Chosen(str(asset), step) for asset, step in session.execute(query)]


def _uncertain(session: Session, deployment: Deployment) -> Iterator[Ranked]:
    is_class = deployment.type == InferenceType.CLASSIFICATION.value
    for row in _pending(session, deployment, (Prediction.scores,)):
        scores = np.frombuffer(row.scores, np.float64)
        weight, why = sampling.doubt(scores, deployment.min_threshold, is_class=is_class)
        yield Ranked(row.predicted_asset_id, weight, why)


def _outliers(session: Session, deployment: Deployment) -> Iterator[Ranked]:
    query = (
        select(Prediction.predicted_asset_id, OutlierScore.score)
        .join(OutlierScore, OutlierScore.prediction_id == Prediction.id)
        .join(PredictedAsset, PredictedAsset.id == Prediction.predicted_asset_id)
        .where(
            Prediction.deployment_id == deployment.id,
            OutlierScore.score.is_not(None),
            PredictedAsset.review_state == TO_REVIEW,
        )
    )
    rows = session.execute(query.order_by(Prediction.at.desc()).limit(NEWEST)).all()
    if not rows:
        raise InvalidInputError(
            f"No image of {deployment.name!r} that is to be reviewed has an outlier score.",
            "Set its training data and fit the outlier model, or choose another policy.",
        )
    for row in rows:
        yield Ranked(row.predicted_asset_id, row.score, f"outlier score {row.score:.3g}")


def _disagreements(session: Session, deployment: Deployment) -> Iterator[Ranked]:
    kind = InferenceType(deployment.type)
    shadow = aliased(Prediction)
    query = (
        select(
            Prediction.predicted_asset_id, Prediction.raw, Prediction.width, Prediction.height,
            shadow.raw.label("other"),
        )
        .join(PredictedAsset, PredictedAsset.id == Prediction.predicted_asset_id)
        .join(shadow, shadow.predicted_asset_id == Prediction.predicted_asset_id)
        .where(
            Prediction.deployment_id == deployment.id,
            Prediction.is_shadow.is_(False),
            shadow.is_shadow.is_(True),
            PredictedAsset.review_state == TO_REVIEW,
        )
    )  # fmt: skip
    rows = session.execute(query.order_by(Prediction.at.desc()).limit(NEWEST_COMPARED)).all()
    if not rows:
        raise InvalidInputError(
            f"No image of {deployment.name!r} that is to be reviewed was seen by a shadow model.",
            "Set one with deployment.set_shadow_model(version), or choose another policy.",
        )
    for row in rows:
        models = (from_raw(kind, row.raw), from_raw(kind, row.other))
        size = ImageSize(row.width, row.height)
        count = sampling.disagreement(*models, size, deployment.min_threshold)
        yield Ranked(row.predicted_asset_id, count, f"{count} found by one model only")


def _with_label(session: Session, deployment: Deployment, label: str) -> list[Ranked]:
    known = [one.name for one in labels_of(session, deployment.id)]
    if label not in known:
        raise NotFoundError.named("label", label, known)
    version = session.get_one(ModelVersion, deployment.model_version_id)
    wanted = [index for index, name in label_names(version).items() if name == label]
    is_class = deployment.type == InferenceType.CLASSIFICATION.value
    found = []
    columns = (Prediction.scores, Prediction.classes, Prediction.at)
    for row in _pending(session, deployment, columns):
        classes = np.frombuffer(row.classes, np.int64)[: 1 if is_class else None]
        scores = np.frombuffer(row.scores, np.float64)[: len(classes)]
        over = over_threshold(scores, None if is_class else deployment.min_threshold)
        count = sampling.number_of(wanted, classes, over)
        if count:
            found.append(Ranked(row.predicted_asset_id, row.at, f"{count} of {label!r}"))
    return found


def _pending(
    session: Session, deployment: Deployment, columns: Sequence[Any]
) -> Sequence[Row[Any]]:
    query = (
        select(Prediction.predicted_asset_id, *columns)
        .join(PredictedAsset, PredictedAsset.id == Prediction.predicted_asset_id)
        .where(
            Prediction.deployment_id == deployment.id,
            Prediction.is_shadow.is_(False),
            PredictedAsset.review_state == TO_REVIEW,
        )
        .order_by(Prediction.at.desc())
        .limit(NEWEST)
    )
    return session.execute(query).all()


_WEIGHED = {
    Policy.UNCERTAIN: _uncertain,
    Policy.OUTLIERS: _outliers,
    Policy.DISAGREEMENTS: _disagreements,
}


def spell_item(item: Chosen) -> dict[str, Any]:
    """One item of a queue as JSON."""
    return {"predicted_asset_id": item.id, "why": item.why, "also": list(item.also)}
