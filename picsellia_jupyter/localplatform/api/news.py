"""What goes on in all deployments, in one request: for pages that ask every few seconds."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import or_, select

from picsellia_jupyter.domain.training import RunState
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.api.training import RunReply, spell_run
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.tables.alerts import Alert, FiredAlert
from picsellia_jupyter.localplatform.tables.training import TrainingRun

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["news"])
LATELY_S = 600.0
"""Seconds for which what has ended is news."""
_MOST = 200
_UNDER_WAY = [state.value for state in RunState if not state.is_over]


class FiringReply(BaseModel):
    """An alert's condition is met, or was until a moment ago."""

    id: UUID
    """Of the episode."""
    deployment_id: UUID
    alert: str
    value: float
    """What met it first."""
    created_at: float
    ended_at: float | None


class NewsReply(BaseModel):
    """What goes on or ended in the last ten minutes, each newest first."""

    alerts: list[FiringReply]
    training: list[RunReply]


@router.get("/api/local/news")
def get_news(here: Here) -> NewsReply:
    """Alerts that fire and training runs that are under way, of all deployments."""
    since = here.clock() - LATELY_S
    with here.store.reading() as session:
        fired = (
            select(FiredAlert, Alert.deployment_id, Alert.name)
            .join(Alert, Alert.id == FiredAlert.alert_id)
            .where(or_(FiredAlert.ended_at.is_(None), FiredAlert.ended_at >= since))
            .order_by(FiredAlert.created_at.desc(), FiredAlert.id)
        )
        trained = (
            select(TrainingRun)
            .where(or_(TrainingRun.state.in_(_UNDER_WAY), TrainingRun.ended_at >= since))
            .order_by(TrainingRun.created_at.desc(), TrainingRun.id)
        )
        alerts = [_spelled(*row) for row in session.execute(fired.limit(_MOST))]
        runs = [spell_run(session, row) for row in session.scalars(trained.limit(_MOST))]
        return NewsReply(alerts=alerts, training=runs)


def _spelled(row: FiredAlert, deployment_id: str, name: str) -> FiringReply:
    fields = {key: getattr(row, key, None) for key in FiringReply.model_fields}
    return FiringReply.model_validate({**fields, "deployment_id": deployment_id, "alert": name})
