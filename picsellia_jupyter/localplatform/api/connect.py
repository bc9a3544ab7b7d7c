"""Connecting: the ping, the organization and its users."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, organization_of
from picsellia_jupyter.localplatform.platform import User as Caller
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.organization import Organization, User
from picsellia_jupyter.wire.predictions import Json

SDK_VERSION = "6.37.0"
"""The version whose API is spoken; the SDK only compares it with its own."""
CAPABILITIES = (
    "aggregates",
    "alerts",
    "all_versions",
    "create_datalake",
    "dashboard",
    "drift",
    "heartbeat",
    "idempotent_monitoring",
    "model_context",
    "news",
    "prediction_log",
    "promote_shadow",
    "status",
    "submit_reviews",
    "usage",
)
"""What this platform can do beyond the SDK's own API."""

router = Router(dependencies=[NeedsUser])


@router.get("/api/home/ping")
def ping(here: Here, caller: Caller) -> Json:
    """Who calls, and what answers."""
    with here.store.reading() as session:
        return {
            "username": the(session, User, caller.user_id, kind="user").username,
            "sdk_version": SDK_VERSION,
            "default_organization": organization_of(session).id,
            "platform": "local",
            "pid": here.pid,
            "version": here.version,
            "capabilities": list(CAPABILITIES),
        }


@router.get("/api/organizations/find")
def find_organization(here: Here, name: str) -> Json:
    """The organization by its name."""
    with here.store.reading() as session:
        found = organization_of(session)
        if found.name != name:
            raise NotFoundError.named("organization", name, [found.name])
        return _spelled(found)


@router.get("/api/organization/{organization_id}")
def get_organization(here: Here, organization_id: UUID) -> Json:
    """The organization by its id."""
    with here.store.reading() as session:
        return _spelled(organization_of(session, str(organization_id)))


@router.get("/api/access/organization/{organization_id}/users")
def list_users(here: Here, organization_id: str, username: str | None = None) -> Json:
    """Users of the organization."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        return {"users": users_json(session, username)}


def users_json(session: Session, username: str | None = None) -> list[Json]:
    """Users; all of them have access to everything."""
    query = select(User).order_by(User.username)
    if username:
        query = query.where(User.username == username)
    return [
        {"id": user.id, "user_id": user.id, "username": user.username}
        for user in session.scalars(query)
    ]


def _spelled(row: Organization) -> Json:
    return {"id": row.id, "name": row.name, "default_connector_id": row.default_connector_id}
