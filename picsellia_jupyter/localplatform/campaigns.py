"""Review campaigns: predicted assets go through steps, each looked at by somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform.tables.campaigns import (
    Assignment,
    CampaignStep,
    ReviewCampaign,
)
from picsellia_jupyter.localplatform.tables.deployments import PredictedAsset

OPEN = ("TO_DO", "TO_REWORK")
"""States of an assignment that somebody still has to look at."""


def steps_of(session: Session, campaign_id: str) -> list[CampaignStep]:
    """Steps of a campaign, in their order."""
    query = select(CampaignStep).filter_by(campaign_id=campaign_id)
    return list(session.scalars(query.order_by(CampaignStep.position)))


def entry_step(session: Session, campaign: ReviewCampaign) -> CampaignStep | None:
    """The step that new assignments begin in, or None where there is no step."""
    steps = steps_of(session, campaign.id)
    chosen = (step for step in steps if step.id == campaign.default_entry_step_id)
    return next(chosen, steps[0] if steps else None)


def refuse_closed(campaign: ReviewCampaign) -> None:
    """Make sure that a campaign can be worked on.

    Raises:
        ConflictError: it is closed.
    """
    if campaign.closed_at is not None:
        raise ConflictError("The review campaign is closed.", "Reopen it: campaign.reopen().")


def unsynced(session: Session, campaign: ReviewCampaign) -> list[str]:
    """Ids of the predicted assets that are not in the campaign yet, oldest first."""
    inside = select(Assignment.predicted_asset_id).filter_by(campaign_id=campaign.id)
    query = select(PredictedAsset.id).filter_by(deployment_id=campaign.deployment_id)
    query = query.filter_by(review_state="TO_REVIEW").where(PredictedAsset.id.not_in(inside))
    return list(session.scalars(query.order_by(PredictedAsset.created_at, PredictedAsset.id)))


def sync_campaign(session: Session, campaign: ReviewCampaign, *, now: float) -> int:
    """Put all predicted assets into a campaign that are to be reviewed and not in it.

    Returns:
        How many.

    Raises:
        ConflictError: the campaign is closed.
        InvalidInputError: it has no step.
    """
    refuse_closed(campaign)
    step = entry_step(session, campaign)
    if step is None:
        raise InvalidInputError(
            "The review campaign has no step.", "Add one: campaign.add_step(name, 'REVIEW')."
        )
    made = [
        Assignment(
            campaign_id=campaign.id, step_id=step.id, predicted_asset_id=asset_id, created_at=now
        )
        for asset_id in unsynced(session, campaign)
    ]
    session.add_all(made)
    assign(step, made, counts=_open_counts(session, step))
    session.flush()
    return len(made)


def assign(step: CampaignStep, assignments: Sequence[Assignment], *, counts: Counter[str]) -> None:
    """Hand assignments to the people of a step by their weights.

    Args:
        step: where they are.
        assignments: which; they are changed.
        counts: how many open ones each person has already; is kept up to date.
    """
    weights = {str(one["user_id"]): float(one["weight"]) for one in step.assignees}
    able = {user: weight for user, weight in weights.items() if weight > 0}
    for assignment in assignments:
        if not able:
            assignment.assigned_user_id = None
            continue
        user = min(able, key=lambda one: (counts[one] + 1) / able[one])
        counts[user] += 1
        assignment.assigned_user_id = user


def redistribute(session: Session, step: CampaignStep) -> int:
    """Hand all open assignments of a step out anew.

    Returns:
        How many.
    """
    query = select(Assignment).where(Assignment.step_id == step.id, Assignment.status.in_(OPEN))
    rows = session.scalars(query.order_by(Assignment.created_at, Assignment.id)).all()
    assign(step, rows, counts=Counter())
    return len(rows)


def advance(
    session: Session, asset: PredictedAsset, *, now: float, chance: Callable[[], float]
) -> None:
    """Move an asset that was reviewed to the next step of its campaign, or out of it.

    Args:
        session: the transaction of the review.
        asset: what was reviewed.
        now: seconds since the epoch.
        chance: a number in [0, 1); decides which assets a step with a sample rate looks at.
    """
    row = session.scalars(select(Assignment).filter_by(predicted_asset_id=asset.id)).first()
    if row is None or row.status not in OPEN:
        return
    campaign = session.get_one(ReviewCampaign, row.campaign_id)
    if campaign.closed_at is not None:
        return
    current = session.get_one(CampaignStep, row.step_id)
    later = [step for step in steps_of(session, campaign.id) if step.position > current.position]
    following = next(
        (step for step in later if step.sample_rate is None or chance() < step.sample_rate), None
    )
    if following is None:
        row.status = "DONE"
        _close_completed(session, campaign, now=now)
    else:
        row.step_id, row.status = following.id, "TO_DO"
        assign(following, [row], counts=_open_counts(session, following))


def _close_completed(session: Session, campaign: ReviewCampaign, *, now: float) -> None:
    session.flush()
    still_open = (
        select(func.count())
        .select_from(Assignment)
        .where(Assignment.campaign_id == campaign.id, Assignment.status.in_(OPEN))
    )
    if campaign.auto_close_on_completion and not session.scalar(still_open):
        campaign.closed_at = now


def _open_counts(session: Session, step: CampaignStep) -> Counter[str]:
    counted = session.execute(
        select(Assignment.assigned_user_id, func.count())
        .where(Assignment.step_id == step.id, Assignment.status.in_(OPEN))
        .group_by(Assignment.assigned_user_id)
    )
    return Counter({user: int(count) for user, count in counted if user is not None})
