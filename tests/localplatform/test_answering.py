"""What serving kernels count of their predictions: heartbeats, alerts, the dashboard's errors."""

import numpy as np
import pytest

from picsellia_jupyter.localplatform.answering import KEPT_S, counted
from picsellia_jupyter.localplatform.tables.rollups import AnswerCounter
from picsellia_jupyter.localplatform.watching import watch
from tests.localplatform.test_alerts import alert, fired, record, state
from tests.localplatform.test_exposition import samples
from tests.localplatform.test_reporting import report

KERNEL = {"kernel_id": "k", "address": "http://127.0.0.1:4000", "place": "local"}


def beat(world, deployment, answered, failed, counter="a"):
    body = {
        "state": "ready", "kernel": KERNEL,
        "answers": {"counter": counter, "answered": answered, "failed": failed},
    }  # fmt: skip
    path = f"/api/local/deployments/{deployment['id']}/heartbeat"
    return world.user.post(path, json=body)


def total(world, deployment, *edges):
    with world.platform.store.reading() as session:
        found = counted(session, deployment["id"], np.array(edges, float))
    return [part.tolist() for part in found]


def around(world):
    return world.clock() - 7200, world.clock() + 60


def test_only_what_is_new_in_a_heartbeat_counts(world):
    deployment = world.deployment()
    for answered, failed in ((10, 1), (10, 1), (25, 2)):
        assert beat(world, deployment, answered, failed).status_code == 200
    assert total(world, deployment, *around(world)) == [[25], [2]]


def test_a_heartbeat_that_comes_late_takes_nothing_back(world):
    deployment = world.deployment()
    beat(world, deployment, 10, 5)
    beat(world, deployment, 8, 4)
    beat(world, deployment, 11, 5)
    assert total(world, deployment, *around(world)) == [[11], [5]]


def test_a_kernel_that_starts_anew_and_replicas_count_for_themselves(world):
    deployment = world.deployment()
    for counter, answered, failed in (("a", 10, 1), ("b", 3, 0), ("a", 12, 1), ("b", 4, 2)):
        beat(world, deployment, answered, failed, counter)
    assert total(world, deployment, *around(world)) == [[16], [3]]


def test_minutes_hours_and_days_tell_the_same(world):
    deployment = world.deployment()
    world.clock.now = 1_700_000_000.0 // 86_400 * 86_400 + 30
    begin, answered = world.clock(), 0
    for _ in range(50):
        answered += 3
        beat(world, deployment, answered, answered // 3)
        world.clock.pass_by(3600 * 1.7)
    day = begin - 30
    edges = [day + n * 86_400 for n in range(5)]
    by_day = total(world, deployment, *edges)
    assert total(world, deployment, edges[0], edges[-1]) == [[150], [50]]
    assert [sum(part) for part in by_day] == [150, 50]
    by_hour = total(world, deployment, *(day + n * 3600 for n in range(97)))
    assert [sum(by_hour[1][n : n + 24]) for n in range(0, 96, 24)] == by_day[1]


def test_counters_of_fronts_that_ended_long_ago_are_forgotten(world):
    deployment = world.deployment()
    beat(world, deployment, 1, 0, "old")
    world.clock.pass_by(KEPT_S + 1)
    beat(world, deployment, 2, 0, "new")
    with world.platform.store.reading() as session:
        assert [row.counter for row in session.query(AnswerCounter)] == ["new"]


@pytest.mark.parametrize(
    "answers", [{"answered": 1}, {"counter": "a", "answered": -1, "failed": 0}]
)
def test_numbers_that_make_no_sense_are_refused(world, answers):
    deployment = world.deployment()
    body = {"state": "ready", "kernel": KERNEL, "answers": answers}
    path = f"/api/local/deployments/{deployment['id']}/heartbeat"
    assert world.user.post(path, json=body).status_code == 422


def test_the_error_rate_of_a_window_is_watched(world):
    deployment = world.deployment()
    alert(world, deployment, metric="error_rate", limit=0.2, window_s=600, cooldown_s=60)
    watch(world.platform)
    told = "No serving kernel was asked for a prediction in the window."
    assert (state(world, deployment)["state"], state(world, deployment)["reason"]) == (
        "unknown", told,
    )  # fmt: skip
    beat(world, deployment, 90, 10)
    world.clock.pass_by(60)
    watch(world.platform)
    assert state(world, deployment)["value"] == pytest.approx(0.1)
    assert state(world, deployment)["state"] == "ok"
    beat(world, deployment, 95, 105)
    world.clock.pass_by(60)
    watch(world.platform)
    [one] = fired(world, deployment)
    assert (one["worst"], one["ended_at"]) == (pytest.approx(105 / 200), None)
    world.clock.pass_by(700)
    beat(world, deployment, 195, 105)
    world.clock.pass_by(60)
    watch(world.platform)
    assert state(world, deployment)["value"] == 0.0
    assert fired(world, deployment)[0]["ended_at"] == world.clock()


def test_errors_stand_in_the_report_in_their_bins(world):
    deployment = world.deployment()
    record(world, deployment, 2)
    beat(world, deployment, 2, 3)
    told = report(world, deployment, from_timestamp=world.clock() - 86_400)
    assert (told["errors"]["answered"], told["errors"]["failed"]) == (2, 3)
    bins = told["figures"]["predictions_over_time"]
    assert len(told["errors"]["over_time"]) == len(bins["counts"])
    assert told["errors"]["over_time"][-1] == 3


@pytest.mark.parametrize("picked", [{"label": "one"}, {"tag": "night"}, {"version": True}])
def test_what_failed_is_of_no_label_tag_or_version(world, picked):
    deployment = world.deployment()
    record(world, deployment, 2)
    beat(world, deployment, 2, 3)
    if "version" in picked:
        picked = {"version": report(world, deployment)["champion"]}
    assert report(world, deployment, **picked)["errors"] is None


def test_prometheus_is_told_what_failed(world):
    deployment = world.deployment()
    beat(world, deployment, 7, 2)
    found, own = samples(world), ("deployment", "lines")
    assert found[("picsellia_answered_total", own)] == 7
    assert found[("picsellia_failed_total", own)] == 2
