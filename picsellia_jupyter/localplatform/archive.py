"""A backup as a file: all rows as JSON lines and all blobs, in one zip with their SHA-256."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, LargeBinary, MetaData, Table

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.blobs import BlobStream
from picsellia_jupyter.localplatform.durable import sync_folder

FORMAT = 1
_CHUNK = 2**20
_MANIFEST = "manifest.json"
Row = dict[str, Any]


@dataclass(slots=True)
class Manifest:
    """What a backup holds."""

    revision: str
    """Form of the database."""
    created_at: float
    """Seconds since the epoch, UTC."""
    tables: dict[str, int] = field(default_factory=dict)
    """Rows of each table, in the order in which they can be inserted."""
    blobs: dict[str, str] = field(default_factory=dict)
    """SHA-256 in hex of each blob, by its folder in the data directory and its name."""
    format: int = FORMAT


@contextmanager
def writing(target: Path) -> Iterator[zipfile.ZipFile]:
    """A new archive; it appears, durable and for the user's eyes only, when the block ends well."""
    part = target.with_name(f".{target.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                yield archive
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


@contextmanager
def reading(source: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """An archive and what it says it holds.

    Raises:
        InvalidInputError: it is no backup, or one of a newer version.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            said = json.loads(archive.read(_MANIFEST))
            if said.get("format") != FORMAT:
                raise InvalidInputError(
                    f"{source} is a backup of format {said.get('format')}, not {FORMAT}.",
                    "Upgrade with: pip install -U picsellia_jupyter",
                )
            yield archive, Manifest(**said)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidInputError(
            f"{source} cannot be read as a backup ({error}).",
            "Name a file that `platform backup` wrote.",
        ) from error


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Write what the archive holds; the last thing to be written."""
    archive.writestr(_MANIFEST, json.dumps(asdict(manifest)))


def write_rows(archive: zipfile.ZipFile, table: Table, rows: Iterable[Any]) -> int:
    """Write all rows of a table; how many they were."""
    count = 0
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as stream:
        for row in rows:
            count += 1
            values = {column.name: _plain(row[column.name]) for column in table.columns}
            stream.write(json.dumps(values).encode() + b"\n")
    return count


def read_rows(archive: zipfile.ZipFile, table: Table) -> Iterator[Row]:
    """All rows of a table, as they can be inserted."""
    binary = {c.name for c in table.columns if isinstance(c.type, LargeBinary)}
    with archive.open(f"tables/{table.name}.jsonl") as stream:
        for line in stream:
            row: Row = json.loads(line)
            for name in binary & {key for key, value in row.items() if value is not None}:
                row[name] = base64.b64decode(row[name])
            yield row


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_blob(archive: zipfile.ZipFile, path: Path, name: str) -> str:
    """Write a file; its SHA-256 in hex."""
    digest = hashlib.sha256()
    # Images are compressed already.
    entry = zipfile.ZipInfo(f"blobs/{name}")
    with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as stream:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            stream.write(chunk)
    return digest.hexdigest()


def copy_blob(archive: zipfile.ZipFile, name: str, sha256: str, into: BlobStream | None) -> None:
    """Read a blob and compare it with what the manifest says of it.

    Raises:
        InvalidInputError: it is another one.
    """
    digest = hashlib.sha256()
    with archive.open(f"blobs/{name}") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            if into is not None:
                into.write(chunk)
    if digest.hexdigest() != sha256:
        raise InvalidInputError(
            f"{name} in the backup is not what was backed up.", "Take another backup."
        )


def tables_in(archive: zipfile.ZipFile, manifest: Manifest, known: MetaData) -> list[Table]:
    """The tables of an archive in the order of insertion.

    Raises:
        InvalidInputError: it has a table that its form of the database has not.
    """
    held = set(archive.namelist())
    for name in manifest.tables:
        if name not in known.tables or f"tables/{name}.jsonl" not in held:
            raise InvalidInputError(
                f"The backup has an unknown table {name!r}.", "Take another backup."
            )
    for table in known.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True
    return [known.tables[name] for name in manifest.tables]


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
