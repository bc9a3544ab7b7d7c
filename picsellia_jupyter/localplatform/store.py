"""The database: many readers, one writer, and a commit that survives power loss."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidInputError,
    MissingExtraError,
    PlatformError,
)
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.tables.base import Identified
from picsellia_jupyter.localplatform.upgrading import upgrade
from picsellia_jupyter.localplatform.writer import Result, Writer

SYNCHRONOUS = "FULL"
"""SQLite waits for the disk at every commit; with NORMAL a power cut loses the last ones."""
READERS = 6
_CLAIM_S = 3.0
_OWNER_KEY, _WRITER_KEY = 0x7069_6301, 0x7069_6302
"""Advisory locks of PostgreSQL: who serves this database, and who changes it now."""

Row = TypeVar("Row", bound=Identified)


class Store:
    """A database of the local platform.

    Exactly one connection writes and, on SQLite, checkpoints: versions before 3.51.3 can lose
    commits when two do (https://sqlite.org/wal.html#walresetbug). On PostgreSQL it makes read,
    change and write one step, as the routes take for granted.
    """

    def __init__(self, url: str) -> None:
        """Open the database at an SQLAlchemy URL, made or upgraded where that is needed.

        Raises:
            InvalidInputError: it was made by a newer version of this program, or is not there.
            ConflictError: another process serves it (PostgreSQL).
            MissingExtraError: the driver of this kind of database is not installed.
            PlatformError: it cannot be opened or written, or is no database.
        """
        self._writing_engine = engine_for(url, writes=True)
        self._reading_engine = engine_for(url, writes=False)
        self._claim = _claimed(self._writing_engine, url)
        try:
            upgrade(self._writing_engine)
        except DBAPIError as error:
            self._writing_engine.dispose()
            raise PlatformError(
                f"The database {make_url(url).database} cannot be used: {error.orig}.",
                "Make it yours to read and write, or name another data directory with --home.",
            ) from error
        self._read = sessionmaker(self._reading_engine, expire_on_commit=False)
        self._writer = Writer(self._writing_engine)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._reading_engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view of everything that was committed."""
        with self._read() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A change that is durable when the block ends; an exception undoes it.

        Nobody else writes meanwhile, so what is read here is still so when it is written.

        Raises:
            NotDurableError: the database could not keep it.
        """
        with self._writer.turn() as session:
            yield session

    def write(self, work: Callable[[Session], Result]) -> Result:
        """Make a change in the writer's own thread, cheaper than `writing`, and wait for it.

        Raises:
            NotDurableError: the database could not keep it.
        """
        return self._writer.submit(work).result()

    def submit(self, work: Callable[[Session], Result]) -> Future[Result]:
        """The same without waiting, for `asyncio.wrap_future`."""
        return self._writer.submit(work)

    def close(self) -> None:
        """Finish what is being written and close all connections, the writing one last."""
        self._writer.close()
        self._reading_engine.dispose()
        if self._claim is not None:
            self._claim.close()
        self._writing_engine.dispose()


def the(session: Session, table: type[Row], ident: object, *, kind: str) -> Row:
    """The row with this id.

    Raises:
        UnknownIdError: there is none; `kind` says in words what was looked for.
    """
    row = session.get(table, str(ident))
    if row is None:
        raise UnknownIdError(kind, str(ident))
    return row


def engine_for(url: str, *, writes: bool) -> Engine:
    """Connections to a database: the one that writes, or those that only read.

    Raises:
        MissingExtraError: the driver of this kind of database is not installed.
    """
    connections = 1 if writes else READERS
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url, writes=writes, connections=connections)
    return _postgresql(url, writes=writes, connections=connections)


def _sqlite(url: str, *, writes: bool, connections: int) -> Engine:
    # SQLAlchemy 2.0 reads no escapes in the name of a file, and 2.1 does.
    file = unquote(url.removeprefix("sqlite:///"))
    engine = create_engine(
        URL.create("sqlite", database=file),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"check_same_thread": False, "timeout": 10},
    )
    pragmas = ["journal_mode = WAL", f"synchronous = {SYNCHRONOUS}", "foreign_keys = ON"]
    pragmas += [] if writes else ["wal_autocheckpoint = 0", "query_only = ON"]

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # Python's sqlite3 would otherwise begin transactions by itself, and too late.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: str, *, writes: bool, connections: int) -> Engine:
    try:
        # One connection more than the writer needs: the one that holds the claim.
        engine = create_engine(
            url,
            pool_size=connections + writes,
            max_overflow=0,
            pool_timeout=60,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("PostgreSQL", str(error.name), "postgres") from error
    if writes:

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_KEY})

    return engine


def _claimed(engine: Engine, url: str) -> Connection | None:
    """A connection that keeps other platforms off the database while it is open.

    On SQLite the lock of the data directory does that.
    """
    if engine.dialect.name == "sqlite":
        return None
    shown = make_url(url).render_as_string(hide_password=True)
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise InvalidInputError(
            f"The database {shown} does not answer ({str(error.orig).strip()}).",
            "Start it, or correct its address; a password comes from PGPASSWORD or ~/.pgpass.",
        ) from error
    raw = connection.connection.dbapi_connection
    assert raw is not None  # noqa: S101 - for the type checker
    raw.autocommit = True
    deadline = time.monotonic() + _CLAIM_S
    while not raw.cursor().execute(f"SELECT pg_try_advisory_lock({_OWNER_KEY})").fetchone()[0]:
        # The server takes a moment to notice that the process that had it is gone.
        if time.monotonic() > deadline:
            connection.close()
            engine.dispose()
            raise ConflictError(
                f"Another platform serves the database {shown}.",
                "Stop that one, or name another database.",
            )
        time.sleep(0.05)
    return connection
