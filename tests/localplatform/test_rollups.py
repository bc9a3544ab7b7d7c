"""Predictions added up in the database: once each, in any order, whatever ends the platform."""

import json
import random as chance
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, func, select, text

from picsellia_jupyter.localplatform import folding, overviews, store, upgrading
from picsellia_jupyter.localplatform.drifting import compared
from picsellia_jupyter.localplatform.folding import catch_up, fold, fold_all, pending_count
from picsellia_jupyter.localplatform.spans import rolled, stretches
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.rollups import PendingRollup, StoredRollup
from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY
from tests.localplatform.bulk import insert

START = 1_699_999_000.0


def record(world, deployment, moments, caller=None, **changes):
    """Predictions at these times; the latency of each is its time's last digits."""
    caller = caller or world.login(deployment)
    for at in moments:
        latency = 0.01 + (at % 100) / 1000
        reply = world.monitor(
            deployment, caller, timestamp=at, latency=latency, sample=False, image=None, **changes
        )
        assert reply.status_code == 201, reply.text


def counts(world):
    with world.platform.store.reading() as session:
        pending = session.scalar(select(func.count()).select_from(PendingRollup))
        rows = session.execute(
            select(StoredRollup.width_s, func.sum(StoredRollup.predictions)).group_by(
                StoredRollup.width_s
            )
        )
        return pending, {width: int(number) for width, number in rows}


def stored(world):
    """All rollups, as values that can be compared."""
    with world.platform.store.reading() as session:
        rows = session.scalars(select(StoredRollup)).all()
        return {
            (row.is_shadow, row.width_s, row.start_s): (
                row.predictions, row.shapes, row.latency_us, row.first_at, row.last_at,
                folding.unpacked(row).tally.keys.tolist(),
                folding.unpacked(row).tally.counts.tolist(),
            )
            for row in rows
        }  # fmt: skip


def moments(n=60, spread_s=3 * 86_400):
    random = np.random.default_rng(5)
    return [float(at) for at in START + random.uniform(0, spread_s, n).round(3)]


def asked(world, deployment, edges):
    with world.platform.store.reading() as session:
        return rolled(session, deployment["id"], np.array(edges, float))


def test_what_is_recorded_is_pending_and_then_counted_once_in_every_width(world):
    deployment = world.deployment()
    record(world, deployment, moments(20))
    assert counts(world) == (20, {})
    assert fold_all(world.platform) == 20
    assert counts(world) == (0, {60: 20, 3600: 20, 86_400: 20})
    assert fold(world.platform) == 0


def test_one_that_is_sent_twice_or_refused_counts_once_or_not_at_all(world):
    deployment = world.deployment()
    mine = {"custom_metadata": {PREDICTION_ID_KEY: "5f0c3c1e-0000-4000-8000-000000000001"}}
    caller = world.login(deployment)
    statuses = [world.monitor(deployment, caller, **mine).status_code for _ in range(2)]
    statuses.append(world.monitor(deployment, caller, width=0).status_code)
    fold_all(world.platform)
    statuses.append(world.monitor(deployment, caller, **mine).status_code)
    fold_all(world.platform)
    assert statuses == [201, 409, 422, 409]
    assert counts(world) == (0, {60: 1, 3600: 1, 86_400: 1})


def test_late_predictions_and_any_order_lead_to_the_same_rollups(tmp_path, open_world):
    found = []
    for turn in range(2):
        world = open_world(tmp_path / f"{turn}")
        deployment = world.deployment()
        order = moments(40)
        chance.Random(turn).shuffle(order)
        caller = world.login(deployment)
        record(world, deployment, order[:25], caller)
        fold(world.platform, at_once=7 + turn)
        record(world, deployment, order[25:], caller)
        fold_all(world.platform)
        found.append(stored(world))
        world.platform.store.close()
    assert found[0] == found[1]


