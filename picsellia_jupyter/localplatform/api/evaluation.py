"""The whole evaluation of a deployment's reviewed predictions, with what the SDK cannot ask."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.evaluating import reviewed
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.supervised import evaluated
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.wire.evaluation import report_to_json

router = APIRouter(dependencies=[NeedsUser], responses=REFUSALS)


class AskedEvaluation(BaseModel):
    """Which reviewed predictions are meant."""

    from_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    """Earliest, seconds since the epoch."""
    to_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    model_version_id: UUID | None = None
    tags: list[str] = []
    sampled: str | None = None
    """Only images that were chosen for review in this way: their tag is `sampled:…`."""
    max_detections: int | None = Field(default=None, ge=1, le=100_000)
    """Of an image and label so many count; null takes COCO's."""


class EvaluationReply(BaseModel):
    """An evaluation, and when it was made."""

    computed_at: float
    result: dict[str, Any]


@router.post("/api/local/deployments/{deployment_id}/evaluation", tags=["statistics"])
def evaluate(here: Here, deployment_id: UUID, body: AskedEvaluation) -> EvaluationReply:
    """Compare predictions with their reviews, here and now."""
    with here.store.reading() as session:
        chosen = Selection(
            deployment=the(session, Deployment, deployment_id, kind="deployment"),
            since=body.from_timestamp,
            until=body.to_timestamp,
            model_version_id=str(body.model_version_id) if body.model_version_id else None,
            tags=tuple(body.tags),
        )
        found = reviewed(session, chosen, sampled=body.sampled, max_detections=body.max_detections)
    # Outside the transaction: thousands of reviews take a second.
    result = report_to_json(evaluated(found))
    return EvaluationReply(computed_at=here.clock(), result=result)
