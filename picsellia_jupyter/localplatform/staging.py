"""Uploads that come in pieces: kept apart until they are whole."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.blobs import BlobStream

STALE_AFTER_S = 24 * 3600.0
"""An upload that nobody added to for so long is given up."""
_CHUNK = 2**20
_RANGE = "bytes "


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Which bytes of how many a piece holds; `last` is inside."""

    first: int
    last: int
    total: int

    @classmethod
    def parse(cls, header: str) -> ByteRange:
        """Read a `Content-Range` header, as `bytes 0-99/1000`.

        Raises:
            InvalidInputError: it is none, or makes no sense.
        """
        span, _, total = header.removeprefix(_RANGE).partition("/")
        first, _, last = span.partition("-")
        given = (first, last, total)
        if not header.startswith(_RANGE) or not all(text.isdigit() for text in given):
            raise InvalidInputError(
                f"The Content-Range {header!r} cannot be read.", "Send it like: bytes 0-99/1000."
            )
        found = cls(int(first), int(last), int(total))
        if not found.first <= found.last < found.total:
            raise InvalidInputError(
                f"The Content-Range {header!r} makes no sense.", "Send it like: bytes 0-99/1000."
            )
        return found


class Staging:
    """A folder with one subfolder for each unfinished upload."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def begin(self, target: str, *, now: float) -> str:
        """Begin an upload.

        Args:
            target: connector and object it is for; only that can be made of it.
            now: seconds since the epoch.

        Returns:
            Its id.
        """
        self._give_up_old(now)
        upload_id = str(uuid.uuid4())
        folder = self._folder(UUID(upload_id))
        folder.mkdir(parents=True, mode=0o700)
        (folder / "target").write_text(target)
        return upload_id

    def is_open(self, upload_id: UUID, target: str) -> bool:
        """Whether this upload is under way.

        Raises:
            InvalidInputError: it is for another object.
        """
        try:
            known = (self._folder(upload_id) / "target").read_text()
        except FileNotFoundError:
            return False
        if known != target:
            raise InvalidInputError(
                f"The upload {upload_id} is for another object.", "Begin one for this object."
            )
        return True

    def part(self, upload_id: UUID, number: int) -> Path:
        """Where a numbered part lies."""
        return self._folder(upload_id) / f"{number:05d}"

    def whole(self, upload_id: UUID) -> Path:
        """Where the bytes lie that came in order."""
        return self._folder(upload_id) / "whole"

    def finish(
        self, upload_id: UUID, parts: Sequence[Path], writing: AbstractContextManager[BlobStream]
    ) -> None:
        """Make a blob of parts, one after the other; it is durable on return."""
        with writing as stream:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, stream, _CHUNK)
        shutil.rmtree(self._folder(upload_id), ignore_errors=True)

    def _folder(self, upload_id: UUID) -> Path:
        return self._root / str(upload_id)

    def _give_up_old(self, now: float) -> None:
        for folder in self._root.glob("*"):
            newest = max((path.stat().st_mtime for path in folder.glob("*")), default=0.0)
            if now - max(newest, folder.stat().st_mtime) > STALE_AFTER_S:
                shutil.rmtree(folder, ignore_errors=True)


class PartFile:
    """A part on its way in; it is there under its name, with its ETag, when it is whole."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._coming = target.with_name(f"{target.name}-{uuid.uuid4().hex}")
        self._seen = hashlib.sha256()
        self._stream: IO[bytes] = self._coming.open("xb")

    def write(self, body: bytes) -> None:
        """Take bytes."""
        self._seen.update(body)
        self._stream.write(body)

    def keep(self) -> str:
        """Put the part in its place; its ETag."""
        self._stream.close()
        self._coming.replace(self._target)
        return self._seen.hexdigest()

    def drop(self) -> None:
        """Forget the part."""
        self._stream.close()
        self._coming.unlink(missing_ok=True)


def etag_of(part: Path) -> str:
    """The ETag of a part: SHA-256 of its bytes, in hex.

    Raises:
        InvalidInputError: the part did not come.
    """
    seen = hashlib.sha256()
    try:
        with part.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                seen.update(chunk)
    except FileNotFoundError:
        raise InvalidInputError(
            f"Part {int(part.name)} did not arrive.", "Send it, then complete the upload."
        ) from None
    return seen.hexdigest()
