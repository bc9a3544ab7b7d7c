"""Review campaigns as the JSON objects that the SDK reads."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.tables.campaigns import (
    Assignment,
    CampaignStep,
    ReviewCampaign,
)
from picsellia_jupyter.localplatform.tables.deployments import PredictedAsset
from picsellia_jupyter.wire.predictions import Json


def spell_campaign(row: ReviewCampaign) -> Json:
    """A review campaign."""
    return {
        "id": row.id,
        "deployment_id": row.deployment_id,
        "description": row.description,
        "instructions_text": row.instructions_text,
        "instructions_object_name": row.instructions_object_name,
        "end_date": row.end_date,
        "auto_add_new_assets": row.auto_add_new_assets,
        "auto_close_on_completion": row.auto_close_on_completion,
        "default_entry_step_id": row.default_entry_step_id,
        "is_closed": row.closed_at is not None,
        "closed_at": row.closed_at,
        "created_at": row.created_at,
    }


def spell_step(row: CampaignStep) -> Json:
    """A step of a campaign."""
    return {
        "id": row.id,
        "campaign_id": row.campaign_id,
        "name": row.name,
        "type": row.type,
        "order": row.position,
        "description": row.description,
        "sample_rate": row.sample_rate,
        "assignees": row.assignees,
    }


def spell_assignments(speller: Speller, rows: Sequence[Assignment]) -> list[Json]:
    """Assignments, each with the image it is about."""
    ids = [row.predicted_asset_id for row in rows]
    assets = speller.session.scalars(select(PredictedAsset).where(PredictedAsset.id.in_(ids)))
    data = {one["id"]: one["data"] for one in speller.assets(assets.all())}
    return [
        {
            "id": row.id,
            "campaign_id": row.campaign_id,
            "asset_id": row.predicted_asset_id,
            "assigned_user_id": row.assigned_user_id,
            "step_id": row.step_id,
            "status": row.status,
            "data": data[row.predicted_asset_id],
            "created_at": row.created_at,
        }
        for row in rows
    ]
