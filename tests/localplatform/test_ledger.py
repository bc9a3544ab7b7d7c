"""The ledger of MPU against a model of it, over any order of events."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from picsellia_jupyter.localplatform.metering import AHEAD_NS, HOUR_NS, LAPSE_NS, Ledger
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.usage import Account, Charge

NANO = 1_000_000_000
DAY_S = 86_400
COUNT = itertools.count()
SPANS = st.sampled_from([0.001, 1.7, 2, 2, 2, 5, 9.9, 10.1, 70])
"""Seconds."""


@dataclass
class Kernel:
    """A serving kernel as it really is."""

    deployment: str
    name: str
    metered: bool
    heard_at: int
    """When the platform last took a heartbeat of it, in true nanoseconds."""
    run: str
    paused: bool
    open: int = 0
    """Nano-MPU that it really used since then."""


class LedgerMachine(RuleBasedStateMachine):
    """Deployments come and go, kernels and platforms are killed, clocks jump."""

    def __init__(self, world, version_id):
        super().__init__()
        self.world, self.version_id = world, version_id
        self.now = LAPSE_NS * next(COUNT) * 100
        self.offset = 0
        self.rate, self.quota = NANO, None
        self.deployments: list[tuple[str, bool]] = []
        self.kernels: list[Kernel] = []
        world.platform.monotonic_ns = lambda: self.now + self.offset
        self._begin_run()
        with world.platform.store.writing() as session:
            for table in (Charge, Deployment, Account):
                for row in session.scalars(select(table)):
                    session.delete(row)
        self.spent = 0
        self.used, self.lost, self.short = Counter(), Counter(), Counter()
        """Nano-MPU by deployment; of those used, the ones that nobody may charge, and the ones
        that the last of a quota was perhaps not enough for."""
        self.passes = 0
        """Each may round what was used up by one nano-MPU."""

    def _begin_run(self):
        self.world.platform.run = f"run {next(COUNT)}"
        self.world.platform.began_ns = self.world.platform.monotonic_ns()

    def _free(self):
        with self.world.platform.store.reading() as session:
            held = Ledger(self.world.platform, session).held()
        return self.quota - self._used() - held

    def _used(self):
        with self.world.platform.store.reading() as session:
            return session.scalar(select(Account.used_nano)) or 0

    def _told(self, kernel, state, *, claim=False):
        body = {
            "state": state,
            "claim": claim,
            "kernel": {"kernel_id": kernel.name, "address": "http://127.0.0.1:9", "place": "x"},
        }
        path = f"/api/local/deployments/{kernel.deployment}/heartbeat"
        return self.world.user.post(path, json=body)

    def _heard(self, kernel, *, pauses):
        """A heartbeat of it was taken: what it used since the last is settled, or lost."""
        unseen = kernel.run != self.world.platform.run or self.now - kernel.heard_at > AHEAD_NS
        if unseen:
            self._lose(kernel)
        elif pauses and not kernel.paused:
            self.short[kernel.deployment] += kernel.open
        kernel.open, kernel.paused = 0, pauses
        kernel.run, kernel.heard_at = self.world.platform.run, self.now

    def _lose(self, kernel):
        """What it used since its last heartbeat, which is one heartbeat at most, is not charged."""
        assert kernel.open <= self.rate * AHEAD_NS // HOUR_NS + self.passes
        self.lost[kernel.deployment] += kernel.open
        kernel.open = 0

    def _settle_and_fail(self, kernel):
        with self.world.platform.store.writing() as session:
            row = session.get_one(Deployment, kernel.deployment)
            Ledger(self.world.platform, session).beat(row, kernel.name, "ready", claims=False)
            1 / 0  # noqa: B018 - what the disk may do before the commit

    def _serve(self, deployment, *, metered):
        kernel = Kernel(
            deployment, f"k{next(COUNT)}", metered, self.now, self.world.platform.run, paused=False
        )
        reply = self._told(kernel, "ready", claim=True)
        assert reply.status_code in ((200, 402) if metered else (200,)), reply.text
        if reply.status_code == 200:
            for other in [one for one in self.kernels if one.deployment == deployment]:
                self._lose(other)
                self.kernels.remove(other)
            self.kernels.append(kernel)

    def _beat(self, kernel):
        reply = self._told(kernel, "paused" if kernel.paused else "ready")
        assert reply.status_code == 200, reply.text
        self._heard(kernel, pauses=bool(reply.json()["paused"]))

    def _pass_by(self, seconds):
        passed = round(seconds * NANO)
        for kernel in self.kernels:
            # Ten seconds after its last heartbeat it counts as stopped, whatever it does.
            seen = min(passed, max(0, kernel.heard_at + AHEAD_NS - self.now))
            if kernel.metered and not kernel.paused:
                used = -(-self.rate * seen // HOUR_NS)
                self.used[kernel.deployment] += used
                kernel.open += used
        self.passes += 1
        self.now += passed

    # What happens ------------------------------------------------------------------------

    @initialize()
    def begin(self):
        self.deploy(metered=True)
        self._serve(self.deployments[0][0], metered=True)

    @rule(metered=st.booleans())
    @precondition(lambda self: len(self.deployments) < 4)
    def deploy(self, metered):
        may = not metered or self.quota is None or self._free() > 0
        body = {"name": f"d{next(COUNT)}", "disable_serving": not metered}
        reply = self.world.user.post(f"/api/model/version/{self.version_id}/deploy", json=body)
        assert reply.status_code == (201 if may else 402), reply.text
        if may:
            self.deployments.append((reply.json()["id"], metered))

    @rule(which=st.integers(0, 3))
    def serve(self, which):
        deployment, metered = self.deployments[which % len(self.deployments)]
        self._serve(deployment, metered=metered)

    @rule(spans=st.lists(st.tuples(SPANS, st.integers(0, 7)), min_size=1, max_size=5))
    def go_on(self, spans):
        """Time passes and some kernels tell of themselves, the first one perhaps twice."""
        for seconds, which in spans:
            self._pass_by(seconds)
            for kernel in self.kernels[which // 2 :] + self.kernels[: which % 2]:
                self._beat(kernel)

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self.kernels)
    def fail_before_the_commit(self, which):
        with pytest.raises(ZeroDivisionError):
            self._settle_and_fail(self.kernels[which % len(self.kernels)])

    @rule(which=st.integers(0, 3), politely=st.booleans(), after=SPANS, again=st.booleans())
    @precondition(lambda self: self.kernels)
    def end(self, which, politely, after, again):
        """A kernel is stopped or killed; another one may take its deployment up after a while."""
        kernel = self.kernels[which % len(self.kernels)]
        if politely:
            self._told(kernel, "stopped")
            # The last ones of a quota may not be enough for what it used since its last heartbeat.
            spent = self.quota is not None and self._free() <= 0
            self._heard(kernel, pauses=spent)
        else:
            self._lose(kernel)
        self.kernels.remove(kernel)
        self._pass_by(after)
        if again:
            self._serve(kernel.deployment, metered=kernel.metered)

    @rule(seconds=st.sampled_from([-DAY_S, DAY_S, 3600, -1]))
    def set_the_wall_clock(self, seconds):
        self.world.clock.pass_by(seconds)

    @rule(offset=st.sampled_from([0, -DAY_S * NANO, DAY_S * NANO]))
    def kill_the_platform_and_start_it(self, offset):
        self.offset = offset  # another boot has another monotonic clock
        self._begin_run()

    @rule(more=st.sampled_from([None, 0, 1, NANO // 1000, NANO // 200, NANO // 100]))
    def set_the_quota(self, more):
        self.quota = None if more is None else self._used() + more
        with self.world.platform.store.writing() as session:
            Ledger(self.world.platform, session).account().quota_nano = self.quota

    @rule(rate=st.sampled_from([NANO, 50 * NANO, 1_000_000]))
    @precondition(lambda self: not self.kernels)
    def set_the_rate(self, rate):
        self.world.user.patch("/api/local/usage", json={"rate": rate / NANO})
        self.rate = rate

    # What always holds -------------------------------------------------------------------

    @invariant()
    def the_account_is_the_sum_of_its_charges_and_never_over_the_quota(self):
        used = self._used()
        with self.world.platform.store.reading() as session:
            charged = session.scalar(select(func.sum(Charge.amount_nano))) or 0
            held = Ledger(self.world.platform, session).held()
        assert used == charged
        assert used >= self.spent, "what was charged is never taken back"
        assert held >= 0
        if self.quota is not None:
            assert used <= self.quota
        self.spent = used

    @invariant()
    def what_is_charged_is_what_was_used_within_one_heartbeat(self):
        with self.world.platform.store.reading() as session:
            rows = session.execute(
                select(Charge.deployment_id, func.sum(Charge.amount_nano)).group_by(
                    Charge.deployment_id
                )
            )
            charged = Counter({ident: int(amount) for ident, amount in rows})
        for ident, metered in self.deployments:
            under_way = sum(one.open for one in self.kernels if one.deployment == ident)
            used = self.used[ident] - self.lost[ident]
            assert charged[ident] <= used
            assert charged[ident] >= used - self.short[ident] - under_way - self.passes
            assert metered or not charged[ident]


def test_the_ledger_charges_what_was_used_and_never_more_than_the_quota(world, long):
    version_id = world.version()["id"]
    run_state_machine_as_test(
        lambda: LedgerMachine(world, version_id),
        settings=settings(
            max_examples=500 if long else 25,
            stateful_step_count=50 if long else 30,
            suppress_health_check=list(HealthCheck),
            # What fails in CI is told at once; making it small takes minutes.
            phases=list(Phase) if long else [Phase.generate],
        ),
    )
