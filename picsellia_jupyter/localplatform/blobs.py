"""Files in object storage: whole and durable, or not there at all."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.durable import make_folder, sync_folder

_OBJECT_NAME = re.compile(r"[a-z_]{1,24}/[0-9a-f]{32}(\.[a-z0-9]{1,10})?")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,10}")
_PART = ".part-"
_CHUNK = 256 * 1024


def new_object_name(kind: str, filename: str) -> str:
    """A name for a blob; of the file's own name only a harmless suffix is kept.

    Args:
        kind: what it is, as `DATA` or `MODEL_FILE`; becomes its folder.
        filename: as the user calls it.
    """
    suffix = Path(filename).suffix.lower()
    kept = suffix if _SUFFIX.fullmatch(suffix) else ""
    return f"{kind.lower()}/{uuid.uuid4().hex}{kept}"


def checked_object_name(name: str) -> str:
    """A name that this platform could have made.

    Raises:
        InvalidInputError: it could not; it might climb out of the storage folder.
    """
    if not is_object_name(name):
        raise InvalidInputError(
            f"{name!r} is no object name of this platform.",
            "Take one from generate_object_name.",
        )
    return name


def is_object_name(name: str) -> bool:
    """Whether this platform could have made this name."""
    return _OBJECT_NAME.fullmatch(name) is not None


class BlobStream(Protocol):
    """What a blob is written to, piece by piece."""

    def write(self, body: bytes, /) -> int:
        """Take bytes, all of them."""

    @property
    def sha256(self) -> str:
        """Of everything so far, in hex."""


class Blobs(ABC):
    """One storage connector's files, by object name."""

    @abstractmethod
    def writing(self, name: str) -> AbstractContextManager[BlobStream]:
        """A stream; the blob appears under its name, durable, when the block ends well."""

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """A stream of a blob.

        Raises:
            FileNotFoundError: there is none.
        """

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Bytes of a blob, or None where there is none."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take a blob away; one that is gone already stays gone."""

    @abstractmethod
    def names(self, prefix: str) -> list[str]:
        """Names of all blobs that begin with this, in order."""

    def put(self, name: str, body: bytes) -> str:
        """Store a whole blob; it is durable on return.

        Returns:
            Its SHA-256 in hex.
        """
        with self.writing(name) as stream:
            stream.write(body)
            return stream.sha256

    def chunks(self, name: str) -> Iterator[bytes]:
        """A blob in pieces."""
        with self.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk


class Folder(Blobs):
    """Blobs in a local folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._synced: set[Path] = set()
        make_folder(root)
        for part in root.glob(f"*/{_PART}*"):
            part.unlink(missing_ok=True)

    @contextmanager
    def writing(self, name: str) -> Iterator[BlobStream]:
        """A stream; the blob appears under its name, durable, when the block ends well.

        Raises:
            OSError: the disk has no room, or gave back something else than was written.
        """
        target = self._path(name)
        if target.parent not in self._synced:
            make_folder(target.parent)
            self._synced.add(target.parent)
        part = target.parent / f"{_PART}{uuid.uuid4().hex}"
        try:
            with _Hashing.file(part) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            _verify(part, stream.sha256)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(target.parent)

    def open(self, name: str) -> IO[bytes]:
        """A stream of a blob.

        Raises:
            FileNotFoundError: there is none.
        """
        return self._path(name).open("rb")

    def size(self, name: str) -> int | None:
        """Bytes of a blob, or None where there is none."""
        try:
            return self._path(name).stat().st_size
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Take a blob away; one that is gone already stays gone."""
        self._path(name).unlink(missing_ok=True)

    def names(self, prefix: str) -> list[str]:
        """Names of all blobs that begin with this, in order."""
        found = (path.relative_to(self._root).as_posix() for path in self._root.glob("*/*"))
        return sorted(name for name in found if name.startswith(prefix) and is_object_name(name))

    def _path(self, name: str) -> Path:
        return self._root / checked_object_name(name)


class _Hashing(io.BufferedWriter):
    """A new file that knows the SHA-256 of what was written to it, in order."""

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw)
        self._seen = hashlib.sha256()

    @classmethod
    def file(cls, path: Path) -> _Hashing:
        """Make a file that was not there."""
        return cls(io.FileIO(path, "xb"))

    def write(self, body: Any) -> int:
        """Take bytes, all of them."""
        self._seen.update(body)
        return super().write(body)

    @property
    def sha256(self) -> str:
        """Of everything so far, in hex."""
        return self._seen.hexdigest()


def _verify(part: Path, expected: str) -> None:
    found = hashlib.sha256()
    with part.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    if found.hexdigest() != expected:
        raise OSError(errno.EIO, "The disk gave back something else than was written")
