"""Writes the next migration from what the tables and the last migration differ in."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Column, DefaultClause, create_engine, event, false, true

from picsellia_jupyter.localplatform.migrations import versions
from picsellia_jupyter.localplatform.tables.base import Base
from picsellia_jupyter.localplatform.upgrading import revisions, upgrade

TEMPLATE = '''"""{what}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down_revision}


def upgrade() -> None:
    """Take the step; its transaction is the caller's."""
    {code}
'''


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a migration; 0 where there was something to write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="+", help="what changes, as a sentence")
    parser.add_argument("--again", action="store_true", help="write the last one anew")
    args = parser.parse_args(arguments)
    if args.again:
        _path(revisions()[-1]).unlink()
    before = revisions()
    code = _code(before[-1] if before else None)
    code = "\n".join(line for line in code.splitlines() if line.strip())
    if code.strip() == "pass":
        sys.stderr.write("The tables are as the last migration leaves them.\n")
        return 1
    revision = f"{len(before) + 1:04}"
    what = " ".join(args.what)
    text = TEMPLATE.format(
        what=what if what.endswith(".") else f"{what}.",
        revision=revision,
        down_revision=f'"{before[-1]}"' if before else None,
        code=code,
    )
    _path(revision).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{_path(revision)}\n")
    return 0


def _path(revision: str) -> Path:
    return Path(versions.__path__[0]) / f"r{revision}.py"


def _code(last: str | None) -> str:
    from alembic.autogenerate import produce_migrations, render_python_code
    from alembic.runtime.migration import MigrationContext

    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/made.sqlite3")
        event.listen(engine, "connect", _begin_ourselves)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        if last is not None:
            upgrade(engine, to=last)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=COMPARE)
            steps = produce_migrations(context, Base.metadata)
        engine.dispose()
    assert steps.upgrade_ops is not None  # noqa: S101 - for the type checker
    _fit_existing_tables(steps.upgrade_ops)
    code = render_python_code(steps.upgrade_ops, render_as_batch=True)
    return "\n".join(line for line in code.splitlines() if "###" not in line).strip()


def _is_ours(_object: Any, name: str | None, kind: str, *_rest: Any) -> bool:
    return not (kind == "table" and name == "alembic_version")


COMPARE: dict[str, Any] = {"include_object": _is_ours, "compare_type": True}
"""What counts as a difference of two schemas."""


def _begin_ourselves(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _fit_existing_tables(steps: Any) -> None:
    """Say what changing a table that has rows needs, and making a new one does not."""
    from alembic.operations.ops import AddColumnOp, CreateForeignKeyOp, ModifyTableOps

    changed = [table for table in steps.ops if isinstance(table, ModifyTableOps)]
    for step in (step for table in changed for step in table.ops):
        if isinstance(step, AddColumnOp) and not step.column.nullable:
            # Old rows take the value that new rows take by default.
            step.column.server_default = _server_default(step.column)
        elif isinstance(step, CreateForeignKeyOp) and step.constraint_name is None:
            # SQLite makes such a table anew, and needs a name for what it did not have.
            step.constraint_name = f"fk_{step.source_table}_{'_'.join(step.local_cols)}"


def _server_default(column: Column[Any]) -> DefaultClause | None:
    value = getattr(column.default, "arg", None)
    if isinstance(value, bool):
        return DefaultClause(true() if value else false())
    return None if value is None or callable(value) else DefaultClause(str(value))


if __name__ == "__main__":
    sys.exit(main())
