"""Backing a data directory up, restoring it, and checking that it is whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

from sqlalchemy import Connection, Engine, MetaData, Table, insert, select, text

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform import archive as zipped
from picsellia_jupyter.localplatform.blobs import Folder, checked_object_name
from picsellia_jupyter.localplatform.durable import make_folder, sync_folder
from picsellia_jupyter.localplatform.home import chosen_database, keep_choice, own, sqlite_url
from picsellia_jupyter.localplatform.store import engine_for
from picsellia_jupyter.localplatform.tables.base import Base
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.sums import BlobSum
from picsellia_jupyter.localplatform.upgrading import revision_of, revisions, upgrade

_ROWS_AT_ONCE = 500
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What was found or done."""

    rows: int
    blobs: int
    problems: tuple[str, ...] = ()
    """One sentence each."""
    notes: tuple[str, ...] = ()
    """What is no fault and still worth knowing."""


def backup(home: Path, target: Path) -> Report:
    """Back a data directory up, also while a platform serves it.

    Rows are those of one moment. Blobs are copied after it and never change; should one that
    a row names be deleted meanwhile, all is read again.

    Raises:
        InvalidInputError: there is nothing to back up, or in another form than this program's.
    """
    with _open_or_attached(home) as engine:
        for _ in range(_TRIES):
            with zipped.writing(target) as archive, engine.connect() as connection:
                manifest = _manifest(connection)
                for table in Base.metadata.sorted_tables:
                    query = select(table).execution_options(yield_per=_ROWS_AT_ONCE)
                    rows = connection.execute(query).mappings()
                    manifest.tables[table.name] = zipped.write_rows(archive, table, rows)
                named, elsewhere = _named(connection), _elsewhere(connection)
                sums = _sums(connection)
                for name, path in sorted(_files(home, connection).items()):
                    if path.is_file():
                        manifest.blobs[name] = zipped.write_blob(archive, path, name)
                zipped.write_manifest(archive, manifest)
            lost = named - {_object(name) for name in manifest.blobs}
            with engine.connect() as connection:
                if lost <= _named(connection):
                    break
    changed = [
        name for name in manifest.blobs if sums.get(name) not in (None, manifest.blobs[name])
    ]
    return Report(
        sum(manifest.tables.values()),
        len(manifest.blobs),
        (*_sentences(lost), *_damaged(home, changed)),
        _notes(elsewhere),
    )


def restore(home: Path, source: Path, *, database: str | None = None) -> Report:
    """Make a data directory from a backup, on SQLite or at a PostgreSQL URL.

    Interrupted, it leaves no database; it can be done again.

    Raises:
        ConflictError: the directory or the database has data already.
        InvalidInputError: the backup is not whole, or a newer version's.
    """
    with _owned(home), zipped.reading(source) as (archive, manifest):
        if manifest.revision not in revisions():
            raise InvalidInputError(
                f"The backup has format {manifest.revision}; this version reads up to "
                f"{revisions()[-1]}.",
                "Upgrade with: pip install -U picsellia_jupyter",
            )
        own = home / "platform.sqlite3"
        if own.exists():
            raise _occupied(str(own))
        for name, sha256 in manifest.blobs.items():
            folder, _, ident = name.partition(":")
            blobs = Folder(_inside(home, folder))
            with blobs.writing(checked_object_name(ident)) as stream:
                zipped.copy_blob(archive, name, sha256, stream)
        url = chosen_database(home, database)
        part = home / ".platform.sqlite3.part"
        part.unlink(missing_ok=True)
        engine = engine_for(sqlite_url(part) if url.startswith("sqlite") else url, writes=True)
        try:
            rows = _insert(engine, archive, manifest)
        finally:
            engine.dispose()
        if part.exists():
            part.replace(own)
            sync_folder(home)
        keep_choice(home, url)
    return Report(rows, len(manifest.blobs))


