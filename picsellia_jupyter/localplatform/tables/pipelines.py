"""What closes the loop of a deployment: feedback, training data, continuous training."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Pipeline(Identified, Base, kw_only=True):
    """The settings of one deployment's loop."""

    __tablename__ = "pipeline"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), unique=True
    )
    feedback_set_up: Mapped[bool] = mapped_column(default=False)
    feedback_active: Mapped[bool] = mapped_column(default=False)
    training_data_id: Mapped[str | None] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="SET NULL"), default=None
    )
    """The dataset version predictions are compared with."""
    training_settings: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """Project, trigger, threshold and parameters of continuous training."""
    training_active: Mapped[bool] = mapped_column(default=False)
    submitted_reviews: Mapped[int] = mapped_column(default=0)
    """All that were ever submitted."""
    trained_reviews: Mapped[int] = mapped_column(default=0)
    """Those of them that were there when training was last set off."""
    deployment_policy: Mapped[str | None] = mapped_column(default=None)
    """DEPLOY_CHAMPION, DEPLOY_SHADOW or DEPLOY_MANUAL."""
    deployment_active: Mapped[bool] = mapped_column(default=False)
    promotion_gate: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """What a version must show before it becomes the champion; see `domain.promotion.Gate`."""


class PipelineDataset(Identified, Base, kw_only=True):
    """A dataset version attached to a deployment's loop."""

    __tablename__ = "pipeline_dataset"
    __table_args__ = (UniqueConstraint("deployment_id", "role", "dataset_version_id"),)

    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    role: Mapped[str]
    """FEEDBACK_LOOP (reviews go into it) or CONTINUOUS_TRAINING (training uses it)."""
    dataset_version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="CASCADE")
    )
    name: Mapped[str | None] = mapped_column(default=None)
    """What training calls it."""
