"""What the custom metadata of a datalake's data may be, and what is not computed here."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.projections import MetadataSchema
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
INPUT_TYPES = ("STRING", "INTEGER", "FLOAT", "DATETIME", "BOOLEAN")


@router.get("/api/datalake/{datalake_id}/custom-metadata")
def get_schema(here: Here, datalake_id: UUID) -> Json:
    """The keys that are known, and whether others are allowed."""
    with here.store.reading() as session:
        lake = the(session, Datalake, datalake_id, kind="datalake")
        return _spelled(_existing(session, lake.id))


@router.patch("/api/datalake/{datalake_id}/custom-metadata")
def allow_extra(
    here: Here, datalake_id: UUID, allow_extra_custom_metadata: Annotated[bool, Body(embed=True)]
) -> Json:
    """Say whether keys that are not known are allowed."""
    with here.store.writing() as session:
        row = _made(session, datalake_id, now=here.clock())
        row.allow_extra = allow_extra_custom_metadata
        return _spelled(row)


@router.post("/api/datalake/{datalake_id}/custom-metadata/keys/{key:path}")
def upsert_key(here: Here, datalake_id: UUID, key: str, body: Annotated[Json, Body()]) -> Json:
    """Say what the values of one key may be."""
    if body.get("input_type") not in INPUT_TYPES:
        raise InvalidInputError(
            f"The key {key!r} is of no known type: {body.get('input_type')!r}.",
            f"Known: {', '.join(INPUT_TYPES)}.",
        )
    with here.store.writing() as session:
        row = _made(session, datalake_id, now=here.clock())
        row.keys = {**row.keys, key: body}
        return _spelled(row)


@router.delete("/api/datalake/{datalake_id}/custom-metadata/keys/{key:path}", status_code=204)
def delete_key(here: Here, datalake_id: UUID, key: str) -> None:
    """Forget what the values of one key may be."""
    with here.store.writing() as session:
        row = _made(session, datalake_id, now=here.clock())
        if key not in row.keys:
            raise NotFoundError.named("metadata key", key, list(row.keys))
        row.keys = {known: rules for known, rules in row.keys.items() if known != key}


# Not computed here ---------------------------------------------------------------------------


@router.get("/api/datalake/{datalake_id}/charts/")
def list_charts(here: Here, datalake_id: UUID) -> Json:
    """Charts of a datalake; there are none here."""
    with here.store.reading() as session:
        the(session, Datalake, datalake_id, kind="datalake")
    return {"items": [], "count": 0, "next_cursor": None}


@router.post("/api/datalake/{datalake_id}/charts/")
def create_chart(datalake_id: UUID) -> Json:
    """Refuse: the local platform draws no charts of datalakes."""
    del datalake_id
    raise InvalidInputError(
        "The local platform draws no charts of datalakes.", "List the data and count them."
    )


@router.post("/api/datalake/{datalake_id}/processing/launch")
@router.post("/api/dataset/version/{datalake_id}/processing/launch")
@router.post("/api/model/version/{datalake_id}/processing/launch")
@router.post("/api/experiment/{datalake_id}/launch")
def launch(datalake_id: UUID) -> Json:
    """Refuse: the local platform runs no containers."""
    del datalake_id
    raise InvalidInputError(
        "The local platform runs no processings: it has no machines to run containers on.",
        "Run the work in a notebook.",
    )


@router.get("/api/datalake/{datalake_id}/datas/ids/visual-search")
@router.get("/api/visual-search/datalake/{datalake_id}/points/scroll")
def search_by_look(datalake_id: UUID) -> Json:
    """Refuse: the local platform computes no embeddings."""
    del datalake_id
    raise InvalidInputError(
        "The local platform computes no embeddings, so it cannot search by look.",
        "Search by tag, name or metadata: datalake.list_data(q=…).",
    )


@router.get("/api/visual-search/datalake/{datalake_id}/status")
def embeddings_status(here: Here, datalake_id: UUID) -> Json:
    """How far embeddings are computed: not at all."""
    with here.store.reading() as session:
        the(session, Datalake, datalake_id, kind="datalake")
    return {"activated": False, "embeddings": 0}


@router.get("/api/visual-search/datalake/{datalake_id}/points/count")
def count_embeddings(here: Here, datalake_id: UUID) -> Json:
    """How many embeddings there are: none."""
    with here.store.reading() as session:
        the(session, Datalake, datalake_id, kind="datalake")
    return {"count": 0}


def _existing(session: Session, datalake_id: str) -> MetadataSchema | None:
    return session.scalars(select(MetadataSchema).filter_by(datalake_id=datalake_id)).first()


def _made(session: Session, datalake_id: UUID, *, now: float) -> MetadataSchema:
    lake = the(session, Datalake, datalake_id, kind="datalake")
    row = _existing(session, lake.id)
    if row is None:
        row = MetadataSchema(datalake_id=lake.id, keys={}, created_at=now)
        session.add(row)
        session.flush()
    return row


def _spelled(row: MetadataSchema | None) -> Json:
    keys: dict[str, Any] = row.keys if row else {}
    return {
        "custom_metadata_schema": keys,
        "allow_extra_custom_metadata": row.allow_extra if row else True,
    }
