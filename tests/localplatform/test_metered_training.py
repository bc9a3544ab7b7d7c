"""MPU of training runs: reserved, settled by numbered ticks, and never over the quota."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from picsellia_jupyter.domain.errors import QuotaSpentError
from picsellia_jupyter.domain.usage import NANO
from picsellia_jupyter.localplatform.metered_training import TrainingLedger
from picsellia_jupyter.localplatform.metering import AHEAD_NS, HOUR_NS, Ledger
from picsellia_jupyter.localplatform.tables.usage import Account, Charge, TrainingMeter

SECOND = 1_000_000_000
RUN, OTHER = "2c9a6e3e-0f3b-4a0e-9d2f-2b9f6d2b5f11", "7d0e2f55-5a0e-4f0c-8f8f-0d7b0f6f4b22"
NAME = "training of press-line"


class Metered:
    """A platform's ledger and its clock; a MPU is used in a second."""

    def __init__(self, world):
        self.world, self.now = world, 50 * SECOND
        world.platform.monotonic_ns = lambda: self.now
        world.platform.began_ns = self.now
        self.plan(None)

    def __call__(self, ask):
        with self.world.platform.store.writing() as session:
            return ask(TrainingLedger(Ledger(self.world.platform, session)))

    def plan(self, quota):
        def change(runs):
            account = runs.ledger.account()
            account.rate_nano = HOUR_NS // SECOND * NANO
            account.quota_nano = None if quota is None else quota * NANO

        self(change)

    def pass_by(self, seconds):
        self.now += round(seconds * SECOND)

    def reserve(self, run=RUN, runner="r1"):
        self(lambda runs: runs.reserve(run, runner))

    def tick(self, number, run=RUN, runner="r1"):
        return self(lambda runs: runs.tick(run, runner, number, name=NAME))

    def settle(self, run=RUN):
        self(lambda runs: runs.settle(run, name=NAME))

    @property
    def told(self):
        said = self.world.user.get("/api/local/usage").json()
        return said["used"], said["reserved"]

    def forget(self):
        with self.world.platform.store.writing() as session:
            for table in (Charge, TrainingMeter, Account):
                session.execute(delete(table))


@pytest.fixture
def metered(world):
    return Metered(world)


def test_a_run_is_charged_from_its_beginning_to_its_end(metered):
    metered.reserve()
    assert metered.told == (0.0, 10.0)
    for number in (1, 2):
        metered.pass_by(3)
        assert metered.tick(number) == ""
    metered.pass_by(1.5)
    metered.settle()
    assert metered.told == (7.5, 0.0)
    (entry,) = metered.world.user.get("/api/local/usage").json()["entries"]
    assert (entry["deployment_id"], entry["name"], entry["mpu"]) == (RUN, NAME, 7.5)


def test_what_is_heard_twice_is_settled_once(metered):
    metered.reserve()
    metered.pass_by(2)
    for _ in range(2):
        assert metered.tick(1) == ""
        metered.pass_by(1)
    metered.reserve()
    metered.tick(2)
    for _ in range(2):
        metered.settle()
        metered.pass_by(1)
    assert metered.tick(3) == ""
    assert metered.told == (4.0, 0.0)


def test_a_runner_that_lost_its_run_is_not_charged_and_the_next_one_counts_anew(metered):
    metered.reserve()
    metered.pass_by(2)
    metered.tick(1)
    metered.pass_by(30)
    metered.reserve(runner="r2")
    metered.pass_by(1)
    assert metered.tick(2) == ""
    assert metered.tick(1, runner="r2") == ""
    assert metered.told[0] == 3.0


def test_nothing_left_refuses_a_run_and_stops_one_with_a_reason(metered):
    metered.plan(5)
    metered.reserve()
    with pytest.raises(QuotaSpentError, match="No MPU is left for training: 0 of 5 MPU are used, "):
        metered.reserve(OTHER)
    metered.pass_by(4)
    assert metered.tick(1) == ""
    metered.pass_by(4)
    assert metered.tick(2) == "No MPU is left for training: 5 of 5 MPU are used."
    metered.settle()
    assert metered.told == (5.0, 0.0)


def test_what_another_run_of_the_platform_saw_is_not_charged(metered):
    metered.reserve()
    metered.pass_by(2)
    metered.tick(1)
    metered.world.platform.run = "after a crash"
    metered.pass_by(2)
    assert metered.tick(2) == ""
    metered.pass_by(2)
    assert metered.tick(3) == ""
    assert metered.told[0] == 4.0


def test_a_training_run_and_a_deployment_share_one_quota(metered):
    metered.plan(8)
    metered.reserve()
    version = metered.world.version("late")
    path = f"/api/model/version/{version['id']}/deploy"
    reply = metered.world.user.post(path, json={"name": "late"})
    assert reply.status_code == 402
    metered.settle()
    assert metered.world.user.post(path, json={"name": "late"}).status_code == 201


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([0.5, 2, 2, 9, 11])),
        st.tuples(st.sampled_from(["tick", "again", "settle", "reserve"]), st.integers(0, 1)),
        st.tuples(st.just("crash"), st.just(0)),
    ),
    min_size=5, max_size=40,
)  # fmt: skip


def test_in_any_order_of_events_used_is_charged_within_a_tick_and_never_over(world):
    metered = Metered(world)

    @given(EVENTS, st.sampled_from([None, 7, 20]))
    def run(events, quota):
        metered.forget()
        metered.plan(quota)
        most = _play(metered, events)
        with world.platform.store.reading() as session:
            used = session.scalar(select(Account.used_nano)) or 0
            charged = session.scalar(select(func.sum(Charge.amount_nano))) or 0
            assert Ledger(world.platform, session).held() >= 0
        assert used == charged
        assert 0 <= used <= most * NANO
        assert quota is None or used <= quota * NANO

    run()


def _play(metered, events):
    """Do what happens to two runs; the seconds that they can have used at most."""
    held, ticks, most = set(), {RUN: 0, OTHER: 0}, 0.0
    for what, which in events:
        run = (RUN, OTHER)[int(which)] if what != "pass" else RUN
        if what == "pass":
            metered.pass_by(which)
            most += which * len(held) if which * SECOND <= AHEAD_NS else 0
        elif what == "crash":
            metered.world.platform.run = f"run {metered.now}"
        elif what == "settle":
            metered.settle(run)
            held.discard(run)
        elif what == "reserve":
            _reserve(metered, run, held, ticks)
        else:
            ticks[run] += what == "tick"
            if metered.tick(ticks[run], run):
                held.discard(run)
    return most


def _reserve(metered, run, held, ticks):
    try:
        metered.reserve(run)
    except QuotaSpentError:
        return
    if run not in held:
        ticks[run] = 0
    held.add(run)
