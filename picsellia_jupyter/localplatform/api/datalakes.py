"""Datalakes: read by the SDK, made through our own route."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field, JsonValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.connectors import (
    checked_url,
    forget_options,
    keep_options,
    opened_at,
    try_out,
)
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Name
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    Platform,
    default_datalake,
    organization_of,
)
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import spell_datalake
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewDatalake(BaseModel):
    """A datalake to be made, on the default storage connector unless it gets its own."""

    name: Name
    url: str | None = Field(default=None, max_length=1000)
    """Where its files lie: `s3://bucket/folder`, `gs://…`, `az://…` or `file:///folder`."""
    options: dict[str, JsonValue] = Field(default={}, repr=False)
    """For fsspec's file system there; `{"secret": {"env": "NAME"}}` reads the environment."""


class DatalakeReply(BaseModel):
    """A datalake; its connector's options are never told."""

    id: str
    name: str
    connector_id: str
    is_default: bool
    url: str | None = None


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


@router.post("/api/local/datalakes", status_code=201, responses=REFUSALS, tags=["datalakes"])
def create_datalake(here: Here, body: NewDatalake) -> DatalakeReply:
    """Make a datalake; the SDK has no call for it. A bucket is tried out first."""
    if body.url is None and body.options:
        raise InvalidInputError("Options are for a datalake with a URL.", "Give its `url` too.")
    with here.store.reading() as session:
        _refuse_taken(session, body.name)
        default = organization_of(session).default_connector_id
    if body.url is None:
        row = _inserted(here, body.name, default, None)
    else:
        row = _connected(here, body.name, checked_url(body.url), body.options)
    return DatalakeReply(**spell_datalake(row), url=body.url)


def _connected(here: Platform, name: str, url: str, options: dict[str, JsonValue]) -> Datalake:
    try_out(opened_at(url, options), url)
    made = Connector(name=f"{name} at {url}", root=url, created_at=here.clock())
    # The options first: a connector without them could not be opened.
    keep_options(here.home, made.id, options)
    try:
        return _inserted(here, name, made.id, made)
    except BaseException:
        forget_options(here.home, made.id)
        raise


def _inserted(here: Platform, name: str, connector_id: str, made: Connector | None) -> Datalake:
    with here.store.writing() as session:
        _refuse_taken(session, name)
        if made is not None:
            session.add(made)
            session.flush()
        lake = Datalake(name=name, connector_id=connector_id, created_at=here.clock())
        session.add(lake)
        return lake


def _refuse_taken(session: Session, name: str) -> None:
    if session.scalars(select(Datalake).where(Datalake.name == name)).first():
        raise ConflictError(
            f"A datalake is called {name!r} already.", "Use it, or choose another name."
        )
