"""A deployment's whole dashboard in one answer, and its predictions of a range."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, Response

from picsellia_jupyter.domain.dashboards import Filters
from picsellia_jupyter.localplatform.api.assets import whole_asset
from picsellia_jupyter.localplatform.api.dashboards import DashboardReply
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.exposition import CONTENT_TYPE, exposition
from picsellia_jupyter.localplatform.folding import catch_up
from picsellia_jupyter.localplatform.imaging import images
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin
from picsellia_jupyter.localplatform.reporting import report
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.wire.reports import report_to_json

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["statistics"])


class AskedReport(BaseModel):
    """Which predictions of a deployment are shown."""

    from_timestamp: float | None = Field(default=None, ge=0, le=1e11)
    """Earliest, seconds since the epoch."""
    to_timestamp: float | None = Field(default=None, ge=0, le=1e11)
    version: str | None = None
    """Title or id of a model version."""
    label: str | None = None
    tag: str | None = None
    source: str | None = None

    def selection(self, session: Session, deployment_id: UUID) -> Selection:
        """The range that is meant."""
        return Selection(
            deployment=the(session, Deployment, deployment_id, kind="deployment"),
            since=self.from_timestamp,
            until=self.to_timestamp,
        )

    def filters(self) -> Filters:
        """Those that are set."""
        return Filters(self.version, self.label, self.tag, self.source)


class ReportReply(BaseModel):
    """A whole dashboard; what is null is not known or does not apply."""

    figures: DashboardReply
    champion: str
    shadow: str | None
    watched: int
    """Alerts that are active."""
    alerts: list[dict[str, Any]]
    """Those whose condition is met now."""
    filters: dict[str, str | None]
    choices: dict[str, list[str]]
    errors: dict[str, Any] | None
    """Predictions that serving kernels could not give."""
    shadow_latency: dict[str, Any] | None
    labels_over_time: list[tuple[str, list[int]]]
    training_labels: list[tuple[str, int]]
    total_variation: float | None
    images: dict[str, dict[str, Any]]
    drift: dict[str, Any] | None
    outliers: dict[str, Any] | None
    heatmap: dict[str, Any] | None
    has_reviews: bool
    notices: list[str]


@router.get("/api/local/deployments/{deployment_id}/report")
def get_report(
    here: Here, deployment_id: UUID, asked: Annotated[AskedReport, Query()]
) -> ReportReply:
    """Everything that is known of a range of a deployment."""
    catch_up(here)
    with here.store.reading() as session:
        chosen = asked.selection(session, deployment_id)
        made = report(session, chosen, asked.filters(), now=here.clock())
    return ReportReply.model_validate(report_to_json(made))


class AskedImages(AskedReport):
    """Which recorded images."""

    limit: int = Field(default=100, ge=1, le=500)


class ImagesReply(BaseModel):
    """The newest recorded images of a range."""

    count: int
    """How many there are, of the newest ten thousand."""
    items: list[dict[str, Any]]


@router.get("/api/local/deployments/{deployment_id}/images")
def get_images(
    here: Here, origin: Origin, deployment_id: UUID, asked: Annotated[AskedImages, Query()]
) -> ImagesReply:
    """Predicted assets by when they were predicted, newest first."""
    with here.store.reading() as session:
        chosen = asked.selection(session, deployment_id)
        found = images(session, chosen, asked.filters(), now=here.clock())
        items = [whole_asset(here, session, origin, row) for row in found.first(asked.limit)]
    return ImagesReply(count=len(found), items=items)


@router.get("/api/local/metrics", response_class=PlainTextResponse)
def get_metrics(here: Here) -> Response:
    """Figures of all deployments, as Prometheus reads them."""
    catch_up(here)
    with here.store.reading() as session:
        told = exposition(session)
    return Response(told, media_type=CONTENT_TYPE)
