"""Bringing a database to the form that this program knows."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from sqlalchemy import Connection, Engine, inspect, text

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform import tables
from picsellia_jupyter.localplatform.migrations import versions
from picsellia_jupyter.localplatform.tables.base import Base

TABLE_MODULES = tables
"""Imported so that all tables are known before they are made."""


def revisions() -> list[str]:
    """Names of all forms a database has had, oldest first."""
    found = sorted(module.name for module in pkgutil.iter_modules(versions.__path__))
    return [name.removeprefix("r") for name in found]


def step_to(revision: str) -> ModuleType:
    """The module whose `upgrade` leads to a form from the one before."""
    return importlib.import_module(f"{versions.__name__}.r{revision}")


def upgrade(engine: Engine, *, to: str | None = None) -> None:
    """Make a new database, or bring one to the present form.

    Each step is one transaction: whatever ends this process, the database has one form or
    the other. A new database is made in one transaction too.

    Args:
        engine: begins transactions that may write.
        to: go step by step to this form, which may be an older one; for old backups.

    Raises:
        InvalidInputError: the database was made by a newer version of this program.
    """
    known = revisions()
    wanted = to or known[-1]
    with engine.begin() as connection:
        found = revision_of(connection)
        if found is None and to is None:
            Base.metadata.create_all(connection)
            _stamp(connection, wanted)
            return
    if found is not None and found not in known:
        raise _too_new(found, known[-1])
    for revision in known[known.index(found) + 1 if found else 0 : known.index(wanted) + 1]:
        _step(engine, revision)


def revision_of(connection: Connection) -> str | None:
    """The form of a database; None where it has no tables yet."""
    names = inspect(connection).get_table_names()
    if "alembic_version" in names:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    # Databases of before the migrations have the first form.
    return "0001" if "organization" in names else None


def _step(engine: Engine, revision: str) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection, _no_foreign_keys(connection), connection.begin():
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            step_to(revision).upgrade()
        _check_references(connection)
        _stamp(connection, revision)


def _stamp(connection: Connection, revision: str) -> None:
    connection.execute(
        text(
            "CREATE TABLE IF NOT EXISTS alembic_version"
            " (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        )
    )
    connection.execute(text("DELETE FROM alembic_version"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})
    if connection.dialect.name == "sqlite":
        # Programs of before the migrations look here, and refuse what is newer than they.
        connection.exec_driver_sql(f"PRAGMA user_version = {int(revision)}")


@contextmanager
def _no_foreign_keys(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew; dropping the old one must not cascade."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # Not through SQLAlchemy, which would begin a transaction: in one this says nothing.
    raw = connection.connection.dbapi_connection
    assert raw is not None  # noqa: S101 - for the type checker
    raw.cursor().execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        raw.cursor().execute("PRAGMA foreign_keys = ON")


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise InvalidInputError(
            f"The database has rows that refer to nothing, as in {broken[0][0]!r}.",
            "Nothing was changed. Check it with: picsellia-jupyter platform check",
        )


def _too_new(found: str, last: str) -> InvalidInputError:
    return InvalidInputError(
        f"The platform's database has format {found}; this version reads up to {last}.",
        "Upgrade with: pip install -U picsellia_jupyter",
    )