def check(home: Path) -> Report:
    """Look whether the database is whole and every blob that a row names is as it came.

    Raises:
        InvalidInputError: there is nothing to check, or in another form than this program's.
    """
    with _open_or_attached(home) as engine, engine.connect() as connection:
        _manifest(connection)
        problems = _broken(connection)
        rows = sum(
            connection.execute(text(f'SELECT count(*) FROM "{table.name}"')).scalar_one()  # noqa: S608 - our own names
            for table in Base.metadata.sorted_tables
        )
        named, files = _named(connection), _files(home, connection)
        elsewhere, sums = _elsewhere(connection), _sums(connection)
    held = {_object(name) for name, path in files.items() if path.stat().st_size}
    notes = _notes(elsewhere)
    if held - named:
        notes = (*notes, f"{len(held - named)} blobs are named by no row.")
    unknown = sum(_object(name) in named and name not in sums for name in files)
    if unknown:
        notes = (*notes, f"{unknown} blobs came before sums were kept; only their names were seen.")
    whole = {name: path for name, path in files.items() if _object(name) in named & held}
    changed = [name for name, path in sorted(whole.items()) if _is_changed(path, sums.get(name))]
    problems = (*problems, *_sentences(named - held), *_damaged(home, changed))
    return Report(rows, len(files), problems, notes)


def check_backup(source: Path) -> Report:
    """Read a whole backup and compare it with its own list.

    Raises:
        InvalidInputError: it is not what was backed up.
    """
    with zipped.reading(source) as (archive, manifest):
        for name, sha256 in manifest.blobs.items():
            zipped.copy_blob(archive, name, sha256, None)
        problems = []
        for name, count in manifest.tables.items():
            with archive.open(f"tables/{name}.jsonl") as stream:
                found = sum(1 for _ in stream)
            if found != count:
                problems.append(f"The table {name} has {found} rows, not {count}.")
    return Report(sum(manifest.tables.values()), len(manifest.blobs), tuple(problems))


# Databases -----------------------------------------------------------------------------------


@contextmanager
def _open_or_attached(home: Path) -> Iterator[Engine]:
    """The database for reading; nobody starts serving it meanwhile who did not before."""
    url = chosen_database(home, None)
    if url.startswith("sqlite") and not (home / "platform.sqlite3").is_file():
        raise InvalidInputError(
            f"There is no platform's data in {home}.", "Name its directory with --home."
        )
    lock = own(home)
    engine = engine_for(url, writes=False)
    try:
        yield engine
    finally:
        engine.dispose()
        if lock is not None:
            lock.let_go()


@contextmanager
def _owned(home: Path) -> Iterator[None]:
    make_folder(home)
    lock = own(home)
    if lock is None:
        raise ConflictError(
            f"A platform serves {home}.", "Stop it: picsellia-jupyter platform stop"
        )
    try:
        yield
    finally:
        lock.let_go()


def _manifest(connection: Connection) -> zipped.Manifest:
    found, last = revision_of(connection), revisions()[-1]
    if found != last:
        raise InvalidInputError(
            f"The database has format {found}, this version's is {last}.",
            "Start the platform once: it upgrades its database.",
        )
    return zipped.Manifest(revision=last, created_at=time.time())


def _insert(engine: Engine, archive: ZipFile, manifest: zipped.Manifest) -> int:
    with engine.connect() as connection:
        if revision_of(connection) is not None and _has_rows(connection):
            raise _occupied(engine.url.render_as_string(hide_password=True))
    upgrade(engine, to=manifest.revision)
    known, count = MetaData(), 0
    with engine.begin() as connection:
        known.reflect(connection)
        for table in zipped.tables_in(archive, manifest, known):
            for rows in _in_portions(table, zipped.read_rows(archive, table)):
                connection.execute(insert(table), rows)
                count += len(rows)
    upgrade(engine)
    return count


def _in_portions(table: Table, rows: Iterator[zipped.Row]) -> Iterator[list[zipped.Row]]:
    """Rows, some at a time; those that refer to others of their table after these."""
    own = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    waiting: list[zipped.Row] = list(rows) if own else []
    done: set[object] = set()
    while waiting:
        ready = [row for row in waiting if all(row[n] is None or row[n] in done for n in own)]
        if not ready:
            raise InvalidInputError(
                f"Rows of {table.name} refer to each other in a circle.", "Take another backup."
            )
        yield ready
        done.update(row["id"] for row in ready)
        waiting = [row for row in waiting if row["id"] not in done]
    portion: list[zipped.Row] = []
    for row in rows:
        portion.append(row)
        if len(portion) == _ROWS_AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion


