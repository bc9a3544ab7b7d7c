"""How unlike the training data the images of a deployment are."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class OutlierFit(Identified, Base, kw_only=True):
    """The auto-encoder of a deployment, fitted on its training data."""

    __tablename__ = "outlier_fit"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), unique=True
    )
    training_data_id: Mapped[str]
    """The dataset version, as it was then."""
    contamination: Mapped[float]
    state: Mapped[str]
    """FITTING, READY or FAILED."""
    reason: Mapped[str] = mapped_column(default="")
    images: Mapped[int] = mapped_column(default=0)
    """It was fitted on, those held out included."""
    threshold: Mapped[float | None] = mapped_column(default=None)
    weights: Mapped[bytes | None] = mapped_column(default=None, deferred=True)
    """An `.npz`."""
    scored_until: Mapped[float] = mapped_column(default=0.0)
    """Images that came before are scored, but for stragglers."""


class OutlierScore(Base, kw_only=True):
    """The score of one predicted image."""

    __tablename__ = "outlier_score"
    __table_args__ = (Index("ix_outlier_score_time", "deployment_id", "at"),)

    prediction_id: Mapped[str] = mapped_column(
        ForeignKey("prediction.id", ondelete="CASCADE"), primary_key=True
    )
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    at: Mapped[float]
    score: Mapped[float | None]
    """None where the image could not be read."""
