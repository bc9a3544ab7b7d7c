"""Deployments and what was predicted in them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Deployment(Identified, Base, kw_only=True):
    """One model version tied to production, with what its serving kernel last said."""

    __tablename__ = "deployment"

    name: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    model_version_id: Mapped[str] = mapped_column(ForeignKey("model_version.id"))
    shadow_model_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("model_version.id"), default=None
    )
    min_threshold: Mapped[float | None]
    """In [0, 1]; None for classification."""
    sample_rate: Mapped[float] = mapped_column(default=1.0)
    """Share of predictions kept with their image, in [0, 1]."""
    target_datalake_id: Mapped[str] = mapped_column(ForeignKey("datalake.id"))
    disable_serving: Mapped[bool] = mapped_column(default=False)
    inferences: Mapped[int] = mapped_column(default=0)
    """Champion predictions recorded so far."""
    serving_state: Mapped[str | None] = mapped_column(default=None)
    serving_reason: Mapped[str] = mapped_column(default="")
    serving_reported_at: Mapped[float | None] = mapped_column(default=None)
    serving_kernel: Mapped[dict[str, Any] | None] = mapped_column(default=None)


class DeploymentLabel(Base, kw_only=True):
    """A label of a deployment; its id never changes."""

    __tablename__ = "deployment_label"
    __table_args__ = (UniqueConstraint("deployment_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    name: Mapped[str]
    position: Mapped[int]
    """Order of the labels, that of their class indices."""


class PredictedAsset(Identified, Base, kw_only=True):
    """An image with what was predicted in it."""

    __tablename__ = "predicted_asset"
    __table_args__ = (
        UniqueConstraint("deployment_id", "oracle_prediction_id"),
        Index("ix_predicted_asset_page", "deployment_id", "created_at", "id"),
    )

    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    oracle_prediction_id: Mapped[str]
    data_id: Mapped[str] = mapped_column(ForeignKey("data.id", ondelete="CASCADE"), index=True)
    custom_metrics: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    review_state: Mapped[str] = mapped_column(default="TO_REVIEW")
    """TO_REVIEW, REVIEWED, or SUBMITTED, which cannot be undone."""


class Prediction(Identified, Base, kw_only=True):
    """What the champion or the shadow model found in one image.

    Kept for the statistics also where the image was not, or no longer is.
    """

    __tablename__ = "prediction"
    __table_args__ = (
        UniqueConstraint("deployment_id", "oracle_prediction_id", "is_shadow"),
        Index("ix_prediction_time", "deployment_id", "is_shadow", "at"),
    )

    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    oracle_prediction_id: Mapped[str]
    is_shadow: Mapped[bool] = mapped_column(default=False)
    model_version_id: Mapped[str] = mapped_column(ForeignKey("model_version.id"))
    predicted_asset_id: Mapped[str | None] = mapped_column(
        ForeignKey("predicted_asset.id", ondelete="SET NULL"), default=None, index=True
    )
    at: Mapped[float]
    """When it was made; the client's clock where it said so."""
    latency: Mapped[float]
    """Seconds."""
    width: Mapped[int]
    height: Mapped[int]
    source: Mapped[str | None] = mapped_column(default=None)
    tags: Mapped[list[Any]] = mapped_column(default_factory=list)
    classes: Mapped[bytes]
    """(N,) int64 class indices."""
    scores: Mapped[bytes]
    """(N,) float64 raw confidence in [0, 1]."""
    raw: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    """`raw_predictions` as they were sent; last, so that statistics need not read it."""


class Review(Identified, Base, kw_only=True):
    """A person's corrections of one predicted asset."""

    __tablename__ = "review"

    predicted_asset_id: Mapped[str] = mapped_column(
        ForeignKey("predicted_asset.id", ondelete="CASCADE"), index=True
    )
    shapes: Mapped[dict[str, Any]]
    author_id: Mapped[str | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), default=None
    )
