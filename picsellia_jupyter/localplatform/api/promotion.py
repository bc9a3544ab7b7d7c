"""Promoting and rolling back, the gate before it, and what was done."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.domain.promotion import Cause, Gate, Verdict, usual_metric
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.api.pipelines import pipeline_of
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Platform
from picsellia_jupyter.localplatform.promoting import fitting, make_champion, roll_back
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.rollouts import Rollout
from picsellia_jupyter.localplatform.weighing import case_of
from picsellia_jupyter.wire.promotion import gate_from_json, gate_to_json

_METRICS = {True: ("accuracy", "macro_f1"), False: ("ap_50_95", "ap_50")}
"""What has intervals, of classifications and of everything else."""

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["deployments"])


class Promotion(BaseModel):
    """Which version is to be the champion, and what becomes of the one before."""

    model_version_id: UUID | None = None
    """The shadow if none is named."""
    force: bool = False
    """Whatever the gate says, which is noted."""
    keep_champion_as_shadow: bool = False


class RolloutReply(BaseModel):
    """A version that took a place in the deployment, or was to."""

    id: UUID
    version_id: str
    title: str
    role: Literal["champion", "shadow", "offer"]
    cause: Literal["person", "rollback", "policy"]
    state: Literal["asked", "served", "failed", "superseded"]
    at: float
    previous: str
    previous_version_id: str
    forced: bool
    said: str
    run_id: str | None


class Rollouts(BaseModel):
    """The newest first."""

    items: list[RolloutReply]
    count: int


class GateBody(BaseModel):
    """What a version must show before it becomes the champion."""

    metric: str | None = None
    """The usual one of the deployment's type if none is named."""
    by: float = 0.0
    confidence: float = 0.95
    at_least: int = Field(default=100, le=10_000_000)
    evidence: Literal["reviews", "held-out", "either"] = "either"


class GateReply(BaseModel):
    """The gate that is set; null where none is."""

    gate: dict[str, Any] | None
    told: str


class VerdictReply(BaseModel):
    """What the gate says of a version now."""

    title: str
    passes: bool
    said: str


@router.post("/api/local/deployments/{deployment_id}/promote")
def promote(here: Here, deployment_id: UUID, body: Promotion) -> RolloutReply:
    """Make a version the champion, if the gate lets it; its serving kernel follows."""
    verdict, seen = _weighed(here, deployment_id, body.model_version_id)
    if not verdict.passes and not body.force:
        raise ConflictError(
            f"Not promoted: {verdict.said}", "All the same: d.promote(force=True), which is noted."
        )
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        version = fitting(session, row, _wanted(row, body.model_version_id))
        if (row.model_version_id, version.id) != seen:
            raise ConflictError(
                f"{row.name!r} was changed meanwhile.", "Look at it, and try again."
            )
        made = make_champion(
            session,
            row,
            version,
            cause=Cause.PERSON,
            now=here.clock(),
            keep_as_shadow=body.keep_champion_as_shadow,
            forced=not verdict.passes,
            said=verdict.said,
        )
        if made is None:
            raise ConflictError(
                f"That version is the champion of {row.name!r} already.", "Name another one."
            )
        return _spelled(made)


@router.post("/api/local/deployments/{deployment_id}/shadow/promote")
def promote_shadow(here: Here, deployment_id: UUID, body: Promotion) -> RolloutReply:
    """Make the shadow model the champion."""
    return promote(here, deployment_id, body.model_copy(update={"model_version_id": None}))


@router.post("/api/local/deployments/{deployment_id}/rollback")
def rollback(here: Here, deployment_id: UUID) -> RolloutReply:
    """Make the champion before the champion again; no gate is asked."""
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        return _spelled(roll_back(session, row, now=here.clock()))


