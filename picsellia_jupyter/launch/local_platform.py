"""Finds the local platform of a data directory, or starts it; all notebooks share one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from picsellia_jupyter.domain.errors import MissingExtraError, PlatformError
from picsellia_jupyter.domain.secret_text import hide

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
IDLE_EXIT_S = 12 * 3600
"""One started on demand ends by itself after this long without a request."""
LOG_NAME = "platform.log"
LOG_LIMIT = 1_000_000
"""Bytes; a longer log is begun anew."""


@dataclass(frozen=True, slots=True)
class RunningPlatform:
    """A local platform that answers."""

    host: str
    token: str = field(repr=False)
    organization: str
    pid: int

    def __post_init__(self) -> None:
        hide(self, "token")


def find(home: Path) -> RunningPlatform | None:
    """The running platform of a data directory, or None."""
    try:
        said = json.loads((home / "platform.json").read_text(encoding="utf-8"))
        found = RunningPlatform(
            str(said["host"]), str(said["token"]), str(said["organization"]), int(said["pid"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _is_ours(found.pid) and _answers(found) else None


def find_or_start(home: Path) -> RunningPlatform:
    """The platform of a data directory; it is started if none runs.

    Raises:
        MissingExtraError: the package is installed without its platform.
        PlatformError: it could not be started; its last log lines say why.
    """
    return find(home) or start(home)


def start(home: Path, *, port: int = 0, database: str | None = None) -> RunningPlatform:
    """Start the platform of a data directory in the background, or attach to the one there.

    Args:
        home: the data directory.
        port: 0 takes the last one again, or any free one.
        database: `postgresql://…` for a new directory; None means the one it has, or SQLite.

    Raises:
        MissingExtraError: the package is installed without its platform.
        PlatformError: it could not be started; its last log lines say why.
    """
    _check_installed()
    _make_home(home)
    log = home / LOG_NAME
    sink = _open_log(log)
    command = [sys.executable, "-m", "picsellia_jupyter.localplatform", "--home", str(home)]
    command += ["--port", str(port), "--idle-exit", str(IDLE_EXIT_S)]
    command += ["--database", database] if database else []
    with sink:
        # A session of its own: interrupting a cell must not stop what other notebooks share.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        # Another notebook may have started one meanwhile; then ours ends and that one answers.
        ended = process.poll() is not None
        found = find(home)
        if found is not None:
            return found
        if ended:
            break
        time.sleep(0.05)
    process.terminate()
    raise _not_started(home, port, log)


def stop(home: Path) -> bool:
    """Stop the platform of a data directory; False if none runs.

    Raises:
        PlatformError: it is still there after ten seconds.
    """
    found = find(home)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    # Until it has let go of the directory, too: one that is started at once would attach to it.
    while _answers(found) or _is_ours(found.pid, unseen=False):
        if time.monotonic() > deadline:
            raise PlatformError(
                f"The local platform (process {found.pid}) did not stop in {STOP_TIMEOUT_S:g} s.",
                f"End it by hand: kill {found.pid}",
            )
        time.sleep(0.05)
    return True


def _answers(platform: RunningPlatform) -> bool:
    """Whether the platform named in the file is the one that answers there now.

    Its process may be gone and its port another program's, or that of a platform which is
    just starting and has not written the file yet.
    """
    try:
        reply = httpx.get(
            f"{platform.host}/api/home/ping",
            headers={"Authorization": f"Bearer {platform.token}"},
            timeout=5.0,
            trust_env=False,
        )
    except httpx.TransportError:
        return False
    try:
        return reply.is_success and reply.json().get("pid") == platform.pid
    except (ValueError, AttributeError):
        return False


def _is_ours(pid: int, *, unseen: bool = True) -> bool:
    """Whether that process may be a local platform; the token is not sent to a stranger.

    Args:
        pid: of a process on this machine.
        unseen: the answer where the system does not show what a process is.
    """
    try:
        os.kill(pid, 0)
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except ProcessLookupError:
        return False
    except OSError:
        # No /proc on this system, or not ours to look at: what answers will tell.
        return unseen
    return b"picsellia_jupyter.localplatform" in line


def _check_installed() -> None:
    from importlib.util import find_spec

    for module in ("fastapi", "uvicorn", "sqlalchemy", "alembic", "fsspec", "jwt", "multipart"):
        if find_spec(module) is None:
            raise MissingExtraError("The local platform", module, "platform")


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise PlatformError(
            f"The data directory {str(home)!r} cannot be made: {error.strerror}.",
            "Name another one with --home or PICSELLIA_JUPYTER_HOME.",
        ) from error


def _open_log(log: Path) -> BinaryIO:
    """The platform's log, for its user alone; appended to, since another may be writing it."""
    try:
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.unlink()
        return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    except OSError as error:
        raise PlatformError(
            f"The data directory {str(log.parent)!r} cannot be written: {error.strerror}.",
            "Name another one with --home or PICSELLIA_JUPYTER_HOME.",
        ) from error


def _not_started(home: Path, port: int, log: Path) -> PlatformError:
    lines = deque(log.read_text(encoding="utf-8", errors="replace").splitlines(), maxlen=15)
    said = "\n".join(f"  {line}" for line in lines)
    if port and "in use" in said:
        return PlatformError(
            f"Port {port} is taken by another program.",
            "Choose another one, or --port 0 for any free one.",
        )
    return PlatformError(
        f"The local platform did not start in {home}.",
        f"The last lines of {log}:\n{said}" if said else f"Its log is {log}.",
    )