def test_a_range_is_the_same_before_while_and_after_it_is_added_up(world):
    deployment = world.deployment()
    at = moments(60)
    record(world, deployment, at)
    edges = [
        START + 40_000.5,
        *(START // 3600 * 3600 + 3600 * np.arange(13, 60, 6)),
        START + 215_000.25,
    ]
    expected, _ = np.histogram(at, edges)

    def seen():
        return [part.predictions for part in asked(world, deployment, edges)]

    assert seen() == expected.tolist()
    fold(world.platform, at_once=25)
    assert seen() == expected.tolist()
    fold_all(world.platform)
    assert seen() == expected.tolist()
    day = [START // 86_400 * 86_400 + 86_400 * k for k in range(6)]
    assert [part.predictions for part in asked(world, deployment, day)] == np.histogram(at, day)[
        0
    ].tolist()


def test_no_row_is_read_but_at_the_ends_of_a_range(world):
    deployment = world.deployment()
    record(world, deployment, moments(30))
    fold_all(world.platform)
    seen = []
    engine = world.platform.store._reading_engine

    @event.listens_for(engine, "after_cursor_execute")
    def counted(_connection, cursor, statement, *_):
        if "FROM prediction" in statement:
            seen.append(statement)

    [whole] = asked(world, deployment, [START - 86_400.5, START + 5 * 86_400.5])
    assert whole.predictions == 30
    # The minute at either end; they are empty here, and bounded on both sides anyway.
    assert len(seen) == 2
    assert all(statement.count("prediction.at >=") == 1 for statement in seen)
    assert all(statement.count("prediction.at <") == 1 for statement in seen)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_pending_is_found_from_its_own_side_not_by_reading_all_predictions(world):
    deployment = world.deployment()
    insert(world, deployment, START + np.arange(30), 0.5, 0)
    asked_of, engine = [], world.platform.store._reading_engine

    @event.listens_for(engine, "before_cursor_execute")
    def noted(_connection, _cursor, statement, parameters, *_):
        if "pending_rollup" in statement and "EXPLAIN" not in statement:
            asked_of.append((statement, parameters))

    fold(world.platform, at_once=10)
    asked(world, deployment, [START - 86_400, START + 86_400])
    with world.platform.store.reading() as session:
        compared(session, session.get_one(Deployment, deployment["id"]), since=None, until=START)
        connection = session.connection()
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", given).all())
            for one, given in asked_of
            if "JOIN prediction" in one or "FROM prediction" in one
        ]
    assert len(plans) == 3
    assert all("sqlite_autoindex_prediction" in plan for plan in plans)
    assert all("ix_prediction_time" not in plan for plan in plans)


def test_stretches_are_few_and_cover_each_minute_once():
    low, high = 1_700_000_040, 1_700_000_040 + 30 * 86_400 + 60
    found = stretches(low, high)
    assert len(found) == 5
    assert found[0][1] == low
    assert all(one[2] == other[1] for one, other in pairwise(found))
    assert found[-1][2] == high
    assert all(start % width == end % width == 0 for width, start, end in found)
    assert stretches(60, 60) == []
    assert [width for width, *_ in stretches(0, 86_400 * 2, 3600)] == [3600]


def test_shadows_and_model_versions_are_added_up_apart(world):
    deployment = world.deployment()
    shadow = world.version("shadow")
    world.user.post(
        f"/api/deployment/{deployment['id']}/shadow", json={"model_version_id": shadow["id"]}
    )
    found = {"detection_classes": [], "detection_scores": [], "detection_boxes": []}
    record(world, deployment, [START], shadow_raw_predictions=found, shadow_latency=2.0)
    late = world.monitor(deployment, timestamp=START, sample=False, image=None).json()["id"]
    reply = world.login(deployment).post(
        f"/api/prediction/{late}/shadow",
        json={"shadow_raw_predictions": found, "shadow_latency": 4},
    )
    assert reply.status_code == 201, reply.text
    for _ in range(2):
        with world.platform.store.reading() as session:
            edges = np.array([START - 60, START + 60])
            [shadows] = rolled(session, deployment["id"], edges, is_shadow=True)
            [nobody] = rolled(session, deployment["id"], edges, model_version_id=shadow["id"])
            [champions] = rolled(session, deployment["id"], edges)
        assert (shadows.predictions, shadows.latency_us) == (2, 6_000_000)
        assert (nobody.predictions, champions.predictions) == (0, 2)
        fold_all(world.platform)


def test_a_deployment_goes_with_its_rollups_and_with_what_is_pending_of_it(world):
    kept, gone = world.deployment("kept"), world.deployment("gone")
    for deployment in (kept, gone):
        record(world, deployment, moments(3))
        fold_all(world.platform)
        record(world, deployment, moments(3, 1000))
    world.user.delete(f"/api/deployment/{gone['id']}", params={"force_delete": True})
    fold_all(world.platform)
    assert counts(world) == (0, {60: 6, 3600: 6, 86_400: 6})


def test_a_deployment_that_goes_while_it_is_added_up_does_not_stop_the_others(world, monkeypatch):
    kept, gone = world.deployment("kept"), world.deployment("gone")
    for deployment in (kept, gone):
        record(world, deployment, [START])
    merge = folding._merge

    def late(session, batch):
        session.execute(text("DELETE FROM deployment WHERE name = 'gone'"))
        merge(session, batch)

    monkeypatch.setattr(folding, "_merge", late)
    fold(world.platform)
    assert counts(world) == (0, {60: 1, 3600: 1, 86_400: 1})


def test_a_kill_between_any_two_statements_loses_and_doubles_nothing(tmp_path):
    program = Path(__file__).with_name("interrupted_folding.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    killed = json.loads(done.stdout)
    assert len(killed) >= 5
    whole = {"60": 8, "3600": 8, "86400": 8}
    for one in killed:
        assert one["after"] in ([8, {}], [0, whole])
        assert one["again"] == [0, whole]
    assert [8, {}] in [one["after"] for one in killed]


def test_many_pending_are_added_up_before_they_are_read(world):
    record(world, world.deployment(), moments(9))
    catch_up(world.platform, most=9)
    assert counts(world)[0] == 9
    catch_up(world.platform, most=5)
    with world.platform.store.reading() as session:
        assert pending_count(session) == 0


def test_figures_from_rollups_are_those_of_the_rows(world, monkeypatch):
    deployment = world.deployment(min_threshold=0.3)
    record(world, deployment, moments(50))
    fold(world.platform, at_once=30)
    caller = world.login(deployment)
    path = f"/api/deployment/{deployment['id']}/stats"

    def figures():
        got = [
            caller.get(path, params={"service": name, "from_timestamp": START + 50_000}).json()
            for name in ("metrics", "label_distribution")
        ]
        drawn = world.user.get(
            f"/api/local/deployments/{deployment['id']}/dashboard",
            params={"from_timestamp": START + 50_000},
        ).json()
        return got[0]["result"], got[1]["result"], drawn

    exact, labels, drawn = figures()
    monkeypatch.setattr(overviews, "EXACT", 3)
    rolled_up, same_labels, same_drawn = figures()
    assert labels == same_labels == {"one": exact["inferences"]}
    assert exact.keys() == rolled_up.keys()
    for name in ("inferences", "first_at", "last_at", "shapes", "images"):
        assert exact[name] == rolled_up[name]
    assert rolled_up["mean_latency"] == pytest.approx(exact["mean_latency"], abs=1e-6)
    for name in ("inferences", "shapes", "label_counts", "threshold", "deployment"):
        assert drawn[name] == same_drawn[name]
    assert sum(same_drawn["predictions_over_time"]["counts"]) == exact["inferences"]


def test_predictions_of_before_the_migration_are_added_up_after_it(tmp_path, open_world, request):
    for kind in ("sqlite", "postgresql"):
        url = f"sqlite:///{tmp_path / 'home' / 'platform.sqlite3'}"
        database = None
        if kind == "postgresql":
            url = database = request.getfixturevalue("postgresql").database()
        home = tmp_path / "home" if kind == "sqlite" else tmp_path / "other"
        world = open_world(home, database=database)
        record(world, world.deployment(), moments(12))
        world.platform.store.close()
        engine = store.engine_for(url, writes=True)
        with engine.begin() as connection:
            for table in ("delivery", "pending_rollup", "rollup"):
                connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
            connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
        upgrading.upgrade(engine, to="0004")
        with engine.begin() as connection:
            query = (
                select(Prediction.at)
                .join(PendingRollup, PendingRollup.prediction_id == Prediction.id)
                .order_by(PendingRollup.number)
            )
            assert list(connection.scalars(query)) == sorted(moments(12))
        engine.dispose()
