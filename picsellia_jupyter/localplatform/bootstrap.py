"""The first start of a data directory: an organization, a user, a datalake, the keys."""

from __future__ import annotations

import os
import secrets
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlalchemy import select

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.ports import Clock
from picsellia_jupyter.localplatform.auth import Keyring, new_token, token_hash
from picsellia_jupyter.localplatform.durable import write_private
from picsellia_jupyter.localplatform.home import Address, chosen_database, keep_choice
from picsellia_jupyter.localplatform.platform import Platform, organization_of
from picsellia_jupyter.localplatform.store import Store
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.organization import Connector, Organization, User

USERNAME = "local"
_SECRET_BYTES = 32


def open_platform(
    home: Path,
    *,
    token: str | None,
    clock: Clock,
    started_at: float,
    database: str | None = None,
) -> tuple[Platform, str]:
    """Open a data directory, furnishing it where it is new.

    Args:
        home: the data directory.
        token: the API token of the last run, where it is still known.
        clock: seconds since the epoch, UTC.
        started_at: when this process began, by that clock.
        database: SQLAlchemy URL of its database; None means the one it had, at first SQLite.

    Returns:
        The platform and the API token of its user: the given one while it is still valid.

    Raises:
        InvalidInputError: the directory has another database already, or that one is newer
            than this program, or does not answer.
        PlatformError: its database or its secret cannot be used.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = _secret(home)
    url = chosen_database(home, database)
    store = Store(url)
    keep_choice(home, url)
    valid = _furnish(store, token, now=clock())
    platform = Platform(
        store=store,
        keyring=Keyring(secret, _token_hashes(store)),
        clock=clock,
        home=home,
        version=_version(),
        started_at=started_at,
        pid=os.getpid(),
    )
    _forget_leftovers(platform)
    return platform, valid


def _forget_leftovers(platform: Platform) -> None:
    """Open the folders of the data directory, which sweeps uploads that a kill cut short."""
    with platform.store.reading() as session:
        for connector in session.scalars(select(Connector)):
            if "://" not in connector.root:
                platform.blobs(connector)


def address_of(platform: Platform, token: str, *, port: int) -> Address:
    """Where a platform answers, once it listens on this port."""
    with platform.store.reading() as session:
        organization = organization_of(session)
    return Address(
        host=f"http://127.0.0.1:{port}",
        token=token,
        organization=organization.name,
        organization_id=organization.id,
        version=platform.version,
        pid=platform.pid,
        started_at=platform.started_at,
    )


def _version() -> str:
    try:
        return version("picsellia_jupyter")
    except PackageNotFoundError:
        return "not installed"


def _furnish(store: Store, token: str | None, *, now: float) -> str:
    with store.writing() as session:
        user = session.scalars(select(User)).first()
        if user is None:
            connector = Connector(name="local folder", root="storage/default", created_at=now)
            session.add(connector)
            session.flush()
            session.add_all(
                [
                    Organization(name="local", default_connector_id=connector.id, created_at=now),
                    Datalake(
                        name="default", connector_id=connector.id, is_default=True, created_at=now
                    ),
                ]
            )
            token = token or new_token()
            user = User(username=USERNAME, token_hash=token_hash(token), created_at=now)
            session.add(user)
        elif token is None or token_hash(token) != user.token_hash:
            token = new_token()
            user.token_hash = token_hash(token)
    return token


def _token_hashes(store: Store) -> dict[str, str]:
    with store.reading() as session:
        return {user.token_hash: user.id for user in session.scalars(select(User))}


def _secret(home: Path) -> bytes:
    path = home / "secret"
    if not path.exists():
        write_private(path, secrets.token_hex(_SECRET_BYTES))
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        secret = b""
    if len(secret) != _SECRET_BYTES:
        raise PlatformError(
            f"{path} is not {_SECRET_BYTES} bytes in hex; nothing can be signed with it.",
            "Delete it: the next start makes a new one, and deployments log in again. "
            "Or name another data directory with --home.",
        )
    return secret
