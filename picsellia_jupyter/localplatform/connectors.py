"""Storage connectors: where the files of a datalake lie, and what opens that place."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.blobs import Blobs, Folder, new_object_name
from picsellia_jupyter.localplatform.buckets import LIBRARIES, Bucket
from picsellia_jupyter.localplatform.refusals import BucketError
from picsellia_jupyter.localplatform.tables.organization import Connector

_FOLDER_SCHEME = "file"
_BY_NAME = "env"
"""`{"secret": {"env": "NAME"}}` takes an option's value from the environment."""


def checked_url(url: str) -> str:
    """The address of a place for files.

    Raises:
        InvalidInputError: it is none of a kind known here, or it holds a password.
    """
    parts = urlsplit(url)
    known = (*LIBRARIES, _FOLDER_SCHEME)
    if parts.scheme not in known:
        raise InvalidInputError(
            f"{url.partition('?')[0]!r} is no address of a bucket or folder.",
            f"Begin it with one of {', '.join(f'{scheme}://' for scheme in known)}.",
        )
    if parts.username or parts.password or parts.query or parts.fragment or "::" in url:
        raise InvalidInputError(
            f"The address of {parts.scheme}://{parts.hostname or ''} holds more than a place.",
            "Give credentials and settings in `options`.",
        )
    if not (parts.path if parts.scheme == _FOLDER_SCHEME else parts.hostname):
        raise InvalidInputError(
            f"{url!r} names no place.", "Give a bucket, as s3://bucket/folder, or a folder."
        )
    if ".." in Path(parts.path).parts:
        raise InvalidInputError(f"{url!r} climbs up.", "Give the folder itself, without '..'.")
    return url.rstrip("/")


@dataclass(frozen=True, slots=True)
class Place:
    """What of a storage connector leads to its files."""

    id: str
    root: str


def opened(connector: Connector | Place, home: Path) -> Blobs:
    """The files of a storage connector.

    Raises:
        BucketError: its options are gone, or name a variable that is not set.
        MissingExtraError: the library for its URL is not installed.
    """
    if "://" not in connector.root:
        return Folder(home / connector.root)
    return opened_at(connector.root, _read_options(home, connector.id))


def opened_at(url: str, options: Mapping[str, Any]) -> Blobs:
    """The files at a URL, its options taken from the environment where they say so."""
    parts = urlsplit(url)
    if parts.scheme != _FOLDER_SCHEME:
        return Bucket(url, _from_environment(options, url))
    with _writable(url):
        return Folder(Path(parts.path))


def try_out(blobs: Blobs, url: str) -> None:
    """Write, read and delete a small object.

    Raises:
        BucketError: one of these failed; the place cannot hold a datalake.
    """
    name, body = new_object_name("PROBE", ""), uuid.uuid4().bytes
    with _writable(url):
        blobs.put(name, body)
        with blobs.open(name) as stream:
            found = stream.read()
        blobs.remove(name)
    if found != body:
        raise BucketError(f"What was stored at {url} came back changed.", "Choose another place.")


def keep_options(home: Path, connector_id: str, options: Mapping[str, Any]) -> None:
    """Keep a connector's options, durably and for the user's eyes only."""
    target = _options_file(home, connector_id)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    part = target.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(dict(options), stream)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(target)


def forget_options(home: Path, connector_id: str) -> None:
    """Delete a connector's options, if there are any."""
    _options_file(home, connector_id).unlink(missing_ok=True)


@contextmanager
def _writable(url: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BucketError(
            f"{url} cannot hold files ({error.strerror or error}).", "Choose another folder."
        ) from error


def _read_options(home: Path, connector_id: str) -> dict[str, Any]:
    path = _options_file(home, connector_id)
    try:
        options: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise BucketError(
            f"{path} cannot be read ({type(error).__name__}).", "Restore it from a backup."
        ) from error
    return options


def _options_file(home: Path, connector_id: str) -> Path:
    return home / "connectors" / f"{uuid.UUID(connector_id)}.json"


def _from_environment(options: Mapping[str, Any], url: str) -> dict[str, Any]:
    return {key: _value(value, url) for key, value in options.items()}


def _value(value: Any, url: str) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) != {_BY_NAME}:
        return _from_environment(value, url)
    name = str(value[_BY_NAME])
    # The user names the variable when making the datalake; no setting of ours could.
    found = os.environ.get(name)  # noqa: TID251
    if found is None:
        raise BucketError(
            f"The environment variable {name}, which opens {url}, is not set.",
            f"Stop the platform, set {name}, and start it again.",
        )
    return found
