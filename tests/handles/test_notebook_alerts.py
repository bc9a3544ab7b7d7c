"""Alerts that a notebook looks at itself: one episode each, with its count, and no storm."""

import threading
from dataclasses import replace

import pytest

from picsellia_jupyter.domain.alerts import Alert, AlertMetric, Rule
from picsellia_jupyter.domain.cloud_figures import Told
from picsellia_jupyter.domain.errors import ConflictError, NotServingError
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.handles.notebook_alerts import NotebookWatch, Sources


class World:
    """A kernel that counts, a platform that tells, and a clock."""

    def __init__(self):
        self.now, self.kernel, self.stats, self.asked = 1_000.0, Running(predicted=0), (), []
        self.looked = threading.Event()
        self.watch = NotebookWatch(Sources(self.running, self.told), "h", clock=lambda: self.now)

    def running(self):
        self.looked.set()
        if isinstance(self.kernel, Exception):
            raise self.kernel
        return self.kernel

    def told(self, since):
        self.asked.append(since)
        return self.stats

    def pass_by(self, seconds, *, predicted=0, failed=0, each_s=0.01):
        self.now += seconds
        kernel = self.kernel
        self.kernel = replace(
            kernel,
            predicted=kernel.predicted + predicted,
            failed=kernel.failed + failed,
            latency_s=kernel.latency_s + predicted * each_s,
        )
        self.watch.look()

    def add(self, metric, limit, name="one", **rule):
        alert = Alert("id", name, metric, ">", limit, window_s=60)
        return self.watch.add(alert, Rule(">", limit, **rule))

    @property
    def one(self):
        return self.watch.alerts[0]


@pytest.fixture
def world():
    made = World()
    yield made
    made.watch.end()


def test_an_episode_is_one_alert_with_its_count_however_often_it_is_met(world):
    assert world.add(AlertMetric.ERROR_RATE, 0.2, cooldown_s=30).state == "unknown"
    world.pass_by(10, predicted=10)
    assert (world.one.state, world.one.value) == ("ok", 0.0)
    for _ in range(3):
        world.pass_by(10, predicted=1, failed=9)
    assert world.one.state == "firing"
    assert "3 looks, worst 0.675" in world.one.reason
    world.pass_by(70, predicted=50)
    assert (world.one.state, world.one.reason) == ("ok", "")


def test_the_mean_latency_is_that_of_what_came_since(world):
    world.kernel = Running(predicted=1_000, latency_s=1.0)
    world.add(AlertMetric.AVERAGE_LATENCY, 0.2)
    world.pass_by(10, predicted=4, each_s=0.5)
    assert (world.one.state, world.one.value) == ("firing", pytest.approx(0.5))


def test_a_kernel_that_does_not_answer_is_unknown_and_says_why(world):
    world.add(AlertMetric.NO_TRAFFIC, 30)
    world.kernel = None
    world.watch.look()
    assert (world.one.state, world.one.reason) == (
        "unknown", "no serving kernel of yours answers",
    )  # fmt: skip
    world.kernel = NotServingError("It has ended.")
    world.watch.look()
    assert world.one.reason == "It has ended."


def test_the_platforms_own_figures_are_asked_for_every_five_minutes(world):
    world.stats = (Told("S", (("stats.ap_50_95", 0.9),)),)
    world.add(AlertMetric.AVERAGE_PRECISION, 0.5)
    world.pass_by(100)
    assert world.asked == [940.0]
    assert (world.one.state, world.one.value) == ("firing", 0.9)
    world.stats = ()
    world.pass_by(210)
    assert world.asked == [940.0, 1_250.0]
    assert world.one.reason == "the statistics of h have no 'ap_50_95'"


def test_two_of_one_name_are_refused_and_a_removed_one_is_looked_at_no_more(world):
    world.add(AlertMetric.NO_TRAFFIC, 30)
    with pytest.raises(ConflictError, match="'one' is watched already"):
        world.add(AlertMetric.NO_TRAFFIC, 60)
    world.watch.remove("id")
    assert world.watch.alerts == ()
    world.watch.look()


def test_it_looks_by_itself_from_then_on(world):
    world.add(AlertMetric.NO_TRAFFIC, 30)
    world.looked.clear()
    world.watch.go_on(every_s=0.01)
    assert world.looked.wait(20)
