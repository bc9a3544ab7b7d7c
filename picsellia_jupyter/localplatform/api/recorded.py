"""Predicted assets by what was found in them; the SDK filters by their images alone."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from picsellia_jupyter.domain.recorded import Wanted
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.searching import search
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["predictions"])
Score = Annotated[float | None, Query(ge=0, le=1)]
Word = Annotated[str, Query(max_length=500)]
Time = Annotated[float | None, Query(allow_inf_nan=False)]


class FoundAsset(BaseModel):
    """One predicted asset."""

    id: UUID
    at: float
    """When it was predicted, seconds since the epoch, UTC."""


class FoundAssets(BaseModel):
    """Part of the predicted assets that were asked for, newest first."""

    items: list[FoundAsset]
    next_cursor: str | None


def _wanted(
    label: Word = "",
    over: Score = None,
    up_to: Score = None,
    since: Time = None,
    until: Time = None,
    tag: Word = "",
    source: Word = "",
    text: Word = "",
) -> Wanted:
    return Wanted(label, over, up_to, since, until, tag, source, text)


@router.get("/api/local/deployments/{deployment_id}/predictedassets")
def search_assets(
    here: Here,
    deployment_id: UUID,
    wanted: Annotated[Wanted, Depends(_wanted)],
    limit: Annotated[int, Query(ge=1, le=500)] = 24,
    cursor: str | None = None,
) -> FoundAssets:
    """Predicted assets in which something certain was found, newest first."""
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        found, continues = search(session, deployment, wanted, limit=limit, after=cursor)
    items = [FoundAsset(id=UUID(ident), at=at) for ident, at in found]
    return FoundAssets(items=items, next_cursor=continues)
