"""Alerts of deployments; the SDK has no calls for them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.alerts import LIMITS, AlertMetric
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.alerting import state_of
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.alerts import Alert, Delivery, FiredAlert
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.webhooks import checked_url, ring, signing_secret
from picsellia_jupyter.workflows.alerts import check_hysteresis

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["alerts"])
Operator = Literal[">", ">=", "<", "<=", "=="]
Seconds = Annotated[float, Field(ge=0, le=366 * 86_400, allow_inf_nan=False)]


class NewAlert(BaseModel):
    """A condition to be watched from now on."""

    name: Words
    metric: AlertMetric = AlertMetric.LATENCY
    operator: Operator = ">"
    limit: float | None = Field(default=None, allow_inf_nan=False)
    """None takes the metric's own, where it has one; latencies are in seconds, shares in [0, 1]."""
    clear_limit: float | None = Field(default=None, allow_inf_nan=False)
    """Where the condition counts as over; None takes `limit`."""
    window_s: Seconds = 3_600.0
    cooldown_s: Seconds = 600.0
    active: bool = True
    webhook_url: str | None = Field(default=None, max_length=2_000)
    webhook_private: bool = False
    """Allow a webhook inside of this network."""

    def columns(self) -> dict[str, Any]:
        """The alert's row.

        Raises:
            InvalidInputError: there is no limit, or the webhook cannot be one.
        """
        limit = LIMITS.get(self.metric) if self.limit is None else self.limit
        if limit is None:
            raise InvalidInputError(
                f"An alert on {self.metric.value!r} has no limit of its own.",
                "Give one: limit=0.5 is half a second of latency.",
            )
        check_hysteresis(self.operator, limit, self.clear_limit)
        if self.webhook_url is not None:
            checked_url(self.webhook_url, private=self.webhook_private)
        return {**self.model_dump(), "metric": self.metric.value, "limit": limit}


class AlertChange(BaseModel):
    """What to change of an alert; what is left out or null stays."""

    name: Words | None = None
    operator: Operator | None = None
    limit: float | None = Field(default=None, allow_inf_nan=False)
    clear_limit: float | None = Field(default=None, allow_inf_nan=False)
    window_s: Seconds | None = None
    cooldown_s: Seconds | None = None
    active: bool | None = None
    webhook_url: str | None = Field(default=None, max_length=2_000)
    """An empty one tells nobody any more."""
    webhook_private: bool | None = None


class AlertReply(BaseModel):
    """A condition that is watched."""

    id: UUID
    deployment_id: UUID
    name: str
    metric: AlertMetric
    operator: Operator
    limit: float
    clear_limit: float | None
    window_s: float
    cooldown_s: float
    active: bool
    created_at: float
    state: Literal["firing", "ok", "unknown"]
    value: float | None
    """What was last measured."""
    reason: str
    """Why nothing was."""
    checked_at: float | None
    webhook_host: str | None
    """Of the address, which may itself be a secret."""


class AlertList(BaseModel):
    """Part of the alerts of a deployment."""

    items: list[AlertReply]
    count: int | None


class FiredReply(BaseModel):
    """An episode: a condition was met, once or again and again."""

    id: UUID
    alert_id: UUID
    alert_name: str
    oracle_prediction_id: UUID | None
    """The prediction that met it first; None where a figure of many did."""
    value: float
    """What met it first."""
    worst: float
    count: int
    """How often it was met: predictions, or looks at the window."""
    at: float
    """When that prediction was made, seconds since the epoch."""
    created_at: float
    last_at: float
    ended_at: float | None
    """None while it goes on."""


class FiredList(BaseModel):
    """Part of what alerts noted, newest first."""

    items: list[FiredReply]
    count: int | None
    next_cursor: str | None


class SecretReply(BaseModel):
    """What the receiver of an alert's messages verifies them with."""

    secret: str
    """As the Standard Webhooks libraries take it."""


class RangReply(BaseModel):
    """What came of trying a webhook."""

    host: str
    delivered: bool
    error: str


