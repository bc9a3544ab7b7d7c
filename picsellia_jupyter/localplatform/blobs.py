"""Files in object storage: whole and durable, or not there at all."""

from __future__ import annotations

import os
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from picsellia_jupyter.domain.errors import InvalidInputError

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
    if not _OBJECT_NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is no object name of this platform.",
            "Take one from generate_object_name.",
        )
    return name


class Blobs(ABC):
    """One storage connector's files, by object name."""

    @abstractmethod
    def writing(self, name: str) -> AbstractContextManager[IO[bytes]]:
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

    def put(self, name: str, body: bytes) -> None:
        """Store a whole blob; it is durable on return."""
        with self.writing(name) as stream:
            stream.write(body)

    def chunks(self, name: str) -> Iterator[bytes]:
        """A blob in pieces."""
        with self.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk


class Folder(Blobs):
    """Blobs in a local folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        for part in root.glob(f"*/{_PART}*"):
            part.unlink(missing_ok=True)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """A stream; the blob appears under its name, durable, when the block ends well."""
        target = self._path(name)
        _make_folder(target.parent)
        part = target.parent / f"{_PART}{uuid.uuid4().hex}"
        try:
            with part.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(target.parent)

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

    def _path(self, name: str) -> Path:
        return self._root / checked_object_name(name)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive power loss; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
