"""Review campaigns: who is to look at which predicted asset, in which step."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class ReviewCampaign(Identified, Base, kw_only=True):
    """The one review campaign of a deployment."""

    __tablename__ = "review_campaign"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), unique=True
    )
    description: Mapped[str | None] = mapped_column(default=None)
    instructions_text: Mapped[str | None] = mapped_column(default=None)
    instructions_object_name: Mapped[str | None] = mapped_column(default=None)
    end_date: Mapped[str | None] = mapped_column(default=None)
    """YYYY-MM-DD."""
    auto_add_new_assets: Mapped[bool] = mapped_column(default=False)
    auto_close_on_completion: Mapped[bool] = mapped_column(default=False)
    default_entry_step_id: Mapped[str | None] = mapped_column(default=None)
    """The step new assignments begin in; None means the first."""
    closed_at: Mapped[float | None] = mapped_column(default=None)


class CampaignStep(Identified, Base, kw_only=True):
    """One step that assignments go through, one after the other."""

    __tablename__ = "campaign_step"
    __table_args__ = (Index("ix_campaign_step_order", "campaign_id", "position"),)

    campaign_id: Mapped[str] = mapped_column(ForeignKey("review_campaign.id", ondelete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str]
    """REVIEW or QUALITY_CONTROL."""
    position: Mapped[int]
    """`order` on the wire."""
    description: Mapped[str | None] = mapped_column(default=None)
    sample_rate: Mapped[float | None] = mapped_column(default=None)
    """Share of assignments that go through this step, in [0, 1]; None means all."""
    assignees: Mapped[list[Any]] = mapped_column(default_factory=list)
    """`{user_id, weight}` each."""


class Assignment(Identified, Base, kw_only=True):
    """One predicted asset in a campaign."""

    __tablename__ = "assignment"
    __table_args__ = (
        UniqueConstraint("campaign_id", "predicted_asset_id"),
        Index("ix_assignment_page", "campaign_id", "created_at", "id"),
    )

    campaign_id: Mapped[str] = mapped_column(ForeignKey("review_campaign.id", ondelete="CASCADE"))
    step_id: Mapped[str] = mapped_column(ForeignKey("campaign_step.id", ondelete="CASCADE"))
    predicted_asset_id: Mapped[str] = mapped_column(
        ForeignKey("predicted_asset.id", ondelete="CASCADE"), index=True
    )
    assigned_user_id: Mapped[str | None] = mapped_column(
        ForeignKey("user.id", ondelete="SET NULL"), default=None
    )
    status: Mapped[str] = mapped_column(default="TO_DO")
    """TO_DO, TO_REWORK, DONE or SKIPPED."""
