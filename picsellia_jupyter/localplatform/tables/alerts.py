"""Alerts: conditions on a deployment, and when they were met."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Alert(Identified, Base, kw_only=True):
    """A condition that is checked when a prediction is recorded."""

    __tablename__ = "alert"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    metric: Mapped[str]
    """`latency`, in seconds."""
    operator: Mapped[str]
    """`>`, `>=`, `<` or `<=`."""
    limit: Mapped[float]
    active: Mapped[bool] = mapped_column(default=True)


class FiredAlert(Identified, Base, kw_only=True):
    """A prediction that met an alert's condition."""

    __tablename__ = "fired_alert"
    __table_args__ = (Index("ix_fired_alert_page", "alert_id", "created_at", "id"),)

    alert_id: Mapped[str] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    oracle_prediction_id: Mapped[str]
    value: Mapped[float]
    """Of the alert's metric."""
    at: Mapped[float]
    """When the prediction was made."""
