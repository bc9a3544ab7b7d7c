"""Adds predictions up again and again, each time killed before a later statement.

A program of its own, because it forks: `python interrupted_folding.py FOLDER`. Prints one JSON
line: what is pending and what is counted after each kill, and after going on.
"""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

import numpy as np
from sqlalchemy import event

from picsellia_jupyter.localplatform.bootstrap import open_platform
from picsellia_jupyter.localplatform.folding import fold_all

PREDICTIONS = 8


def opened(home: Path):
    return open_platform(home, token=None, clock=lambda: 1.0, started_at=1.0)[0]


def furnished(home: Path) -> None:
    opened(home).store.close()
    with sqlite3.connect(home / "platform.sqlite3") as connection:
        connection.executescript("""
            INSERT INTO model (id, name, description, created_at) VALUES ('m', 'm', '', 1);
            INSERT INTO model_version (id, model_id, version, name, type, framework, created_at)
              VALUES ('v', 'm', 0, 'v', 'OBJECT_DETECTION', 'ONNX', 1);
            INSERT INTO deployment (id, name, type, model_version_id, sample_rate,
                                    target_datalake_id, disable_serving, inferences,
                                    serving_reason, created_at)
              SELECT 'd', 'd', 'OBJECT_DETECTION', 'v', 1, id, 0, 8, '', 1 FROM datalake;
        """)
        for number in range(PREDICTIONS):
            connection.execute(
                "INSERT INTO prediction (id, created_at, deployment_id, oracle_prediction_id,"
                " is_shadow, model_version_id, at, latency, width, height, tags, classes, scores,"
                " raw) VALUES (?, 1, 'd', ?, 0, 'v', ?, 0.01, 9, 9, '[]', ?, ?, '{}')",
                [f"{number}", f"{number}", number * 30_000.0,
                 np.int64([0]).tobytes(), np.float64([0.5]).tobytes()],
            )  # fmt: skip
            connection.execute(
                "INSERT INTO pending_rollup VALUES (?, ?)", [number + 1, f"{number}"]
            )
    connection.close()


def folded_until(home: Path, kill_before: int) -> bool:
    """Add up in a child that is killed before that statement; whether it came through."""
    child = os.fork()
    if child == 0:
        here, count = opened(home), itertools.count()

        @event.listens_for(here.store._writing_engine, "before_cursor_execute")
        def counted(*_):
            if next(count) == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)

        @event.listens_for(here.store._writing_engine, "commit")
        def committing(_connection):
            if next(count) == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)

        fold_all(here)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def counts(home: Path) -> list:
    with sqlite3.connect(home / "platform.sqlite3") as connection:
        [pending] = connection.execute("SELECT count(*) FROM pending_rollup").fetchone()
        query = "SELECT width_s, sum(predictions) FROM rollup GROUP BY width_s"
        seen = [pending, {str(width): n for width, n in connection.execute(query)}]
    connection.close()
    return seen


def main(folder: Path) -> None:
    furnished(folder / "first")
    seen = []
    for k in itertools.count():
        home = folder / "tried"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(folder / "first", home)
        done = folded_until(home, k)
        after = counts(home)
        folded_until(home, -1)
        seen.append({"after": after, "again": counts(home)})
        if done:
            break
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
