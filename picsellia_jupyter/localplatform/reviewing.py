"""Reviews: to review, reviewed, submitted; what is submitted closes the loop and stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.domain.reviews import Policy
from picsellia_jupyter.localplatform.datasets import unlocked
from picsellia_jupyter.localplatform.feeding import feed
from picsellia_jupyter.localplatform.tables.datalakes import Data, Tag, TagLink
from picsellia_jupyter.localplatform.tables.datasets import DatasetVersion
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Review,
)
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline, PipelineDataset
from picsellia_jupyter.localplatform.tagging import data_tag, link_tag
from picsellia_jupyter.localplatform.training import count_submitted
from picsellia_jupyter.wire.predictions import Json

SAMPLED = "sampled:"
"""How a tag of an image begins that says how it was chosen for review: `sampled:random`."""
TO_REVIEW, REVIEWED, SUBMITTED = "TO_REVIEW", "REVIEWED", "SUBMITTED"
_FEEDBACK = "FEEDBACK_LOOP"


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a submission."""

    submitted: int
    """Predicted assets whose reviews are final now."""
    annotated: int
    """Annotations written into the datasets of the feedback loop."""


def add_review(
    session: Session, asset: PredictedAsset, shapes: Json, *, author: str, now: float
) -> Review:
    """Add a review; the last one counts, and all are kept.

    Raises:
        ConflictError: the reviews of this asset are submitted.
    """
    if asset.review_state == SUBMITTED:
        raise ConflictError(
            f"The review of the predicted asset {asset.id} is submitted.",
            "A submitted review stays as it is.",
        )
    before = last_review(session, asset.id)
    # A clock that was set back must not put a review before the one it replaces.
    at = now if before is None else max(now, math.nextafter(before.created_at, math.inf))
    row = Review(predicted_asset_id=asset.id, shapes=shapes, author_id=author, created_at=at)
    session.add(row)
    asset.review_state = REVIEWED
    session.flush()
    return row


def last_review(session: Session, asset_id: str) -> Review | None:
    """The review of an asset that counts, or None where there is none."""
    query = select(Review).filter_by(predicted_asset_id=asset_id)
    return session.scalars(query.order_by(Review.created_at.desc()).limit(1)).first()


def refuse_unseen(session: Session, asset: PredictedAsset, revision: str) -> None:
    """Make sure that a reviewer has seen the review that theirs replaces.

    Raises:
        ConflictError: the last one is not of this revision.
    """
    last = last_review(session, asset.id)
    if last is not None and last.id != revision:
        raise ConflictError(
            f"The predicted asset {asset.id} was reviewed by somebody else meanwhile.",
            "Look at theirs, and review over its revision.",
        )


def mark_sampled(
    session: Session, asset: PredictedAsset, policy: Policy, also: Sequence[str], *, now: float
) -> None:
    """Tag the image of an asset with how it was chosen for review.

    Args:
        session: the transaction of the review.
        asset: what was reviewed.
        policy: the first one of an image stays; but random is said in any case.
        also: ids of assets that are of the random sample now; those not reviewed are passed over.
        now: seconds since the epoch.
    """
    is_random = policy is Policy.RANDOM
    data_ids = [asset.data_id] if is_random or not _is_marked(session, asset.data_id) else []
    if is_random and also:
        known = select(PredictedAsset.data_id).where(
            PredictedAsset.deployment_id == asset.deployment_id,
            PredictedAsset.review_state != TO_REVIEW,
            PredictedAsset.id.in_(also),
        )
        data_ids += session.scalars(known)
    for data_id in dict.fromkeys(data_ids):
        lake = session.get_one(Data, data_id).datalake_id
        tag = data_tag(session, SAMPLED + policy.value, lake, now=now)
        link_tag(session, tag, data_id)


def _is_marked(session: Session, data_id: str) -> bool:
    marked = select(TagLink.target_id).join(Tag, Tag.id == TagLink.tag_id)
    found = marked.where(TagLink.target_id == data_id, Tag.name.startswith(SAMPLED))
    return session.scalar(found.limit(1)) is not None


def review_counts(session: Session, deployment_id: str) -> dict[str, int]:
    """How many predicted assets of a deployment are in each state."""
    counted = session.execute(
        select(PredictedAsset.review_state, func.count())
        .where(PredictedAsset.deployment_id == deployment_id)
        .group_by(PredictedAsset.review_state)
    )
    return {TO_REVIEW: 0, REVIEWED: 0, SUBMITTED: 0, **{state: int(n) for state, n in counted}}


def submit_reviews(
    session: Session, deployment: Deployment, ids: Sequence[str] | None, *, now: float
) -> Submission:
    """Make reviews final; with an active feedback loop they become annotations of its datasets.

    Where they are enough for continuous training, this sets it off, in the same transaction.

    Args:
        session: the transaction.
        deployment: whose.
        ids: which predicted assets; None takes all that are reviewed. Those that are submitted
            already are passed over.
        now: seconds since the epoch.

    Raises:
        InvalidInputError: one of them is another deployment's, or not reviewed.
        ConflictError: a dataset version of the feedback loop is locked.
    """
    assets = _chosen(session, deployment, ids)
    versions = _feedback_versions(session, deployment)
    annotated = 0
    for version in versions:
        if version.type == "NOT_CONFIGURED":
            version.type = deployment.type
        annotated += feed(session, version, assets, now=now)
    for asset in assets:
        asset.review_state = SUBMITTED
    session.flush()
    count_submitted(session, deployment, len(assets), now=now)
    return Submission(len(assets), annotated)


def _chosen(
    session: Session, deployment: Deployment, ids: Sequence[str] | None
) -> list[PredictedAsset]:
    query = select(PredictedAsset).filter_by(deployment_id=deployment.id)
    if ids is None:
        query = query.filter_by(review_state=REVIEWED).order_by(PredictedAsset.created_at)
        return list(session.scalars(query))
    found = {row.id: row for row in session.scalars(query.where(PredictedAsset.id.in_(ids)))}
    for ident in ids:
        if ident not in found:
            raise InvalidInputError(
                f"{deployment.name!r} has no predicted asset {ident}.", "List what it has."
            )
        if found[ident].review_state == TO_REVIEW:
            raise InvalidInputError(
                f"The predicted asset {ident} is not reviewed.", "Review it: asset.add_review(…)."
            )
    return [row for row in found.values() if row.review_state == REVIEWED]


def _feedback_versions(session: Session, deployment: Deployment) -> list[DatasetVersion]:
    loop = session.scalars(select(Pipeline).filter_by(deployment_id=deployment.id)).first()
    if loop is None or not loop.feedback_active:
        return []
    attached = select(PipelineDataset.dataset_version_id).filter_by(
        deployment_id=deployment.id, role=_FEEDBACK
    )
    return [unlocked(session, ident) for ident in session.scalars(attached).all()]
