"""Upgrades a database again and again, each time killed before a later statement.

A program of its own, because it forks: `python interrupted_upgrades.py FOLDER STRIDE`, where
only each STRIDEth statement is tried. Prints one JSON line: the form of the database and its
rows after each kill, and what each form is where nobody kills.
"""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

import alembic.operations
import alembic.runtime.migration  # noqa: F401 - imported once, not in every child
from sqlalchemy import event

from picsellia_jupyter.localplatform import store, upgrading


def furnished(path: Path) -> None:
    """A database of the first form with one row of everything a foreign key may lose."""
    engine = store.engine_for(f"sqlite:///{path}", writes=True)
    upgrading.upgrade(engine, to="0001")
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript("""
            INSERT INTO connector (id, name, root, created_at) VALUES ('c', 'c', 'storage', 1);
            INSERT INTO datalake (id, name, connector_id, is_default, created_at)
              VALUES ('l', 'l', 'c', 1, 1);
            INSERT INTO organization (id, name, default_connector_id, created_at)
              VALUES ('o', 'o', 'c', 1);
            INSERT INTO model (id, name, description, created_at) VALUES ('m', 'm', '', 1);
            INSERT INTO model_version (id, model_id, version, name, type, framework, created_at)
              VALUES ('v', 'm', 0, 'v', 'CLASSIFICATION', 'ONNX', 1);
            INSERT INTO data (id, datalake_id, object_name, filename, type, content_type,
                              upload_status, created_at)
              VALUES ('d', 'l', 'n', 'f', 'IMAGE', 'image/png', 'DONE', 1);
            INSERT INTO deployment (id, name, type, model_version_id, sample_rate,
                                    target_datalake_id, disable_serving, inferences,
                                    serving_reason, created_at)
              VALUES ('p', 'p', 'CLASSIFICATION', 'v', 1, 'l', 0, 1, '', 1);
            INSERT INTO predicted_asset (id, deployment_id, oracle_prediction_id, data_id,
                                         created_at)
              VALUES ('a', 'p', 'q', 'd', 1);
            INSERT INTO review (id, predicted_asset_id, shapes, created_at)
              VALUES ('r', 'a', '{}', 1);
        """)
    connection.close()


def state(path: Path) -> dict:
    with sqlite3.connect(path) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("datalake", "data", "deployment", "predicted_asset", "review")
        }
        seen = {
            "form": connection.execute("SELECT version_num FROM alembic_version").fetchone()[0],
            "user_version": connection.execute("PRAGMA user_version").fetchone()[0],
            "tables": sorted(table for table in tables if not table.startswith("sqlite_")),
            "rows": rows,
            "integrity": connection.execute("PRAGMA integrity_check").fetchone()[0],
        }
    connection.close()
    return seen


def upgraded_until(path: Path, kill_before: int) -> bool:
    """Upgrade in a child that is killed before that statement; whether it came through."""
    child = os.fork()
    if child == 0:
        engine = store.engine_for(f"sqlite:///{path}", writes=True)
        count = itertools.count()

        @event.listens_for(engine, "before_cursor_execute")
        def counted(*_):
            if next(count) == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)

        upgrading.upgrade(engine)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def main(folder: Path, stride: int) -> None:
    first = folder / "first.sqlite3"
    furnished(first)
    outcomes = []
    for k in itertools.count(0, stride):
        path = folder / "tried.sqlite3"
        for left in folder.glob("tried.*"):
            left.unlink()
        shutil.copy(first, path)
        done = upgraded_until(path, k)
        after = state(path)
        again = upgraded_until(path, -1)
        outcomes.append({"after": after, "again": again and state(path)})
        if done:
            break
    print(json.dumps({"forms": forms(first), "outcomes": outcomes}))


def forms(first: Path) -> list[dict]:
    """What each step leaves, where nothing comes between."""
    path, seen = first.with_name("whole.sqlite3"), []
    shutil.copy(first, path)
    for revision in upgrading.revisions():
        engine = store.engine_for(f"sqlite:///{path}", writes=True)
        upgrading.upgrade(engine, to=revision)
        engine.dispose()
        seen.append(state(path))
    return seen


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
