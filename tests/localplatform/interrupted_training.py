"""Submits reviews that set off training and starts a runner, each time killed somewhere later.

A program of its own, because it forks: `python interrupted_training.py FOLDER TIMES`. Prints one
JSON list: what is there after each kill, after going on, and how often a runner had the run.
"""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from sqlalchemy import event

from picsellia_jupyter.localplatform.bootstrap import open_platform
from picsellia_jupyter.localplatform.reviewing import submit_reviews
from picsellia_jupyter.localplatform.starting import Starter
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.training import claim

SETTINGS = {
    "project_id": "p",
    "trigger": "FEEDBACK_LOOP",
    "threshold": 2,
    "experiment_parameters": {"a": 1},
}


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
        connection.execute(
            "INSERT INTO pipeline (id, created_at, deployment_id, feedback_set_up, feedback_active,"
            " training_settings, training_active, submitted_reviews, trained_reviews,"
            " deployment_active) VALUES ('l', 1, 'd', 0, 0, ?, 1, 0, 0, 0)",
            [json.dumps(SETTINGS)],
        )
        for number in range(2):
            connection.execute(
                "INSERT INTO data (id, created_at, datalake_id, object_name, filename, type,"
                " content_type, upload_status) SELECT ?, 1, id, ?, ?, 'IMAGE', 'image/png', 'DONE'"
                " FROM datalake LIMIT 1",
                [f"i{number}"] * 3,
            )
            connection.execute(
                "INSERT INTO predicted_asset (id, created_at, deployment_id, data_id,"
                " oracle_prediction_id, review_state) VALUES (?, 1, 'd', ?, ?, 'REVIEWED')",
                [f"a{number}", f"i{number}", f"o{number}"],
            )
    connection.close()


class Claimed:
    """A runner that has claimed its run and goes on."""

    def __init__(self, here, run_id: str) -> None:
        with here.store.writing() as session:
            claim(session, run_id, f"runner-{os.getpid()}", now=1.0)

    def poll(self) -> None:
        return None


def worked_until(home: Path, kill_before: int) -> bool:
    """Submit and start in a child that is killed before that statement; whether it came through."""
    child = os.fork()
    if child == 0:
        here, count = opened(home), itertools.count()

        def counted(*_):
            if next(count) == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(here.store._writing_engine, "before_cursor_execute", counted)
        event.listen(here.store._writing_engine, "commit", counted)
        with here.store.writing() as session:
            submit_reviews(session, session.get_one(Deployment, "d"), None, now=1.0)
        starter = Starter(here, lambda run_id: Claimed(here, run_id))
        starter()
        starter()
        (home / "places").write_text(str(next(count)))
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def one(home: Path, query: str) -> int:
    with sqlite3.connect(home / "platform.sqlite3") as connection:
        [found] = connection.execute(query).fetchone()
    connection.close()
    return found


def counts(home: Path) -> dict[str, int]:
    return {
        "runs": one(home, "SELECT count(*) FROM training_run"),
        "submitted": one(
            home, "SELECT count(*) FROM predicted_asset WHERE review_state = 'SUBMITTED'"
        ),
        "counted": one(home, "SELECT submitted_reviews FROM pipeline"),
    }


def main(folder: Path, times: int) -> None:
    furnished(folder / "first")
    seen, home = [], fresh(folder)
    worked_until(home, -1)
    places = int((home / "places").read_text())
    for number in range(times):
        home = fresh(folder)
        done = worked_until(home, number * places // times)
        after = counts(home)
        worked_until(home, -1)
        starts = one(home, "SELECT attempt FROM training_run")
        seen.append({"killed": not done, "after": after, "again": counts(home), "starts": starts})
    print(json.dumps(seen))


def fresh(folder: Path) -> Path:
    home = folder / "tried"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(folder / "first", home)
    return home


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
