"""Files in object storage: whole and durable, or not there at all."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

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


class Blobs:
    """One storage connector's files, in a local folder or at any fsspec URL."""

    def __init__(self, where: Path | str) -> None:
        """Open a storage connector.

        Args:
            where: a local folder as a path, which may have any name, or an fsspec URL.
        """
        self._fs: Any
        if isinstance(where, Path):
            self._fs, self._root = LocalFileSystem(), where.as_posix()
        else:
            self._fs, self._root = fsspec.core.url_to_fs(where)
        self._is_local = "file" in self._protocols()
        if self._is_local:
            Path(self._root).mkdir(parents=True, exist_ok=True)
            self._forget_parts()

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """A stream; the blob appears under its name, durable, when the block ends well."""
        opened = self._durably(name) if self._is_local else self._remotely(name)
        with opened as stream:
            yield stream

    def put(self, name: str, body: bytes) -> None:
        """Store a whole blob; it is durable on return."""
        with self.writing(name) as stream:
            stream.write(body)

    def open(self, name: str) -> IO[bytes]:
        """A stream of a blob.

        Raises:
            FileNotFoundError: there is none.
        """
        stream: IO[bytes] = self._fs.open(self._path(name), "rb")
        return stream

    def size(self, name: str) -> int | None:
        """Bytes of a blob, or None where there is none."""
        try:
            return int(self._fs.size(self._path(name)))
        except FileNotFoundError:
            return None

    def chunks(self, name: str) -> Iterator[bytes]:
        """A blob in pieces."""
        with self.open(name) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def remove(self, name: str) -> None:
        """Take a blob away; one that is gone already stays gone."""
        try:
            self._fs.rm_file(self._path(name))
        except FileNotFoundError:
            return

    @contextmanager
    def _durably(self, name: str) -> Iterator[IO[bytes]]:
        target = Path(self._path(name))
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

    @contextmanager
    def _remotely(self, name: str) -> Iterator[IO[bytes]]:
        # A remote object appears when its stream is committed.
        stream = self._fs.open(self._path(name), "wb", autocommit=False)
        try:
            yield stream
        except BaseException:
            stream.discard()
            raise
        stream.close()
        stream.commit()

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{checked_object_name(name)}"

    def _protocols(self) -> tuple[str, ...]:
        protocol = self._fs.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    def _forget_parts(self) -> None:
        for part in Path(self._root).glob(f"*/{_PART}*"):
            part.unlink(missing_ok=True)


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
