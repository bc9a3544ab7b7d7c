"""Outlier scores; the SDK reads them and cannot have them computed."""

from __future__ import annotations

import dataclasses
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.embeddings import embedding_drift
from picsellia_jupyter.localplatform.outliers import CONTAMINATION, begin_fit, fit_of, waiting_count
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["statistics"])


class Fit(BaseModel):
    """How an outlier model is to be fitted."""

    contamination: float = Field(default=CONTAMINATION, allow_inf_nan=False)
    """Share of the training images that the threshold calls outliers."""


class FitReply(BaseModel):
    """How far an outlier model is."""

    state: Literal["NONE", "FITTING", "READY", "FAILED"]
    reason: str = ""
    images: int = 0
    contamination: float | None = None
    threshold: float | None = None
    waiting: int = 0
    """Predicted images that are kept and have no score yet."""


class EmbeddingDriftReply(BaseModel):
    """Whether the images of a window are still those of before."""

    reference: int
    current: int
    distance: float | None
    """MMD² of the auto-encoder's embeddings; null of too few."""
    p: float | None
    verdict: Literal["drift", "steady", "too few"]
    reason: str


@router.post("/api/local/deployments/{deployment_id}/outliers", status_code=202)
def fit_outliers(here: Here, deployment_id: UUID, body: Fit) -> FitReply:
    """Fit an auto-encoder on the training data, in the background."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
    begin_fit(here, deployment, body.contamination)
    return FitReply(state="FITTING", contamination=body.contamination)


@router.get("/api/local/deployments/{deployment_id}/outliers")
def outlier_state(here: Here, deployment_id: UUID) -> FitReply:
    """How far the outlier model of a deployment is."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        row = fit_of(session, here, deployment.id)
        if row is None:
            return FitReply(state="NONE")
        known = {name: getattr(row, name) for name in FitReply.model_fields if name != "waiting"}
        return FitReply(**known, waiting=waiting_count(session, row))


@router.get("/api/local/deployments/{deployment_id}/outliers/drift")
def outlier_drift(
    here: Here,
    deployment_id: UUID,
    from_timestamp: float | None = None,
    to_timestamp: float | None = None,
) -> EmbeddingDriftReply:
    """Compare the kept images of a range with those of before, by their embeddings."""
    with here.store.reading() as session:
        ident = the(session, Deployment, deployment_id, kind="deployment").id
    found = embedding_drift(here, ident, from_timestamp, to_timestamp)
    return EmbeddingDriftReply(**{**dataclasses.asdict(found), "verdict": found.verdict.value})
