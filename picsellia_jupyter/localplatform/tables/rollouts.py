"""Which version took which place in a deployment, when and why."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Rollout(Identified, Base, kw_only=True):
    """A version that took a place in a deployment, or was to; one row is added each time.

    Versions are named by id and title alone, so that the history outlives them.
    """

    __tablename__ = "rollout"
    __table_args__ = (
        UniqueConstraint("deployment_id", "run_id"),
        UniqueConstraint("deployment_id", "number"),
        Index("ix_rollout_state", "deployment_id", "state"),
    )

    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    number: Mapped[int]
    """Their order in a deployment, whatever the clock says."""
    version_id: Mapped[str]
    title: Mapped[str]
    role: Mapped[str]
    """champion, shadow or offer."""
    cause: Mapped[str]
    """person, rollback or policy."""
    state: Mapped[str]
    """asked, served, failed or superseded."""
    previous_version_id: Mapped[str] = mapped_column(default="")
    """Of the champion before, which stays where this one fails."""
    previous_title: Mapped[str] = mapped_column(default="")
    previous_shadow_id: Mapped[str] = mapped_column(default="")
    forced: Mapped[bool] = mapped_column(default=False)
    said: Mapped[str] = mapped_column(default="")
    run_id: Mapped[str | None] = mapped_column(default=None)
    """The training run it comes from, which acts once."""
    evidence: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """The held-out comparison at the end of that run."""
