"""The data directory: who owns it, and where its owner answers."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, PlatformError
from picsellia_jupyter.localplatform.durable import write_private
from picsellia_jupyter.recording.claims import Claim, claim

_UNTIL_ANNOUNCED_S = 10.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a local platform answers, as `platform.json` says; it holds the API token."""

    host: str
    token: str
    organization: str
    organization_id: str
    version: str
    pid: int | None
    """None after a clean stop."""
    started_at: float | None
    """When that process began, seconds since the epoch: tells it from a later namesake."""

    def __repr__(self) -> str:
        return f"Address(host={self.host!r}, pid={self.pid})"

    def line(self) -> str:
        """The one line of JSON that whoever starts a platform reads."""
        return json.dumps(
            {"host": self.host, "token": self.token, "organization": self.organization}
        )

    @property
    def port(self) -> int:
        """The port of `host`."""
        return int(self.host.rsplit(":", 1)[1])


def read_address(home: Path) -> Address | None:
    """The address last written, by a running platform or an earlier one.

    Raises:
        InvalidInputError: the file is there and makes no sense.
    """
    path = home / "platform.json"
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error}).", "Delete it; the next start makes a new token."
        ) from error
    known: dict[str, Any] = {f.name: raw.get(f.name) for f in dataclasses.fields(Address)}
    return Address(**known)


def write_address(home: Path, address: Address) -> None:
    """Write `platform.json` at once and for the user's eyes only."""
    write_private(home / "platform.json", json.dumps(dataclasses.asdict(address)))


@contextmanager
def usable(home: Path) -> Iterator[None]:
    """Say in words what the system refuses in a data directory.

    Raises:
        PlatformError: a file or folder of it cannot be made, read or written.
    """
    try:
        yield
    except OSError as error:
        raise PlatformError(
            f"The data directory {str(home)!r} cannot be used: {error.strerror or error}.",
            "Make it yours to write, or name another one with --home or PICSELLIA_JUPYTER_HOME.",
        ) from error


def sign_off(home: Path, address: Address) -> None:
    """Say that nobody answers any more; the token and the port stay for the next run."""
    write_address(home, dataclasses.replace(address, pid=None, started_at=None))


def chosen_database(home: Path, given: str | None) -> str:
    """The SQLAlchemy URL of a data directory's database: the one it has, or the given one.

    Raises:
        InvalidInputError: `given` is no PostgreSQL URL, or the directory has another database.
    """
    kept, own = home / "database", home / "platform.sqlite3"
    known = kept.read_text().strip() if kept.exists() else None
    if given is None:
        return known or sqlite_url(own)
    url = _postgresql_url(given)
    if known == url:
        return url
    if known is not None or own.exists():
        raise InvalidInputError(
            f"The data directory {home} has a database already: {_shown(known or str(own))}.",
            "Name another directory with --home; `platform backup` and `restore` move data.",
        )
    return url


def sqlite_url(path: Path) -> str:
    """The SQLAlchemy URL of a database file, whatever signs are in its path."""
    return f"sqlite:///{quote(str(path))}"


def keep_choice(home: Path, url: str) -> None:
    """Remember a database that could be opened; whoever starts next need not know it."""
    kept = home / "database"
    if not url.startswith("sqlite") and not kept.exists():
        write_private(kept, url)


def _postgresql_url(given: str) -> str:
    scheme, _, rest = given.partition("://")
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg") or not rest:
        raise InvalidInputError(
            f"{_shown(given)!r} is no PostgreSQL address.",
            "Write postgresql://USER@HOST/NAME, or leave --database out for SQLite.",
        )
    return f"postgresql+psycopg://{rest}"


def _shown(url: str) -> str:
    """An address without the password that may be in it."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


def own(home: Path) -> Claim | None:
    """The right to own a data directory, which is made; None where somebody has it.

    The system takes it back when the process ends.

    Raises:
        OSError: the directory or its lock cannot be made.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return claim(home / "platform")


def owner_address(home: Path) -> Address:
    """Where the present owner answers, once it says so.

    Raises:
        ConflictError: it has the lock, but never said where it answers.
    """
    deadline = time.monotonic() + _UNTIL_ANNOUNCED_S
    while time.monotonic() < deadline:
        address = read_address(home)
        if address is not None and address.pid is not None and _is_running(address.pid):
            return address
        time.sleep(0.05)
    raise ConflictError(
        f"Another process holds {home / 'platform.lock'} but does not say where it answers.",
        "Wait a moment; if it stays so, find and end that process.",
    )


def process_start() -> float:
    """When this process began, seconds since the epoch, as psutil tells of any process."""
    import psutil

    return float(psutil.Process().create_time())


def _is_running(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))
