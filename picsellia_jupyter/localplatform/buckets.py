"""Files in a bucket, at any fsspec URL: whole, or not there at all."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import fsspec

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    MissingExtraError,
    PicselliaJupyterError,
)
from picsellia_jupyter.localplatform.blobs import Blobs, BlobStream
from picsellia_jupyter.localplatform.refusals import BucketError

_S3, _GCS, _AZURE = ("s3fs", "s3"), ("gcsfs", "gcs"), ("adlfs", "azure")
LIBRARIES = {
    "s3": _S3, "s3a": _S3, "gs": _GCS, "gcs": _GCS, "az": _AZURE, "abfs": _AZURE, "abfss": _AZURE,
}  # fmt: skip
"""What opens a URL, by its scheme: a module, and the extra of this package that brings it."""
BLOCK_BYTES = 8 * 2**20
"""Of an upload's parts and a download's ranges; S3 allows 10,000 parts and none below 5 MiB."""
_LONGEST_KEY = 1024
"""Bytes; S3 and GCS allow no more."""
_S3_DEFAULTS: dict[str, Any] = {
    # botocore's own would keep a request waiting for minutes.
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 1}},
}

logger = logging.getLogger(__name__)


def checked_key(name: str) -> str:
    """A name that an object of a bucket can have; others than us may have put it there.

    Raises:
        InvalidInputError: it cannot, or would lead out of the datalake's folder.
    """
    if not _is_key(name):
        raise InvalidInputError(
            f"{name!r} is no name of an object in a bucket.",
            "Name it as folder/file.png, without a slash before it.",
        )
    return name


def _is_key(name: str) -> bool:
    parts = name.split("/")
    plain = name.isprintable() and "\\" not in name and len(name.encode()) <= _LONGEST_KEY
    return plain and not any(part in ("", ".", "..") for part in parts)


class Bucket(Blobs):
    """Blobs in a bucket; what goes wrong there is told with the bucket's name.

    Args:
        url: bucket and an optional folder in it, as `s3://bucket/folder`.
        options: what fsspec's file system for that URL takes, credentials among them.

    Raises:
        MissingExtraError: the library for this kind of URL is not installed.
        BucketError: its options make no sense to it.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url = url.rstrip("/")
        scheme = url.partition("://")[0]
        module, extra = LIBRARIES[scheme]
        defaults = _S3_DEFAULTS if extra == "s3" else {}
        settings = {**defaults, **options, "use_listings_cache": False, "skip_instance_cache": True}
        self._fs: Any
        try:
            self._fs, self._root = fsspec.core.url_to_fs(self._url, **settings)
        except ImportError as error:
            raise MissingExtraError(f"A {scheme}:// datalake", module, extra) from error
        except (TypeError, ValueError) as error:
            # What they say may repeat the options, and those may be secrets.
            raise BucketError(
                f"The options for {self._url} cannot be used ({type(error).__name__}).",
                f"Give what fsspec takes for {scheme}://.",
            ) from error
        self._fs.retries = 2  # s3fs's own attempts, on top of botocore's

    @contextmanager
    def writing(self, name: str) -> Iterator[BlobStream]:
        """A stream; the blob appears under its name when the block ends well."""
        with self.telling(f"store {name}"):
            stream = self._fs.open(self._path(name), "wb", block_size=BLOCK_BYTES)
        try:
            yield _Upload(self, name, stream)
        except BaseException:
            self._discard(stream, name)
            raise
        try:
            with self.telling(f"store {name}"):
                stream.close()
        except BucketError:
            self._discard(stream, name)
            raise

    def put(self, name: str, body: bytes) -> str:
        """Store a whole blob in one request; its SHA-256 in hex."""
        with self.telling(f"store {name}"):
            self._fs.pipe_file(self._path(name), body)
        return hashlib.sha256(body).hexdigest()

    def open(self, name: str) -> IO[bytes]:
        """A stream of a blob.

        Raises:
            FileNotFoundError: there is none.
            BucketError: the bucket cannot be read.
        """
        size = self.size(name)
        if size is None:
            raise FileNotFoundError(name)
        return io.BufferedReader(_Ranges(self, name, size), BLOCK_BYTES)

    def size(self, name: str) -> int | None:
        """Bytes of a blob, or None where there is none."""
        with self.telling(f"look up {name}"):
            try:
                return int(self._fs.info(self._path(name))["size"])
            except FileNotFoundError:
                return None

    def remove(self, name: str) -> None:
        """Take a blob away; one that is gone already stays gone."""
        with self.telling(f"delete {name}"):
            try:
                self._fs.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def names(self, prefix: str) -> list[str]:
        """Names of all blobs that begin with this, in order."""
        with self.telling(f"list {prefix}"):
            found = self._fs.find(self._root)
        start = len(self._root.strip("/")) + 1
        names = (path.strip("/")[start:] for path in found)
        return sorted(name for name in names if name.startswith(prefix) and _is_key(name))

    def piece(self, name: str, start: int, end: int) -> bytes:
        """The bytes of a blob from `start` up to `end`."""
        with self.telling(f"read {name}"):
            body: bytes = self._fs.cat_file(self._path(name), start=start, end=end)
            return body

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{checked_key(name)}"

    def _discard(self, stream: Any, name: str) -> None:
        """Forget what was sent of an unfinished upload, and never finish it by accident."""
        stream.closed = True
        try:
            stream.discard()
        except Exception as error:  # noqa: BLE001 - the bucket is failing already
            logger.warning("Parts of %s may be left in %s: %s", name, self._url, _cause(error))

    @contextmanager
    def telling(self, deed: str) -> Iterator[None]:
        """Have what fails in the block say which bucket it was, and what to do.

        Raises:
            BucketError: for whatever the bucket's library raised.
        """
        try:
            yield
        except PicselliaJupyterError:
            raise
        except FileNotFoundError as error:
            raise BucketError(
                f"{self._url} could not {deed}: there is no such bucket, or no such object.",
                "Make the bucket, or correct the datalake's URL.",
            ) from error
        except Exception as error:  # each library has errors of its own
            raise BucketError(
                f"{self._url} could not {deed} ({_cause(error)}).", _remedy(error)
            ) from error


class _Upload:
    """An upload's stream; each failure names the bucket."""

    def __init__(self, bucket: Bucket, name: str, stream: Any) -> None:
        self._bucket, self._name, self._stream = bucket, name, stream
        self._seen = hashlib.sha256()

    def write(self, body: bytes) -> int:
        self._seen.update(body)
        with self._bucket.telling(f"store {self._name}"):
            return int(self._stream.write(body))

    @property
    def sha256(self) -> str:
        return self._seen.hexdigest()


class _Ranges(io.RawIOBase):
    """Reads a blob range by range, so that little of it is in memory."""

    def __init__(self, bucket: Bucket, name: str, size: int) -> None:
        super().__init__()
        self._bucket, self._name, self._size, self._at = bucket, name, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        piece = self._bucket.piece(self._name, self._at, end)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def _cause(error: BaseException) -> str:
    """What a library says went wrong, on one line; never an option's value."""
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{text[:200]}…" if len(text) > 200 else text


def _remedy(error: BaseException) -> str:
    if isinstance(error, PermissionError) or "credential" in str(error).lower():
        return "Check the credentials in the datalake's options, and what they may do there."
    return "Check that the bucket can be reached from here, then try again; nothing was lost."
