"""Alerts: conditions on a deployment, when they were met, and who is told."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Alert(Identified, Base, kw_only=True):
    """A condition that is checked when predictions are recorded, or every so often."""

    __tablename__ = "alert"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    metric: Mapped[str]
    """A value of `AlertMetric`."""
    operator: Mapped[str]
    limit: Mapped[float]
    active: Mapped[bool] = mapped_column(default=True)
    window_s: Mapped[float] = mapped_column(default=3600.0)
    """Seconds back that a figure is of; without meaning for `latency` and `no_traffic`."""
    clear_limit: Mapped[float | None] = mapped_column(default=None)
    cooldown_s: Mapped[float] = mapped_column(default=600.0)
    webhook_url: Mapped[str | None] = mapped_column(default=None)
    webhook_private: Mapped[bool] = mapped_column(default=False)
    """Whether the webhook may be at an address that only this network knows."""
    value: Mapped[float | None] = mapped_column(default=None)
    """What was last measured; None where nothing could be."""
    reason: Mapped[str] = mapped_column(default="")
    """Why nothing could be."""
    checked_at: Mapped[float | None] = mapped_column(default=None)


class FiredAlert(Identified, Base, kw_only=True):
    """An episode: an alert's condition was met, once or again and again."""

    __tablename__ = "fired_alert"
    __table_args__ = (Index("ix_fired_alert_page", "alert_id", "created_at", "id"),)

    alert_id: Mapped[str] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    oracle_prediction_id: Mapped[str | None]
    """The prediction that met it first; None where a figure of many did."""
    value: Mapped[float]
    """Of the alert's metric, that met it first."""
    at: Mapped[float]
    """When that prediction was made, or the figure was looked at."""
    count: Mapped[int] = mapped_column(default=1)
    """How often it was met."""
    worst: Mapped[float | None] = mapped_column(default=None)
    last_at: Mapped[float | None] = mapped_column(default=None)
    """When it was last met, by the platform's clock; None is `created_at`."""
    ended_at: Mapped[float | None] = mapped_column(default=None)
    """None while it goes on."""


class Delivery(Identified, Base, kw_only=True):
    """A message about an episode, on its way to a webhook."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_due", "state", "due_at"),)

    fired_alert_id: Mapped[str] = mapped_column(
        ForeignKey("fired_alert.id", ondelete="CASCADE"), index=True
    )
    event: Mapped[str]
    """`alert.opened` or `alert.closed`."""
    body: Mapped[str]
    """JSON, the same in every attempt."""
    state: Mapped[str] = mapped_column(default="WAITING")
    """WAITING, DELIVERED or FAILED."""
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[float]
    error: Mapped[str] = mapped_column(default="")
    """What the last attempt met."""
