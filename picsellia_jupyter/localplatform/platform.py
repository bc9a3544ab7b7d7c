"""What every route works with: the database, the blobs, the clock and the keys."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import AuthenticationError
from picsellia_jupyter.domain.ports import Clock
from picsellia_jupyter.localplatform.auth import ApiCaller, DeploymentCaller, Keyring
from picsellia_jupyter.localplatform.blobs import Blobs
from picsellia_jupyter.localplatform.connectors import Place, opened
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.store import Store, the
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.organization import Connector, Organization


@dataclass(slots=True)
class Platform:
    """One running local platform; its parts are shared by all requests."""

    store: Store
    keyring: Keyring
    clock: Clock
    """Seconds since the epoch, UTC."""
    home: Path
    version: str
    started_at: float
    pid: int
    chance: Callable[[], float] = random.random
    """A number in [0, 1): decides which predictions a sample rate keeps."""
    storage_form: str = "azure"
    """How the SDK is told to upload: `azure` (one PUT), `google` (ranges) or `minio` (parts)."""
    last_request_at: float = 0.0
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    """Nanoseconds, on a clock that nobody can set: what is metered is measured with it."""
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    """This run of the platform: readings of `monotonic_ns` by another one say nothing here."""
    began_ns: int = field(init=False)
    _blobs: dict[str, Blobs] = field(default_factory=dict, init=False, repr=False)
    _opening: Lock = field(default_factory=Lock, init=False, repr=False)
    _turns: tuple[Lock, ...] = field(
        default_factory=lambda: tuple(Lock() for _ in range(64)), init=False, repr=False
    )

    def __post_init__(self) -> None:
        self.began_ns = self.monotonic_ns()

    def blobs(self, connector: Connector | Place) -> Blobs:
        """The files of a storage connector."""
        with self._opening:
            if connector.id not in self._blobs:
                self._blobs[connector.id] = opened(connector, self.home)
            return self._blobs[connector.id]

    def in_turn(self, name: str) -> Lock:
        """A lock for what must not be done twice at once under one name."""
        return self._turns[hash(name) % len(self._turns)]


def organization_of(session: Session, ident: str | None = None) -> Organization:
    """The organization; the SDK calls it `None` while it has not loaded it.

    Raises:
        UnknownIdError: `ident` is that of another one.
    """
    found = session.scalars(select(Organization)).one()
    if ident not in (None, "None", found.id):
        raise UnknownIdError("organization", ident)
    return found


def connector_of(session: Session, ident: object) -> Connector:
    """A storage connector by its id; the default one for the SDK's literal `None`."""
    if str(ident) == "None":
        ident = organization_of(session).default_connector_id
    return the(session, Connector, ident, kind="storage connector")


def default_datalake(session: Session) -> Datalake:
    """The datalake that is meant where none is named."""
    return session.scalars(select(Datalake).where(Datalake.is_default)).one()


async def _platform(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


async def _api_caller(request: Request) -> ApiCaller:
    caller = request.state.caller
    if not isinstance(caller, ApiCaller):
        raise AuthenticationError(
            "A deployment's token opens its monitoring service only.", "Send the API token."
        )
    return caller


async def _deployment_caller(request: Request) -> DeploymentCaller:
    caller = request.state.caller
    if not isinstance(caller, DeploymentCaller):
        raise AuthenticationError(
            "The monitoring service takes a deployment's own token.",
            "Log in first: POST /api/auth/login.",
        )
    return caller


async def _origin(request: Request) -> str:
    # The caller's own way to us: behind a forwarded port any other address would be wrong.
    return f"{request.url.scheme}://{request.headers['host']}"


Here = Annotated[Platform, Depends(_platform)]
Origin = Annotated[str, Depends(_origin)]
"""Scheme and host of the request; every address handed out begins with it."""
User = Annotated[ApiCaller, Depends(_api_caller)]
Monitoring = Annotated[DeploymentCaller, Depends(_deployment_caller)]
NeedsUser = Depends(_api_caller)
