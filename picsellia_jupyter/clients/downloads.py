"""Large files from a storage: resumed where they broke off, and there whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    PlatformError,
    PlatformUnreachableError,
)
from picsellia_jupyter.recording.claims import is_at, locked

TRIES = 5
"""In a row that bring no byte; one that brings some starts the count anew."""
_PAUSE_S = 0.5
_TIMEOUT_S = 30.0
_PASSING = frozenset({403, 408, 425, 429, 500, 502, 503, 504})
"""Statuses that a fresh address or some patience may mend; 403 is an address that is too old."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

Listen = Callable[[int, "int | None"], None]
"""Told how many bytes are there, and of how many where that is known."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object in a storage. What lies under one name there never changes."""

    name: str
    """Of the object, unique in the storage."""
    url: str = field(repr=False)
    """Signed, good for some minutes."""
    sha256: str | None = None
    """In hex; None where the storage does not say it."""
    proxy: str | None = field(default=None, repr=False)
    """What alone leads there."""


def ignore(_have: int, _total: int | None) -> None:
    """Listen to nothing."""


class _BrokenOffError(Exception):
    """The rest is to be asked for once more."""


def fetch(
    locate: Callable[[], Stored],
    target: Path,
    *,
    listen: Listen = ignore,
    pause_s: float = _PAUSE_S,
) -> Path:
    """Have an object as a file.

    What has arrived when this fails or is interrupted stays in a hidden file beside the
    target, and the next call goes on from there where the storage answers to ranges.

    Args:
        locate: says where the object is now; asked before every try.
        target: path of the file; an older one is replaced.
        listen: told how far it is.
        pause_s: before the second try in a row that brought nothing; doubled each time.

    Raises:
        PlatformUnreachableError: the storage does not answer, or breaks off again and again.
        PlatformError: it refuses, or what it gave is not what was stored.
        InvalidInputError: the file cannot be written.
    """
    stored = locate()
    if stored.sha256 and target.is_file() and _sha256(target) == stored.sha256:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _part_of(target, stored.name) as (path, part):
            _receive_all(locate, part, listen, pause_s)
            _check(part, path, stored)
            os.fsync(part.fileno())
        _put(path, target)
    except OSError as error:
        raise InvalidInputError(
            f"{target} cannot be written: {error.strerror or error}.",
            "Check the folder, its permissions and the room that is left on the disk.",
        ) from error
    return target


def _receive_all(
    locate: Callable[[], Stored], part: BinaryIO, listen: Listen, pause_s: float
) -> None:
    failed = 0
    while True:
        before = part.seek(0, os.SEEK_END)
        try:
            _receive(locate(), part, listen)
        except (httpx.TransportError, _BrokenOffError) as error:
            arrived = part.seek(0, os.SEEK_END)
            failed = 0 if arrived > before else failed + 1
            if failed == TRIES:
                raise PlatformUnreachableError(
                    f"The storage broke off after {arrived:,} bytes ({error or 'no answer'}).",
                    "Run it again: it goes on from there.",
                ) from error
            time.sleep(pause_s * 2**failed if failed else 0)
        else:
            return


def _receive(stored: Stored, part: BinaryIO, listen: Listen) -> None:
    """Ask for what is missing, and append it.

    Raises:
        _BrokenOffError: not everything came, or what is there does not fit.
    """
    have = part.seek(0, os.SEEK_END)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    remote = httpx.URL(stored.url).host not in _LOOPBACK
    with (
        httpx.Client(
            trust_env=remote, timeout=_TIMEOUT_S, proxy=stored.proxy, follow_redirects=True
        ) as http,
        http.stream("GET", stored.url, headers=headers) as reply,
    ):
        start, total = _range_of(reply)
        if reply.status_code == 416 and total == have:
            return
        if start != have:
            # It begins somewhere else, or at the beginning: so do we.
            part.truncate(start or 0)
            part.seek(start or 0)
        if start is None or start > have:
            raise _BrokenOffError(f"HTTP {reply.status_code}")
        for chunk in reply.iter_bytes():
            part.write(chunk)
            listen(part.tell(), total)
        if total is not None and part.tell() != total:
            raise _BrokenOffError(f"{part.tell():,} of {total:,} bytes came")


def _range_of(reply: httpx.Response) -> tuple[int | None, int | None]:
    """Where a reply begins, None where it has nothing of the object; and the object's size.

    Raises:
        _BrokenOffError: it may go well once more.
        PlatformError: the storage refuses for good.
    """
    if reply.status_code == 200:
        length = reply.headers.get("content-length")
        return 0, int(length) if length else None
    if reply.status_code in (206, 416):
        found = _RANGE.fullmatch(reply.headers.get("content-range", ""))
        start, total = found.groups() if found else (None, None)
        return (int(start) if start else None), (int(total) if total and total != "*" else None)
    if reply.status_code in _PASSING:
        raise _BrokenOffError(f"HTTP {reply.status_code}")
    raise PlatformError(
        f"The storage does not give the file out (HTTP {reply.status_code}).",
        "Check on the platform that it is there, and that you may read it.",
    )


def _check(part: BinaryIO, path: Path, stored: Stored) -> None:
    """Compare what came with what was stored.

    Raises:
        PlatformError: it is something else; the part is forgotten.
    """
    part.flush()
    if stored.sha256 in (None, _sha256(path)):
        return
    part.truncate(0)
    raise PlatformError(
        f"What came is not what was stored as {stored.name} (SHA-256).", "Run it again."
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


# The part that has arrived ----------------------------------------------------------------------


@contextlib.contextmanager
def _part_of(target: Path, name: str) -> Iterator[tuple[Path, BinaryIO]]:
    """The file beside the target that holds what has arrived, for us alone.

    Where another process fills it now, it is one of our own that nobody goes on with.
    """
    key = hashlib.sha256(name.encode()).hexdigest()[:12]
    path = target.with_name(f".{target.name}.{key}.part")
    with path.open("ab+") as part:
        if locked(part.fileno()) and is_at(path, part.fileno()):
            yield path, part
            return
    own = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with own.open("wb+") as part:
            yield own, part
    except BaseException:
        own.unlink(missing_ok=True)
        raise


def _put(path: Path, target: Path) -> None:
    """Rename the part; the folder's entry is as durable as the file."""
    try:
        path.replace(target)
    except FileNotFoundError:
        # Who had it before us has just renamed it.
        if not target.is_file():
            raise
    if os.name != "nt":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
