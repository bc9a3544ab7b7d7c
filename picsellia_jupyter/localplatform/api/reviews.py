"""Reviewing by several people: a queue by policy, and reviews that overwrite none unseen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.reviews import Policy
from picsellia_jupyter.localplatform.api.assets import NewReview, reviewed_shapes
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.campaigns import advance
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, User
from picsellia_jupyter.localplatform.queueing import Wish, queue_of, spell_item
from picsellia_jupyter.localplatform.reviewing import (
    add_review,
    last_review,
    mark_sampled,
    refuse_unseen,
)
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
)
from picsellia_jupyter.localplatform.tables.organization import User as Person

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["reviews"])
PATH = "/api/local/predicted/asset/{asset_id}/review"


class AskedQueue(BaseModel):
    """Which images are to be reviewed first."""

    policy: Policy = Policy.RANDOM
    limit: int = Field(default=100, ge=1, le=10_000)
    label: str = ""
    """Name of the label that the policy `label` looks for."""


class QueueItem(BaseModel):
    """One predicted asset that is to be reviewed."""

    predicted_asset_id: UUID
    why: str
    also: list[UUID]
    """Reviewed before for another reason; of the random sample once this one is reviewed."""


class QueueReply(BaseModel):
    """What is to be reviewed, in order."""

    policy: Policy
    label: str
    candidates: int
    items: list[QueueItem]


class GuardedReview(NewReview):
    """A review, and which one its author had seen."""

    revision: str = ""
    """Of the last review of this asset; empty where there was none."""
    sampled: Policy | None = None
    """How the image was chosen; its tag says so from now on."""
    also: list[UUID] = Field(default=[], max_length=10_000)


class ReviewReply(BaseModel):
    """The last review of an asset."""

    revision: str
    state: str
    author: str
    review: dict[str, Any] | None


@router.post("/api/local/deployments/{deployment_id}/reviews/queue")
def choose(here: Here, caller: User, deployment_id: UUID, body: AskedQueue) -> QueueReply:
    """Choose predicted assets that are to be reviewed, by a policy."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        queue = queue_of(session, row, Wish(body.policy, body.limit, body.label, caller.user_id))
    items = [QueueItem.model_validate(spell_item(item)) for item in queue.items]
    return QueueReply(
        policy=queue.policy, label=queue.label, candidates=queue.candidates, items=items
    )


@router.get(PATH)
def get_review(here: Here, asset_id: UUID) -> ReviewReply:
    """The last review of a predicted asset, with the revision to review over."""
    with here.store.reading() as session:
        return _told(session, the(session, PredictedAsset, asset_id, kind="predicted asset"))


@router.put(PATH)
def put_review(here: Here, caller: User, asset_id: UUID, body: GuardedReview) -> ReviewReply:
    """Add a review over the one its author has seen; refused where there is another by now."""
    now = here.clock()
    drawn = body.model_dump(mode="json", exclude_none=True, exclude={"revision", "sampled", "also"})
    with here.store.writing() as session:
        asset = the(session, PredictedAsset, asset_id, kind="predicted asset")
        refuse_unseen(session, asset, body.revision)
        shapes = reviewed_shapes(session, asset.deployment_id, drawn)
        add_review(session, asset, shapes, author=caller.user_id, now=now)
        if body.sampled is not None:
            others = [str(ident) for ident in body.also]
            mark_sampled(session, asset, body.sampled, others, now=now)
        advance(session, asset, now=now, chance=here.chance)
        return _told(session, asset)


def _told(session: Session, asset: PredictedAsset) -> ReviewReply:
    row = last_review(session, asset.id)
    author = session.get(Person, row.author_id) if row and row.author_id else None
    return ReviewReply(
        revision=row.id if row else "",
        state=asset.review_state,
        author=author.username if author else "",
        review=row.shapes if row else None,
    )
