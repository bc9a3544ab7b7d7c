"""What closes a deployment's loop beyond the SDK: reviews submitted, settings read."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select

from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.api.pipelines import spell_pipeline
from picsellia_jupyter.localplatform.circle import circle_of
from picsellia_jupyter.localplatform.folding import catch_up
from picsellia_jupyter.localplatform.overviews import labels, overview
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.reviewing import review_counts, submit_reviews
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline

router = Router(dependencies=[NeedsUser], responses=REFUSALS)


class Submit(BaseModel):
    """Which reviews are final."""

    predicted_asset_ids: list[UUID] | None = Field(default=None, max_length=10_000)
    """None takes all that are reviewed."""


class SubmitReply(BaseModel):
    """What became of a submission."""

    submitted: int
    """Predicted assets whose reviews are final now."""
    annotated: int
    """Annotations written into the datasets of the feedback loop."""


class ReviewCounts(BaseModel):
    """How many predicted assets of a deployment are in each state."""

    to_review: int
    reviewed: int
    submitted: int


class AskedAggregate(BaseModel):
    """What is to be computed, over which predictions."""

    service: Literal["metrics", "label_distribution"]
    from_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    """Earliest, seconds since the epoch."""
    to_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    model_version_id: UUID | None = None
    tags: list[str] = []


class AggregateReply(BaseModel):
    """A statistic, and when it was computed."""

    service: str
    computed_at: float
    result: dict[str, Any]


class LoopReply(BaseModel):
    """The settings of a deployment's loop."""

    id: UUID | None
    deployment_id: UUID
    feedback_loop: dict[str, Any]
    training_data: dict[str, Any]
    continuous_training: dict[str, Any]
    continuous_deployment: dict[str, Any]


class CircleReply(BaseModel):
    """The whole circle at one moment; null where a part is not set up."""

    deployment: str
    state: str
    predictions: int
    images: int
    to_review: int
    reviewed: int
    submitted: int
    feedback: bool | None
    datasets: dict[str, int]
    training: bool | None
    threshold: int | None
    untrained: int
    runs: int
    run: dict[str, Any] | None
    policy: str
    is_policy_active: bool
    newest: dict[str, Any] | None
    shadow: str
    shadow_predictions: int
    compared: int
    champion: str
    champion_predictions: int
    champion_wanted: str
    champion_before: str
    gate: str


@router.get("/api/local/deployments/{deployment_id}/circle", tags=["deployments"])
def get_circle(here: Here, deployment_id: UUID) -> CircleReply:
    """Counts and states of everything from predictions to the next champion."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        return CircleReply.model_validate(circle_of(session, row, now=here.clock()))


@router.post("/api/local/deployments/{deployment_id}/reviews/submit", tags=["reviews"])
def submit(here: Here, deployment_id: UUID, body: Submit) -> SubmitReply:
    """Make reviews final, which cannot be undone; the feedback loop takes them up."""
    given = body.predicted_asset_ids
    ids = None if given is None else [str(ident) for ident in given]
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        done = submit_reviews(session, row, ids, now=here.clock())
        return SubmitReply(submitted=done.submitted, annotated=done.annotated)


@router.get("/api/local/deployments/{deployment_id}/reviews", tags=["reviews"])
def count_reviews(here: Here, deployment_id: UUID) -> ReviewCounts:
    """How far the reviews of a deployment are."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        counts = review_counts(session, row.id)
        return ReviewCounts(**{state.lower(): count for state, count in counts.items()})


@router.get("/api/local/deployments/{deployment_id}/loop", tags=["deployments"])
def get_loop(here: Here, deployment_id: UUID) -> LoopReply:
    """What was set up of a deployment's loop; the SDK writes it and cannot read it."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        row = session.scalars(select(Pipeline).filter_by(deployment_id=deployment.id)).first()
        if row is None:
            unset = Pipeline(deployment_id=deployment.id, created_at=deployment.created_at)
            return LoopReply.model_validate({**spell_pipeline(unset), "id": None})
        return LoopReply.model_validate(spell_pipeline(row))


@router.post("/api/local/deployments/{deployment_id}/aggregates", tags=["statistics"])
def compute_aggregates(here: Here, deployment_id: UUID, body: AskedAggregate) -> AggregateReply:
    """Compute a statistic over the champion's predictions, here and now."""
    catch_up(here)
    with here.store.reading() as session:
        chosen = Selection(
            deployment=the(session, Deployment, deployment_id, kind="deployment"),
            since=body.from_timestamp,
            until=body.to_timestamp,
            model_version_id=str(body.model_version_id) if body.model_version_id else None,
            tags=tuple(body.tags),
        )
        if body.service == "metrics":
            result = overview(session, chosen)
        else:
            result = {**labels(session, chosen)}
    return AggregateReply(service=body.service, computed_at=here.clock(), result=result)
