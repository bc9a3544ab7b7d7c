"""Alerts of deployments; the SDK has no calls for them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select

from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.alerts import Alert, FiredAlert
from picsellia_jupyter.localplatform.tables.deployments import Deployment

router = APIRouter(dependencies=[NeedsUser], responses=REFUSALS, tags=["alerts"])
Metric = Literal["latency"]
Operator = Literal[">", ">=", "<", "<="]


class NewAlert(BaseModel):
    """A condition to be watched from now on."""

    name: Words
    metric: Metric = "latency"
    """Seconds that one prediction took."""
    operator: Operator = ">"
    limit: float = Field(allow_inf_nan=False)
    active: bool = True


class AlertChange(BaseModel):
    """What to change of an alert; what is left out or null stays."""

    name: Words | None = None
    operator: Operator | None = None
    limit: float | None = Field(default=None, allow_inf_nan=False)
    active: bool | None = None


class AlertReply(BaseModel):
    """A condition that is watched."""

    id: UUID
    deployment_id: UUID
    name: str
    metric: Metric
    operator: Operator
    limit: float
    active: bool
    created_at: float


class AlertList(BaseModel):
    """Part of the alerts of a deployment."""

    items: list[AlertReply]
    count: int | None


class FiredReply(BaseModel):
    """A prediction that met a condition."""

    id: UUID
    alert_id: UUID
    alert_name: str
    oracle_prediction_id: UUID
    value: float
    at: float
    """When the prediction was made, seconds since the epoch."""
    created_at: float


class FiredList(BaseModel):
    """Part of what alerts noted, newest first."""

    items: list[FiredReply]
    count: int | None
    next_cursor: str | None


@router.post("/api/local/deployments/{deployment_id}/alerts", status_code=201)
def create_alert(here: Here, deployment_id: UUID, body: NewAlert) -> AlertReply:
    """Watch a condition."""
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        row = Alert(deployment_id=deployment.id, created_at=here.clock(), **body.model_dump())
        session.add(row)
        session.flush()
        return _spelled(row)


@router.get("/api/local/deployments/{deployment_id}/alerts")
def list_alerts(here: Here, deployment_id: UUID, asked: Asked) -> AlertList:
    """Conditions that are watched in a deployment, newest first."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        query = select(Alert).filter_by(deployment_id=deployment.id)
        found = page(session, query, Alert, asked)
        return AlertList(items=[_spelled(row) for row in found.rows], count=found.count)


@router.get("/api/local/deployments/{deployment_id}/alerts/fired")
def list_fired(here: Here, deployment_id: UUID, asked: Asked) -> FiredList:
    """What the alerts of a deployment noted, newest first."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        own = select(Alert.id, Alert.name).filter_by(deployment_id=deployment.id)
        names = {ident: name for ident, name in session.execute(own)}  # noqa: C416 - Row is no tuple
        query = select(FiredAlert).where(FiredAlert.alert_id.in_(names))
        found = page(session, query, FiredAlert, asked, capped=True)
        items = [_noted(row, names[row.alert_id]) for row in found.rows]
        return FiredList(items=items, count=found.count, next_cursor=found.next_cursor)


@router.patch("/api/local/alerts/{alert_id}")
def update_alert(here: Here, alert_id: UUID, body: AlertChange) -> AlertReply:
    """Change a condition, or stop and go on watching it."""
    with here.store.writing() as session:
        row = the(session, Alert, alert_id, kind="alert")
        for key, value in body.model_dump(exclude_none=True).items():
            setattr(row, key, value)
        return _spelled(row)


@router.delete("/api/local/alerts/{alert_id}", status_code=204)
def delete_alert(here: Here, alert_id: UUID) -> None:
    """Delete an alert with what it noted."""
    with here.store.writing() as session:
        session.delete(the(session, Alert, alert_id, kind="alert"))


def _spelled(row: Alert) -> AlertReply:
    return AlertReply.model_validate(row, from_attributes=True)


def _noted(row: FiredAlert, name: str) -> FiredReply:
    return FiredReply(
        id=UUID(row.id),
        alert_id=UUID(row.alert_id),
        alert_name=name,
        oracle_prediction_id=UUID(row.oracle_prediction_id),
        value=row.value,
        at=row.at,
        created_at=row.created_at,
    )