@router.get("/api/local/deployments/{deployment_id}/rollouts")
def list_rollouts(here: Here, deployment_id: UUID, limit: int = 50) -> Rollouts:
    """What took which place, and what was to; the newest first."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        query = select(Rollout).filter_by(deployment_id=row.id)
        newest = query.order_by(Rollout.number.desc())
        items = [_spelled(one) for one in session.scalars(newest.limit(max(1, min(limit, 500))))]
        return Rollouts(items=items, count=len(items))


@router.get("/api/local/deployments/{deployment_id}/gate")
def get_gate(here: Here, deployment_id: UUID) -> GateReply:
    """The gate before a promotion."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        pipeline = session.scalars(select(Pipeline).filter_by(deployment_id=row.id)).first()
        return _told(gate_from_json(pipeline.promotion_gate) if pipeline else None)


@router.put("/api/local/deployments/{deployment_id}/gate")
def set_gate(here: Here, deployment_id: UUID, body: GateBody) -> GateReply:
    """Have versions show something before they are promoted."""
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        kind = InferenceType(row.type)
        metric = body.metric or usual_metric(kind)
        known = _METRICS[kind is InferenceType.CLASSIFICATION]
        if metric not in known:
            raise InvalidInputError(
                f"{metric!r} has no interval for {row.type}.", f"Known: {', '.join(known)}."
            )
        gate = gate_from_json({**body.model_dump(), "metric": metric})
        pipeline_of(session, deployment_id, now=here.clock()).promotion_gate = (
            gate_to_json(gate) if gate else None
        )
        return _told(gate)


@router.delete("/api/local/deployments/{deployment_id}/gate", status_code=204)
def remove_gate(here: Here, deployment_id: UUID) -> None:
    """Have versions promoted without a gate."""
    with here.store.writing() as session:
        pipeline_of(session, deployment_id, now=here.clock()).promotion_gate = None


@router.get("/api/local/deployments/{deployment_id}/gate/verdict")
def judge(here: Here, deployment_id: UUID, model_version_id: UUID | None = None) -> VerdictReply:
    """What the gate says of a version, of the shadow if none is named; nothing is changed."""
    verdict, (_, version_id) = _weighed(here, deployment_id, model_version_id)
    with here.store.reading() as session:
        version = the(session, ModelVersion, version_id, kind="model version")
        title = f"{version.model.name}:{version.version}"
    return VerdictReply(title=title, passes=verdict.passes, said=verdict.said)


def _weighed(
    here: Platform, deployment_id: UUID, version_id: UUID | None
) -> tuple[Verdict, tuple[str, str]]:
    """The gate's verdict, and which champion and candidate it is about."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        version = _version(session, row, version_id)
        seen = row.model_version_id, version.id
        case = case_of(session, row, version)
    # Outside the transaction: thousands of reviews take a second.
    return case.verdict(), seen


def _version(session: Session, row: Deployment, version_id: UUID | None) -> ModelVersion:
    return the(session, ModelVersion, _wanted(row, version_id), kind="model version")


def _wanted(row: Deployment, version_id: UUID | None) -> str:
    wanted = str(version_id) if version_id else row.shadow_model_version_id
    if wanted is None:
        raise ConflictError(
            f"The deployment {row.name!r} has no shadow model.",
            "Set one: deployment.set_shadow_model(version). Or name a version.",
        )
    return wanted


def _told(gate: Gate | None) -> GateReply:
    if gate is None:
        return GateReply(gate=None, told="Versions are promoted without a gate.")
    return GateReply(gate=gate_to_json(gate), told=gate.in_words())


def _spelled(row: Rollout) -> RolloutReply:
    return RolloutReply.model_validate(
        {
            "id": row.id,
            "version_id": row.version_id,
            "title": row.title,
            "role": row.role,
            "cause": row.cause,
            "state": row.state,
            "at": row.created_at,
            "previous": row.previous_title,
            "previous_version_id": row.previous_version_id,
            "forced": row.forced,
            "said": row.said,
            "run_id": row.run_id,
        }
    )
