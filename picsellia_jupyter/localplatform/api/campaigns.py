"""Review campaigns, their steps and assignments."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform.campaigns import (
    OPEN,
    entry_step,
    redistribute,
    refuse_closed,
    steps_of,
    sync_campaign,
    unsynced,
)
from picsellia_jupyter.localplatform.filters import data_matches, metadata_matches
from picsellia_jupyter.localplatform.finding import find_one
from picsellia_jupyter.localplatform.jobs import finished_job, spell_job
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin, organization_of
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.spelling_campaigns import (
    spell_assignments,
    spell_campaign,
    spell_step,
)
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.campaigns import (
    Assignment,
    CampaignStep,
    ReviewCampaign,
)
from picsellia_jupyter.localplatform.tables.datalakes import Data
from picsellia_jupyter.localplatform.tables.deployments import Deployment, PredictedAsset
from picsellia_jupyter.localplatform.tables.organization import User
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
AssignmentStatus = Literal["TO_DO", "TO_REWORK", "DONE", "SKIPPED"]


class CampaignBody(BaseModel):
    """What is said of a campaign; what is left out or null stays."""

    description: str | None = None
    instructions_text: str | None = None
    instructions_object_name: str | None = None
    end_date: date | None = None
    auto_add_new_assets: bool | None = None
    auto_close_on_completion: bool | None = None
    default_entry_step_id: UUID | None = None


class Assignee(BaseModel):
    """Somebody who works in a step, and how much."""

    user_id: UUID
    weight: float = Field(ge=0, allow_inf_nan=False)


class NewStep(BaseModel):
    """A step to be made."""

    name: Words
    type: Literal["REVIEW", "QUALITY_CONTROL"]
    description: str | None = None
    order: int | None = Field(default=None, ge=0)
    """Its place among the steps; None puts it last."""
    sample_rate: float | None = Field(default=None, ge=0, le=1)
    assignees: list[Assignee] = []


class StepChange(BaseModel):
    """What to change of a step; what is left out stays."""

    name: Words | None = None
    sample_rate: float | None = Field(default=None, ge=0, le=1)
    assignees: list[Assignee] | None = None


class Reassignment(BaseModel):
    """Assignments, and who gets them; nobody where the user is null."""

    assignment_ids: list[UUID]
    user_id: UUID | None = None


# Campaigns -----------------------------------------------------------------------------------


@router.post("/api/deployment/{deployment_id}/campaigns", status_code=201)
def create_campaign(here: Here, deployment_id: UUID, body: CampaignBody) -> Json:
    """Begin the review campaign of a deployment, which has at most one."""
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        if session.scalars(select(ReviewCampaign).filter_by(deployment_id=deployment.id)).first():
            raise ConflictError(
                f"The deployment {deployment.name!r} has a review campaign already.",
                "Reopen or delete it: deployment.get_campaign().",
            )
        row = ReviewCampaign(deployment_id=deployment.id, created_at=here.clock())
        session.add(row)
        session.flush()
        _apply(session, row, body)
        return spell_campaign(row)


@router.get("/api/organization/{organization_id}/reviewcampaigns")
def list_campaigns(
    here: Here, organization_id: str, asked: Asked, is_closed: bool | None = None
) -> Json:
    """Review campaigns, newest first."""
    query = select(ReviewCampaign)
    if is_closed is not None:
        query = query.where(ReviewCampaign.closed_at.is_not(None) == is_closed)
    with here.store.reading() as session:
        organization_of(session, organization_id)
        found = page(session, query, ReviewCampaign, asked)
        return found.reply([spell_campaign(row) for row in found.rows])


@router.get("/api/campaigns/review/{campaign_id}")
def get_campaign(here: Here, campaign_id: UUID) -> Json:
    """A campaign by its id."""
    with here.store.reading() as session:
        return spell_campaign(the(session, ReviewCampaign, campaign_id, kind="review campaign"))


@router.patch("/api/campaigns/review/{campaign_id}")
def update_campaign(here: Here, campaign_id: UUID, body: CampaignBody) -> Json:
    """Change what is said of a campaign."""
    with here.store.writing() as session:
        row = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        _apply(session, row, body)
        return spell_campaign(row)


@router.delete("/api/campaigns/review/{campaign_id}", status_code=204)
def delete_campaign(here: Here, campaign_id: UUID) -> None:
    """Delete a campaign; the reviews stay."""
    with here.store.writing() as session:
        session.delete(the(session, ReviewCampaign, campaign_id, kind="review campaign"))


@router.post("/api/campaigns/review/{campaign_id}/close")
def close_campaign(here: Here, campaign_id: UUID) -> Json:
    """Close a campaign; once more changes nothing."""
    with here.store.writing() as session:
        row = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        row.closed_at = row.closed_at or here.clock()
        return spell_campaign(row)


@router.post("/api/campaigns/review/{campaign_id}/reopen")
def reopen_campaign(here: Here, campaign_id: UUID) -> Json:
    """Open a campaign again."""
    with here.store.writing() as session:
        row = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        row.closed_at = None
        return spell_campaign(row)


@router.get("/api/campaigns/review/analytics/{campaign_id}/issues/counts/users")
def issue_counts(here: Here, campaign_id: UUID) -> list[Json]:
    """Issues by user; nobody can raise any here."""
    with here.store.reading() as session:
        the(session, ReviewCampaign, campaign_id, kind="review campaign")
    return []


# Steps ---------------------------------------------------------------------------------------


@router.post("/api/campaigns/review/{campaign_id}/steps", status_code=201)
def add_step(here: Here, campaign_id: UUID, body: NewStep) -> Json:
    """Add a step to a campaign."""
    with here.store.writing() as session:
        campaign = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        refuse_closed(campaign)
        count = len(steps_of(session, campaign.id))
        position = count if body.order is None else min(body.order, count)
        later = (CampaignStep.campaign_id == campaign.id, CampaignStep.position >= position)
        session.execute(
            update(CampaignStep).where(*later).values(position=CampaignStep.position + 1)
        )
        row = CampaignStep(
            campaign_id=campaign.id,
            name=body.name,
            type=body.type,
            position=position,
            description=body.description,
            sample_rate=body.sample_rate,
            assignees=_assignees(session, body.assignees),
            created_at=here.clock(),
        )
        session.add(row)
        session.flush()
        return spell_step(row)


@router.get("/api/campaigns/review/{campaign_id}/steps")
def list_steps(here: Here, campaign_id: UUID) -> Json:
    """Steps of a campaign, in their order."""
    with here.store.reading() as session:
        campaign = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        items = [spell_step(row) for row in steps_of(session, campaign.id)]
        return {"items": items, "count": len(items), "next_cursor": None}


@router.get("/api/campaigns/review/steps/{step_id}")
def get_step(here: Here, step_id: UUID) -> Json:
    """A step by its id."""
    with here.store.reading() as session:
        return spell_step(the(session, CampaignStep, step_id, kind="campaign step"))


@router.patch("/api/campaigns/review/steps/{step_id}")
def update_step(here: Here, step_id: UUID, body: StepChange) -> Json:
    """Rename a step, or change who works in it and on how much."""
    with here.store.writing() as session:
        row = the(session, CampaignStep, step_id, kind="campaign step")
        row.name = body.name or row.name
        if body.sample_rate is not None:
            row.sample_rate = body.sample_rate
        if body.assignees is not None:
            row.assignees = _assignees(session, body.assignees)
        return spell_step(row)


@router.post("/api/campaigns/review/steps/{step_id}/assignments/redistribute")
def redistribute_step(here: Here, step_id: UUID) -> Json:
    """Hand the open assignments of a step out anew."""
    with here.store.writing() as session:
        row = the(session, CampaignStep, step_id, kind="campaign step")
        return {"count": redistribute(session, row)}


@router.delete("/api/campaigns/review/steps/{step_id}", status_code=204)
def delete_step(
    here: Here,
    step_id: UUID,
    destination_step_id_for_pending_assignments: Annotated[UUID, Body(embed=True)],
) -> None:
    """Delete a step; what is open in it goes on in another one."""
    wanted = destination_step_id_for_pending_assignments
    with here.store.writing() as session:
        row = the(session, CampaignStep, step_id, kind="campaign step")
        target = find_one(
            session, CampaignStep, kind="campaign step", ident=wanted, campaign_id=row.campaign_id
        )
        if target.id == row.id:
            raise InvalidInputError(
                "The assignments cannot go on in the step that is deleted.", "Name another step."
            )
        session.execute(
            update(Assignment).where(Assignment.step_id == row.id).values(step_id=target.id)
        )
        session.delete(row)


# Assignments ---------------------------------------------------------------------------------


@router.get("/api/campaigns/review/{campaign_id}/assignments/sync/available")
def sync_available(here: Here, campaign_id: UUID) -> Json:
    """How many predicted assets are not in a campaign yet, and whether they can be added."""
    with here.store.reading() as session:
        campaign = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        reason = "the campaign has no step" if entry_step(session, campaign) is None else None
        reason = "the campaign is closed" if campaign.closed_at is not None else reason
        return {
            "unsynced_item_count": len(unsynced(session, campaign)),
            "is_sync_available": reason is None,
            "reason": reason,
        }


@router.post("/api/campaigns/review/{campaign_id}/assignments/sync")
def sync_assignments(here: Here, campaign_id: UUID) -> Json:
    """Put all predicted assets into a campaign that are not in it."""
    now = here.clock()
    with here.store.writing() as session:
        campaign = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        count = sync_campaign(session, campaign, now=now)
        job = finished_job(
            session, "sync_campaign", version=2, now=now, report={"assignments": count}
        )
        return {"campaign": spell_campaign(campaign), "job": spell_job(job)}


@router.get("/api/campaigns/review/{campaign_id}/assignments")
def list_assignments(
    here: Here,
    origin: Origin,
    campaign_id: UUID,
    asked: Asked,
    status: AssignmentStatus | None = None,
    step_id: UUID | None = None,
    user_id: UUID | Literal["unassigned"] | None = None,
    q: str | None = None,
    custom_metadata: str | None = None,
) -> Json:
    """Assignments of a campaign, newest first."""
    wanted = _matching(status, step_id, user_id)
    matching = (data_matches(q, prefix="data."), metadata_matches(custom_metadata))
    _add_new_assets(here, campaign_id)
    with here.store.reading() as session:
        campaign = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        query = (
            select(Assignment)
            .join(PredictedAsset, PredictedAsset.id == Assignment.predicted_asset_id)
            .join(Data, Data.id == PredictedAsset.data_id)
            .where(Assignment.campaign_id == campaign.id, *wanted, *matching)
        )
        found = page(session, query, Assignment, asked, capped=True)
        return found.reply(spell_assignments(Speller(here, session, origin), found.rows))


@router.post("/api/campaigns/review/{campaign_id}/assignments/reassign")
def reassign(here: Here, campaign_id: UUID, body: Reassignment) -> Json:
    """Give open assignments to somebody, or to nobody."""
    ids = Assignment.id.in_([str(ident) for ident in body.assignment_ids])
    with here.store.writing() as session:
        campaign = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        user = the(session, User, body.user_id, kind="user") if body.user_id else None
        query = select(Assignment).filter_by(campaign_id=campaign.id)
        rows = session.scalars(query.where(ids, Assignment.status.in_(OPEN))).all()
        for row in rows:
            row.assigned_user_id = user.id if user else None
        return {"processed_ids": [row.id for row in rows]}


# The SDK 6.37 itself asks with the prefix twice.
@router.get("/api//api/campaigns/review/assignments/{assignment_id}")
@router.get("/api/campaigns/review/assignments/{assignment_id}")
def get_assignment(here: Here, origin: Origin, assignment_id: UUID) -> Json:
    """An assignment by its id."""
    with here.store.reading() as session:
        row = the(session, Assignment, assignment_id, kind="assignment")
        return spell_assignments(Speller(here, session, origin), [row])[0]


def _apply(session: Session, row: ReviewCampaign, body: CampaignBody) -> None:
    said = body.model_dump(mode="json", exclude_none=True)
    if body.default_entry_step_id is not None:
        find_one(
            session, CampaignStep, kind="campaign step", ident=body.default_entry_step_id,
            campaign_id=row.id,
        )  # fmt: skip
    for key, value in said.items():
        setattr(row, key, value)


def _assignees(session: Session, given: list[Assignee]) -> list[Json]:
    known = set(session.scalars(select(User.id)))
    for one in given:
        if str(one.user_id) not in known:
            the(session, User, one.user_id, kind="user")
    return [one.model_dump(mode="json") for one in given]


def _matching(
    status: str | None, step_id: UUID | None, user_id: UUID | str | None
) -> list[ColumnElement[bool]]:
    wanted = []
    if status is not None:
        wanted.append(Assignment.status == status)
    if step_id is not None:
        wanted.append(Assignment.step_id == str(step_id))
    if user_id == "unassigned":
        wanted.append(Assignment.assigned_user_id.is_(None))
    elif user_id is not None:
        wanted.append(Assignment.assigned_user_id == str(user_id))
    return wanted


def _add_new_assets(here: Here, campaign_id: UUID) -> None:
    """Campaigns that take every new asset get them when somebody looks."""
    with here.store.reading() as session:
        campaign = the(session, ReviewCampaign, campaign_id, kind="review campaign")
        due = campaign.auto_add_new_assets and campaign.closed_at is None
        due = (
            due and entry_step(session, campaign) is not None and bool(unsynced(session, campaign))
        )
    if due:
        with here.store.writing() as session:
            row = the(session, ReviewCampaign, campaign_id, kind="review campaign")
            sync_campaign(session, row, now=here.clock())
