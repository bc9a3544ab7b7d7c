"""Datalakes: read by the SDK, made through our own route."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import select

from picsellia_jupyter.domain.errors import ConflictError, NotFoundError
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Name
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    default_datalake,
    organization_of,
)
from picsellia_jupyter.localplatform.spelling import spell_datalake
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.wire.predictions import Json

router = APIRouter(dependencies=[NeedsUser])


class NewDatalake(BaseModel):
    """A datalake to be made on the default storage connector."""

    name: Name


@router.get("/api/organization/{organization_id}/datalake")
def find_datalake(
    here: Here,
    organization_id: str,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    name: str | None = None,
) -> Json:
    """A datalake by its id or name; the default one where neither is given."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        if id is not None:
            return spell_datalake(the(session, Datalake, id, kind="datalake"))
        if name is None:
            return spell_datalake(default_datalake(session))
        found = session.scalars(select(Datalake).where(Datalake.name == name)).first()
        if found is None:
            raise NotFoundError.named(
                "datalake", name, session.scalars(select(Datalake.name)).all()
            )
        return spell_datalake(found)


@router.get("/api/organization/{organization_id}/datalakes")
def list_datalakes(here: Here, organization_id: str, asked: Asked) -> Json:
    """All datalakes, the default one first."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        found = page(session, select(Datalake), Datalake, asked)
        rows = sorted(found.rows, key=lambda row: not row.is_default)
        return found.reply([spell_datalake(row) for row in rows])


@router.get("/api/datalake/{datalake_id}")
def get_datalake(here: Here, datalake_id: UUID) -> Json:
    """A datalake by its id."""
    with here.store.reading() as session:
        return spell_datalake(the(session, Datalake, datalake_id, kind="datalake"))


@router.post("/api/local/datalakes", status_code=201)
def create_datalake(here: Here, body: NewDatalake) -> Json:
    """Make a datalake; the SDK has no call for it."""
    with here.store.writing() as session:
        if session.scalars(select(Datalake).where(Datalake.name == body.name)).first():
            raise ConflictError(
                f"A datalake is called {body.name!r} already.", "Use it, or choose another name."
            )
        connector_id = organization_of(session).default_connector_id
        lake = Datalake(name=body.name, connector_id=connector_id, created_at=here.clock())
        session.add(lake)
        return spell_datalake(lake)
