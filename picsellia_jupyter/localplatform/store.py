"""The database: many readers, one writer, and a commit that survives power loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from picsellia_jupyter.domain.errors import InvalidInputError, PlatformError
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.tables import (
    datalakes,
    deployments,
    organization,
    registry,
)
from picsellia_jupyter.localplatform.tables.base import Base, Identified

SCHEMA_VERSION = 1
TABLE_MODULES = (organization, datalakes, registry, deployments)
"""Imported so that their tables are known before they are created."""

Row = TypeVar("Row", bound=Identified)


class Store:
    """A database of the local platform.

    On SQLite exactly one connection writes and checkpoints: versions before 3.51.3 can lose
    commits when two do (https://sqlite.org/wal.html#walresetbug).
    """

    def __init__(self, url: URL | str) -> None:
        """Open the database at an SQLAlchemy URL, making its tables where there are none.

        Raises:
            InvalidInputError: it was made by a newer version of this program.
            PlatformError: it cannot be opened or written, or is no database.
        """
        self._writer = _engine(url, writes=True, connections=1)
        self._reader = _engine(url, writes=False, connections=6)
        self._write = sessionmaker(self._writer, expire_on_commit=False)
        self._read = sessionmaker(self._reader, expire_on_commit=False)
        try:
            self._prepare()
        except DBAPIError as error:
            self.close()
            raise PlatformError(
                f"The database {make_url(url).database} cannot be used: {error.orig}.",
                "Make it yours to read and write, or name another data directory with --home.",
            ) from error

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view of everything that was committed."""
        with self._read() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is durable when the block ends; an exception undoes it."""
        with self._write.begin() as session:
            yield session

    def close(self) -> None:
        """Close all connections, the writing one last: it checkpoints."""
        self._reader.dispose()
        self._writer.dispose()

    def _prepare(self) -> None:
        with self._writer.begin() as connection:
            sqlite = connection.dialect.name == "sqlite"
            found = connection.exec_driver_sql("PRAGMA user_version").scalar() if sqlite else 0
            if found and int(found) > SCHEMA_VERSION:
                raise InvalidInputError(
                    f"The platform's database has format {found}; this version reads up to "
                    f"{SCHEMA_VERSION}.",
                    "Upgrade with: pip install -U picsellia_jupyter",
                )
            Base.metadata.create_all(connection)
            if sqlite:
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def the(session: Session, table: type[Row], ident: object, *, kind: str) -> Row:
    """The row with this id.

    Raises:
        UnknownIdError: there is none; `kind` says in words what was looked for.
    """
    row = session.get(table, str(ident))
    if row is None:
        raise UnknownIdError(kind, str(ident))
    return row


def _engine(url: URL | str, *, writes: bool, connections: int) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url)
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"check_same_thread": False, "timeout": 10},
    )
    _tune_sqlite(engine, writes=writes)
    return engine


def _tune_sqlite(engine: Engine, *, writes: bool) -> None:
    pragmas = ["journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"]
    pragmas += [] if writes else ["wal_autocheckpoint = 0", "query_only = ON"]

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # Python's sqlite3 would otherwise begin transactions by itself, and too late.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
