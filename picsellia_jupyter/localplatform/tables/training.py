"""Training runs, and what sets them off beside reviews."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class TrainingRun(Identified, Base, kw_only=True):
    """One training run of a deployment's model."""

    __tablename__ = "training_run"
    __table_args__ = (
        UniqueConstraint("deployment_id", "episode"),
        Index("ix_training_run_state", "state"),
    )

    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    episode: Mapped[str]
    """What set it off, by a name that is its own: whatever is seen twice makes one run."""
    cause: Mapped[str]
    """A value of `Cause`."""
    said: Mapped[str]
    settings: Mapped[dict[str, Any]]
    """Of continuous training, as they were when it was set off."""
    base_version_id: Mapped[str]
    """The champion then."""
    state: Mapped[str] = mapped_column(default="WAITING")
    place: Mapped[str] = mapped_column(default="")
    """Where somebody has a kernel do it; empty where this platform starts its runner."""
    attempt: Mapped[int] = mapped_column(default=0)
    """How often a runner has taken it up."""
    runner: Mapped[str] = mapped_column(default="")
    """Whose it is; another runner's word is refused. Empty where it is nobody's."""
    beat_at: Mapped[float | None] = mapped_column(default=None)
    """When its runner was last heard of."""
    started_at: Mapped[float | None] = mapped_column(default=None)
    ended_at: Mapped[float | None] = mapped_column(default=None)
    progress: Mapped[float] = mapped_column(default=0.0)
    step: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")
    is_cancelled: Mapped[bool] = mapped_column(default=False)
    """Whether somebody asked for its end."""
    experiment_id: Mapped[str | None] = mapped_column(
        ForeignKey("experiment.id", ondelete="SET NULL"), default=None
    )
    version_id: Mapped[str | None] = mapped_column(
        ForeignKey("model_version.id", ondelete="SET NULL"), default=None
    )
    """The model version that came of it."""
    held_out: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """The comparison with the champion on held-out data."""


class TrainingTrigger(Identified, Base, kw_only=True):
    """Sets training off when an alert fires, or every so often."""

    __tablename__ = "training_trigger"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), index=True
    )
    alert_id: Mapped[str | None] = mapped_column(
        ForeignKey("alert.id", ondelete="CASCADE"), default=None
    )
    every_s: Mapped[float | None] = mapped_column(default=None)
    """Seconds from one run to the next; of a schedule."""
    cooldown_s: Mapped[float] = mapped_column(default=0.0)
    """Seconds after a run of this deployment in which it sets off none."""
