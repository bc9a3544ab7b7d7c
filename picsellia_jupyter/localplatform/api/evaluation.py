"""The whole evaluation of a deployment's reviewed predictions, with what the SDK cannot ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.dashboards import Filters
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.asking import asked_of, titles_of
from picsellia_jupyter.localplatform.evaluating import narrowed, reviewed
from picsellia_jupyter.localplatform.folding import catch_up
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.supervised import evaluated
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.wire.evaluation import report_to_json

router = Router(dependencies=[NeedsUser], responses=REFUSALS)


class AskedEvaluation(BaseModel):
    """Which reviewed predictions are meant."""

    from_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    """Earliest, seconds since the epoch."""
    to_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    model_version_id: UUID | None = None
    version: str | None = None
    """Title or id of a model version of this deployment; it comes before `model_version_id`."""
    label: str | None = None
    """Only objects of this label; classes of whole images stay together, which is said."""
    tags: list[str] = []
    source: str | None = None
    """Only predictions that were sent with this one."""
    sampled: str | None = None
    """Only images that were chosen for review in this way: their tag is `sampled:…`."""
    max_detections: int | None = Field(default=None, ge=1, le=100_000)
    """Of an image and label so many count; null takes COCO's."""

    def selection(self, session: Session, deployment: Deployment) -> Selection:
        """The predictions that are meant.

        Raises:
            NotFoundError: there is no such model version or label.
        """
        ident = str(self.model_version_id) if self.model_version_id else None
        chosen = Selection(deployment, self.from_timestamp, self.to_timestamp, ident)
        titles, named = titles_of(session, deployment), Filters(self.version, self.label)
        version = asked_of(session, chosen, named, titles, now=0.0).chosen.model_version_id
        return replace(
            chosen,
            model_version_id=version or ident,
            tags=tuple(self.tags),
            source=self.source,
        )


class EvaluationReply(BaseModel):
    """An evaluation, and when it was made."""

    computed_at: float
    result: dict[str, Any]


@router.post("/api/local/deployments/{deployment_id}/evaluation", tags=["statistics"])
def evaluate(here: Here, deployment_id: UUID, body: AskedEvaluation) -> EvaluationReply:
    """Compare predictions with their reviews, here and now."""
    catch_up(here)
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        chosen = body.selection(session, deployment)
        found = reviewed(session, chosen, sampled=body.sampled, max_detections=body.max_detections)
    # Outside the transaction: thousands of reviews take a second.
    result = report_to_json(evaluated(narrowed(found, body.label)))
    return EvaluationReply(computed_at=here.clock(), result=result)
