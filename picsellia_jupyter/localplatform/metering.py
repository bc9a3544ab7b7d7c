"""The ledger of MPU: reserved before serving, settled by each heartbeat, never over the quota.

All of this happens in transactions of the one writer. Time is the platform's own monotonic
clock, so neither a client nor a change of the wall clock can move it; what one run of the
platform has not seen itself is not charged.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.allowance import quota_spent
from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import QuotaSpentError
from picsellia_jupyter.domain.usage import NANO
from picsellia_jupyter.localplatform.platform import Platform, organization_of
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.usage import Account, Charge, Meter, TrainingMeter

HOUR_NS = 3_600_000_000_000
DAY_S = 86_400
AHEAD_NS = 10_000_000_000
"""So much serving is reserved ahead; a silence that is longer is not charged at all."""
_SETTLED = range(AHEAD_NS + 1)
"""Silences that are, in nanoseconds."""
LAPSE_NS = 60_000_000_000
"""What is reserved for a deployment that nobody serves is free again after this."""
USUAL_RATE = NANO
"""One MPU an hour: an estimate of ours, Picsellia publishes none."""
_SERVES = frozenset(
    {ServingState.READY.value, ServingState.DEGRADED.value, ServingState.PAUSED.value}
)
"""States in which a kernel predicts, or would if it might."""

AnyMeter = Meter | TrainingMeter


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account and the meters within one transaction."""

    here: Platform
    session: Session

    def account(self) -> Account:
        """The organization's; one that was never set has no limit."""
        ident = organization_of(self.session).id
        found = self.session.get(Account, ident)
        if found is None:
            found = Account(organization_id=ident, rate_nano=USUAL_RATE)
            self.session.add(found)
        return found

    def reserve(self, row: Deployment) -> None:
        """Hold the first seconds of a deployment that is about to be served.

        Raises:
            QuotaSpentError: nothing is left.
        """
        if not row.disable_serving:
            meter = self._meter(row)
            if not self.hold_next(meter):
                raise self.spent()

    def beat(self, row: Deployment, kernel_id: str, state: str, *, claims: bool) -> str:
        """Settle the time since the last heartbeat, and reserve the next seconds.

        Args:
            row: what is served.
            kernel_id: who serves it.
            state: how that is now.
            claims: whether this is a kernel's first heartbeat, which can still be refused.

        Returns:
            Why it must pause; empty where it may serve.

        Raises:
            QuotaSpentError: nothing is left for a kernel that begins.
        """
        if row.disable_serving:
            return ""
        meter = self._meter(row)
        is_same = meter.kernel_id == kernel_id
        self.settle(meter, row.name, counts=is_same)
        meter.kernel_id, meter.reserved_nano = kernel_id, 0
        wants = state in _SERVES
        # A paused kernel that is told to go on does so at once.
        meter.is_running = wants and self.hold_next(meter)
        if meter.is_running or not wants:
            return ""
        if claims:
            raise self.spent()
        return self.spent().fact

    def held(self, *, but: str = "") -> int:
        """What is reserved for deployments and training runs, in nano-MPU; without one of them."""
        meters: list[AnyMeter] = [
            *self.session.scalars(select(Meter).where(Meter.reserved_nano > 0)),
            *self.session.scalars(select(TrainingMeter).where(TrainingMeter.reserved_nano > 0)),
        ]
        return sum(
            meter.reserved_nano
            for meter in meters
            if meter.charged_to != but and not self._has_lapsed(meter)
        )

    def running(self) -> int:
        """How many deployments are charged now."""
        meters = self.session.scalars(select(Meter).where(Meter.is_running)).all()
        return sum(self._silence(meter) in _SETTLED for meter in meters)

    def _meter(self, row: Deployment) -> Meter:
        found = self.session.get(Meter, row.id)
        if found is None:
            found = Meter(deployment_id=row.id, run=self.here.run, read_ns=self.here.monotonic_ns())
            self.session.add(found)
        return found

    def settle(self, meter: AnyMeter, name: str, *, counts: bool = True) -> None:
        """Charge the time since a meter was last heard of, where it was running.

        Args:
            meter: of a deployment or a training run.
            name: what its charges are shown by.
            counts: whether it is the same program that is heard of.
        """
        silence, account = self._silence(meter), self.account()
        meter.run, meter.read_ns = self.here.run, self.here.monotonic_ns()
        if not meter.is_running or not counts or silence not in _SETTLED:
            return
        used, meter.carry = divmod(account.rate_nano * silence + meter.carry, HOUR_NS)
        amount = self._left_of(used, meter)
        account.used_nano += amount
        charge = self._charge(meter.charged_to, name)
        charge.name = name
        charge.amount_nano += amount
        charge.served_ns += silence
        charge.ticks += 1

    def _charge(self, whose: str, name: str) -> Charge:
        day = int(self.here.clock() // DAY_S)
        found = self.session.get(Charge, (whose, day))
        if found is None:
            found = Charge(deployment_id=whose, day=day, name=name)
            self.session.add(found)
        return found

    def hold_next(self, meter: AnyMeter) -> bool:
        """Reserve the next seconds, or the little that is left; whether there was anything."""
        account = self.account()
        # A span that begins within a nano-MPU must not be free.
        wanted = self._left_of(-(-account.rate_nano * AHEAD_NS // HOUR_NS), meter)
        meter.reserved_nano = wanted
        return wanted > 0 or account.rate_nano == 0

    def _left_of(self, amount: int, meter: AnyMeter) -> int:
        """As much of an amount as the quota has left beside what others hold."""
        account = self.account()
        if account.quota_nano is None:
            return amount
        left = account.quota_nano - account.used_nano - self.held(but=meter.charged_to)
        return max(0, min(amount, left))

    def _silence(self, meter: AnyMeter) -> int:
        """Nanoseconds since a deployment was heard of; -1 where this run has never heard of it."""
        return self.here.monotonic_ns() - meter.read_ns if meter.run == self.here.run else -1

    def _has_lapsed(self, meter: AnyMeter) -> bool:
        since = meter.read_ns if meter.run == self.here.run else self.here.began_ns
        return self.here.monotonic_ns() - since > LAPSE_NS

    def spent(self, **said: str) -> QuotaSpentError:
        """The refusal of more than there is."""
        account = self.account()
        quota = account.quota_nano or 0
        reserved = max(0, min(quota - account.used_nano, self.held()))
        return quota_spent(account.used_nano / NANO, quota / NANO, reserved=reserved / NANO, **said)