class DeliveryReply(BaseModel):
    """A message to a webhook."""

    id: UUID
    event: str
    state: Literal["WAITING", "DELIVERED", "FAILED"]
    attempts: int
    due_at: float
    error: str


class DeliveryList(BaseModel):
    """The newest messages of an alert."""

    items: list[DeliveryReply]


@router.post("/api/local/deployments/{deployment_id}/alerts", status_code=201)
def create_alert(here: Here, deployment_id: UUID, body: NewAlert) -> AlertReply:
    """Watch a condition."""
    columns = body.columns()
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        row = Alert(deployment_id=deployment.id, created_at=here.clock(), **columns)
        session.add(row)
        session.flush()
        return _spelled(session, row)


@router.get("/api/local/deployments/{deployment_id}/alerts")
def list_alerts(here: Here, deployment_id: UUID, asked: Asked) -> AlertList:
    """Conditions that are watched in a deployment, newest first."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        query = select(Alert).filter_by(deployment_id=deployment.id)
        found = page(session, query, Alert, asked)
        items = [_spelled(session, row) for row in found.rows]
        return AlertList(items=items, count=found.count)


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
        row.webhook_url = row.webhook_url or None
        check_hysteresis(row.operator, row.limit, row.clear_limit)
        if row.webhook_url is not None:
            checked_url(row.webhook_url, private=row.webhook_private)
        return _spelled(session, row)


@router.get("/api/local/alerts/{alert_id}/webhook")
def get_secret(here: Here, alert_id: UUID) -> SecretReply:
    """The secret that an alert's messages are signed with."""
    with here.store.reading() as session:
        alert = the(session, Alert, alert_id, kind="alert")
    return SecretReply(secret=signing_secret(here, alert.id))


@router.post("/api/local/alerts/{alert_id}/test")
def try_webhook(here: Here, alert_id: UUID) -> RangReply:
    """Send a message of the type `alert.test` to an alert's webhook, once, and wait for it."""
    with here.store.reading() as session:
        alert = the(session, Alert, alert_id, kind="alert")
    host = urlsplit(alert.webhook_url or "").hostname
    if host is None:
        raise InvalidInputError(
            f"The alert {alert.name!r} has no webhook.",
            'Give one: d.alerts.add("...", webhook="https://hooks.example.com/x")',
        )
    error = ring(here, alert)
    return RangReply(host=host, delivered=not error, error=error)


@router.get("/api/local/alerts/{alert_id}/deliveries")
def list_deliveries(here: Here, alert_id: UUID) -> DeliveryList:
    """What was sent about an alert, or is to be; the newest hundred."""
    with here.store.reading() as session:
        alert = the(session, Alert, alert_id, kind="alert")
        query = select(Delivery).join(FiredAlert, FiredAlert.id == Delivery.fired_alert_id)
        query = query.where(FiredAlert.alert_id == alert.id).order_by(Delivery.created_at.desc())
        rows = session.scalars(query.limit(100)).all()
        items = [DeliveryReply.model_validate(row, from_attributes=True) for row in rows]
        return DeliveryList(items=items)


@router.delete("/api/local/alerts/{alert_id}", status_code=204)
def delete_alert(here: Here, alert_id: UUID) -> None:
    """Delete an alert with what it noted."""
    with here.store.writing() as session:
        session.delete(the(session, Alert, alert_id, kind="alert"))


def _spelled(session: Session, row: Alert) -> AlertReply:
    fields = {name: getattr(row, name, None) for name in AlertReply.model_fields}
    host = urlsplit(row.webhook_url).hostname if row.webhook_url else None
    return AlertReply.model_validate(
        {**fields, "state": state_of(session, row), "webhook_host": host}
    )


def _noted(row: FiredAlert, name: str) -> FiredReply:
    fields = {key: getattr(row, key, None) for key in FiredReply.model_fields}
    worst = row.value if row.worst is None else row.worst
    last_at = row.created_at if row.last_at is None else row.last_at
    return FiredReply.model_validate(
        {**fields, "alert_name": name, "worst": worst, "last_at": last_at}
    )