def _has_rows(connection: Connection) -> bool:
    return connection.execute(text("SELECT id FROM organization")).first() is not None


def _broken(connection: Connection) -> tuple[str, ...]:
    if connection.dialect.name != "sqlite":
        return ()
    found = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    lines = [] if found == ["ok"] else [f"The database is damaged: {line}." for line in found]
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        lines.append(f"A row of {row[0]} refers to a row of {row[2]} that is not there.")
    return tuple(lines)


# Blobs ---------------------------------------------------------------------------------------


def _files(home: Path, connection: Connection) -> dict[str, Path]:
    """All blobs inside the data directory, as `FOLDER:NAME`."""
    found = {}
    for root in connection.execute(select(Connector.root)).scalars():
        if "://" in root:
            continue
        for path in (home / root).glob("*/[0-9a-f]*"):
            found[f"{root}:{path.parent.name}/{path.name}"] = path
    return found


def _sums(connection: Connection) -> dict[str, str]:
    """SHA-256 in hex of the blobs whose sum is known, as `FOLDER:NAME`."""
    query = select(Connector.root, BlobSum.object_name, BlobSum.sha256).join(
        Connector, Connector.id == BlobSum.connector_id
    )
    return {f"{root}:{name}": sha256 for root, name, sha256 in connection.execute(query)}


def _is_changed(path: Path, sha256: str | None) -> bool:
    if sha256 is None:
        return False
    try:
        return zipped.sha256_of(path) != sha256
    except FileNotFoundError:  # deleted while we looked
        return False
    except OSError:  # the disk does not give it back at all
        return True


def _damaged(home: Path, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        f"{home / name.replace(':', '/', 1)} is not what was stored (its SHA-256 differs). "
        f"Put blobs/{name} of a backup in its place (unzip), or delete and upload it again."
        for name in names
    )


def _named(connection: Connection) -> set[str]:
    """Names of the blobs that rows name and that lie inside the data directory."""
    outside = select(Connector.id).where(Connector.root.contains("://"))
    lakes = select(Datalake.id).where(Datalake.connector_id.in_(outside))
    names: set[str] = set()
    for table in Base.metadata.sorted_tables:
        if "object_name" not in table.c:
            continue
        query = select(table.c.object_name)
        if "connector_id" in table.c:
            query = query.where(table.c.connector_id.not_in(outside))
        elif "datalake_id" in table.c:
            query = query.where(table.c.datalake_id.not_in(lakes))
        names.update(name for name in connection.execute(query).scalars() if name)
    return names


def _elsewhere(connection: Connection) -> Sequence[str]:
    query = select(Connector.root).where(Connector.root.contains("://"))
    return sorted(f"{urlsplit(root).scheme}://…" for root in connection.execute(query).scalars())


def _object(name: str) -> str:
    return name.partition(":")[2]


def _inside(home: Path, folder: str) -> Path:
    made = (home / folder).resolve()
    if not made.is_relative_to(home.resolve()) or made == home.resolve():
        raise InvalidInputError(
            f"The backup has a folder {folder!r} outside the data directory.",
            "Do not trust this file.",
        )
    return made


def _sentences(lost: set[str]) -> tuple[str, ...]:
    shown = sorted(lost)
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return (f"Blobs are named and not there: {', '.join(shown[:5])}{more}.",) if shown else ()


def _notes(elsewhere: Sequence[str]) -> tuple[str, ...]:
    if not elsewhere:
        return ()
    return (f"Blobs at {', '.join(elsewhere)} lie outside the data directory; not looked at.",)


def _occupied(what: str) -> ConflictError:
    return ConflictError(f"{what} has data already.", "Restore into an empty --home or database.")
