"""A deployment's dashboard and what it is made of; the SDK has no calls for them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.drifting import compared, global_distribution, spelled
from picsellia_jupyter.localplatform.folding import catch_up
from picsellia_jupyter.localplatform.mapping import shapes_map
from picsellia_jupyter.localplatform.overviews import dashboard, whole
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.wire.dashboards import dashboard_to_json

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["statistics"])


class AskedRange(BaseModel):
    """Which predictions of a deployment are meant."""

    from_timestamp: float | None = Field(default=None, ge=0, le=1e11)
    """Earliest, seconds since the epoch."""
    to_timestamp: float | None = Field(default=None, ge=0, le=1e11)
    model_version_id: UUID | None = None

    def selection(self, session: Session, deployment_id: UUID) -> Selection:
        """The predictions that are meant."""
        return Selection(
            deployment=the(session, Deployment, deployment_id, kind="deployment"),
            since=self.from_timestamp,
            until=self.to_timestamp,
            model_version_id=str(self.model_version_id) if self.model_version_id else None,
        )


class Bins(BaseModel):
    """Counts between edges, of which there is one more."""

    edges: list[float]
    counts: list[int]


class DashboardReply(BaseModel):
    """The figures of a range; times in seconds since the epoch, latencies in seconds."""

    deployment: str
    since: float
    until: float
    inferences: int
    shapes: int
    threshold: float | None
    mean_latency_s: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    latency_at: list[float]
    latency_p50_s: list[float]
    latency_p95_s: list[float]
    latency_p99_s: list[float]
    predictions_over_time: Bins
    score_histogram: Bins
    label_counts: list[tuple[str, int]]


class SignalReply(BaseModel):
    """What became of one signal."""

    signal: str
    test: str
    reference: int
    current: int
    effect: float | None
    p: float | None
    q: float | None
    verdict: str


class DriftReply(BaseModel):
    """A window of predictions beside its reference."""

    verdict: str
    """`drift`, `steady` or `too few`."""
    drifting: list[str]
    alpha: float
    signals: list[SignalReply]
    baseline: dict[str, Any]
    training_images: int
    window: dict[str, Any]


class DistributionReply(BaseModel):
    """Objects per label, predicted and in the training data."""

    predicted: dict[str, int]
    training: dict[str, int]
    total_variation: float | None


class HeatmapReply(BaseModel):
    """How many shapes touch each cell of a grid over every image."""

    label: str | None
    cells: list[list[int]]
    """Rows from the top."""
    images: int
    """That were looked at, the newest first."""
    shapes: int


AskedOf = Annotated[AskedRange, Query()]


@router.get("/api/local/deployments/{deployment_id}/dashboard")
def get_dashboard(here: Here, deployment_id: UUID, asked: AskedOf) -> DashboardReply:
    """What the champion predicted, how fast, and how sure it was."""
    catch_up(here)
    with here.store.reading() as session:
        chosen = asked.selection(session, deployment_id)
        made = dashboard(session, chosen, now=here.clock())
    return DashboardReply.model_validate(dashboard_to_json(made))


@router.get("/api/local/deployments/{deployment_id}/drift")
def get_drift(here: Here, deployment_id: UUID, asked: AskedOf) -> DriftReply:
    """Whether the champion sees what it saw before."""
    catch_up(here)
    with here.store.reading() as session:
        chosen = asked.selection(session, deployment_id)
        until = here.clock() if chosen.until is None else chosen.until
        found = compared(session, chosen.deployment, since=chosen.since, until=until)
    return DriftReply.model_validate(spelled(found))


@router.get("/api/local/deployments/{deployment_id}/distribution")
def get_distribution(here: Here, deployment_id: UUID, asked: AskedOf) -> DistributionReply:
    """Labels that were predicted beside those of the training data."""
    catch_up(here)
    with here.store.reading() as session:
        chosen = asked.selection(session, deployment_id)
        found = global_distribution(session, chosen.deployment, whole(session, chosen))
    return DistributionReply.model_validate(found)


@router.get("/api/local/deployments/{deployment_id}/heatmap")
def get_heatmap(
    here: Here, deployment_id: UUID, asked: AskedOf, label: str | None = None
) -> HeatmapReply:
    """Where in their images the champion's shapes over the threshold lie."""
    with here.store.reading() as session:
        chosen = asked.selection(session, deployment_id)
        return HeatmapReply.model_validate(shapes_map(session, chosen, label=label))
