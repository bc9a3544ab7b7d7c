"""The MPU of training runs: reserved when one is taken up, settled by ticks, never over the quota.

Each runner numbers its ticks, so that what is heard twice is settled once. As for deployments,
time is the platform's own, and what it has not seen itself is not charged.
"""

from __future__ import annotations

from dataclasses import dataclass

from picsellia_jupyter.domain.errors import QuotaSpentError
from picsellia_jupyter.localplatform.metering import Ledger
from picsellia_jupyter.localplatform.tables.usage import TrainingMeter


@dataclass(frozen=True, slots=True)
class TrainingLedger:
    """The meters of training runs within one transaction of a ledger.

    Example:
        >>> runs = TrainingLedger(Ledger(here, session))  # doctest: +SKIP
        >>> runs.reserve(run.id, runner)  # doctest: +SKIP
        >>> runs.tick(run.id, runner, 1, name="training of press-line")  # doctest: +SKIP
        >>> runs.settle(run.id, name="training of press-line")  # doctest: +SKIP
    """

    ledger: Ledger

    def reserve(self, run_id: str, runner: str) -> None:
        """Hold the first seconds of a training run that a runner takes up.

        Raises:
            QuotaSpentError: nothing is left.
        """
        meter = self._meter(run_id)
        if meter.is_running and meter.runner == runner:
            return
        meter.runner, meter.tick = runner, 0
        meter.run, meter.read_ns = self.ledger.here.run, self.ledger.here.monotonic_ns()
        meter.is_running = self.ledger.hold_next(meter)
        if not meter.is_running:
            raise self._spent()

    def tick(self, run_id: str, runner: str, tick: int | None, *, name: str) -> str:
        """Settle a training run's time since its last tick, and reserve the next seconds.

        Args:
            run_id: what is trained.
            runner: who trains; another one's ticks change nothing.
            tick: counted from one by the runner, one heard before changes nothing; None: the next.
            name: what to call the run in the account.

        Returns:
            Why it must stop; empty where it may go on.
        """
        meter = self._meter(run_id)
        tick = meter.tick + 1 if tick is None else tick
        if meter.runner == runner and tick > meter.tick:
            self.ledger.settle(meter, name)
            meter.tick, meter.reserved_nano = tick, 0
            meter.is_running = self.ledger.hold_next(meter)
        return "" if meter.is_running or meter.runner != runner else self._spent().fact

    def settle(self, run_id: str, *, name: str) -> None:
        """Settle what a run that has ended used at last, and let go of what it holds; once."""
        meter = self._meter(run_id)
        self.ledger.settle(meter, name)
        # What its runner says later is not heard.
        meter.runner, meter.is_running, meter.reserved_nano = "", False, 0

    def _meter(self, run_id: str) -> TrainingMeter:
        found = self.ledger.session.get(TrainingMeter, run_id)
        if found is None:
            now = self.ledger.here.monotonic_ns()
            found = TrainingMeter(run_id=run_id, run=self.ledger.here.run, read_ns=now)
            self.ledger.session.add(found)
        return found

    def _spent(self) -> QuotaSpentError:
        return self.ledger.spent(use="training")
