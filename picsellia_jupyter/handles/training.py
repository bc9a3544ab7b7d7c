"""Continuous training in a user's hand: what is set up, and each run of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from picsellia_jupyter.domain.alerts import Alert
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError, PlatformError
from picsellia_jupyter.domain.training import (
    HeldOut,
    Metric,
    RunState,
    TrainingPlan,
    TrainingRun,
)
from picsellia_jupyter.handles.live import LiveOutput
from picsellia_jupyter.workflows.metrics import parse_range

EVERY_S = 0.5
LAST_LINES = 8
"""Lines of the log that a card shows."""


class Trains(Protocol):
    """The platform, as far as training is concerned."""

    def training_plan(self, record: DeploymentRecord) -> TrainingPlan:
        """What is set up."""

    def training_runs(self, record: DeploymentRecord) -> tuple[TrainingRun, ...]:
        """Runs, newest first."""

    def start_training(self, record: DeploymentRecord, *, place: str = "") -> TrainingRun:
        """Train now."""

    def training_run(self, run_id: str) -> TrainingRun:
        """A run as it is now."""

    def cancel_training(self, run_id: str) -> TrainingRun:
        """Ask for its end."""

    def retry_training(self, run_id: str, *, place: str = "") -> TrainingRun:
        """Have it done again."""

    def training_log(self, run_id: str) -> tuple[str, ...]:
        """What it printed."""

    def training_metrics(self, run_id: str) -> tuple[Metric, ...]:
        """What it noted."""

    def alerts(self, record: DeploymentRecord) -> tuple[Alert, ...]:
        """What is watched."""

    def add_training_trigger(
        self,
        record: DeploymentRecord,
        *,
        alert_id: str | None,
        every_s: float | None,
        rest_s: float,
    ) -> str:
        """Have training begin by itself."""

    def training_triggers(self, record: DeploymentRecord) -> dict[str, str]:
        """What sets it off."""

    def remove_training_trigger(self, trigger_id: str) -> None:
        """Have it set off training no more."""

    def detach_training_data(self, record: DeploymentRecord, name: str) -> None:
        """Use a dataset version no longer."""


class Trainers(Protocol):
    """Has kernels at other places do runs."""

    def start(self, platform: Any, on: str, begin: Callable[[str], TrainingRun], /) -> TrainingRun:
        """Have a run done at a place, which is made by its name once the place is ready."""

    def leave(self, run_id: str, /) -> None:
        """The run is over; nothing is to be left of it there."""


class Run:
    """One training run; shows itself as a card.

    Example:
        >>> run = d.training.start()  # doctest: +SKIP
        >>> run.wait().held_out  # doctest: +SKIP
    """

    def __init__(self, platform: Trains, data: TrainingRun, trainers: Trainers) -> None:
        self._platform, self._trainers = platform, trainers
        self.data = data
        """As it was last read."""

    @property
    def id(self) -> str:
        """Of the run."""
        return self.data.id

    @property
    def status(self) -> RunState:
        """How far it is now; asks the platform until it is over."""
        return self.refresh().data.state

    @property
    def version(self) -> str:
        """The model version that came of it, `digits-detector:1`; empty before."""
        return self.data.version

    @property
    def held_out(self) -> HeldOut | None:
        """The new version beside the champion on held-out data; None before."""
        return self.data.held_out

    @property
    def metrics(self) -> dict[str, tuple[float, ...]]:
        """What training noted under each name, the newest last."""
        return {one.name: one.values for one in self._platform.training_metrics(self.id)}

    def log(self) -> str:
        """What training printed: its newest lines."""
        return "\n".join(self._platform.training_log(self.id))

    def refresh(self) -> Run:
        """Read it anew, unless it is over."""
        if not self.data.state.is_over:
            self.data = self._platform.training_run(self.id)
        if self.data.state.is_over and self.data.place:
            self._trainers.leave(self.id)
        return self

    def wait(self, timeout_s: float | None = None) -> Run:
        """Wait until it is over, shown live in a notebook; an interrupt leaves it going on.

        Raises:
            PlatformError: it failed, or is not over after `timeout_s` seconds.
        """
        began = time.monotonic()
        with _Shown(self) as shown:
            while not self.refresh().data.state.is_over:
                shown.draw()
                if timeout_s is not None and time.monotonic() - began > timeout_s:
                    raise PlatformError(
                        f"The training run is {self.data.state.value} after {timeout_s:g} s.",
                        "Look at it: run.log(), or end it: run.cancel()",
                    )
                time.sleep(EVERY_S)
        if self.data.state is RunState.FAILED:
            raise PlatformError(f"The training run failed: {self.data.error}", "See run.log().")
        return self

    def shown(self) -> Run | None:
        """Wait until it is over, whatever comes of it.

        Returns:
            It, or None where it was shown meanwhile.
        """
        with _Shown(self) as shown:
            while not self.refresh().data.state.is_over:
                shown.draw()
                time.sleep(EVERY_S)
        return None if shown.is_live else self

    def cancel(self) -> Run:
        """Ask for its end.

        Raises:
            ConflictError: it is over.
        """
        self.data = self._platform.cancel_training(self.id)
        return self

    def retry(self) -> Run:
        """Have it done again, as another run at the same place.

        Raises:
            ConflictError: it went well, or was tried again already.
            LinkError: the place does not answer or does not let us in.
        """

        def begin(place: str) -> TrainingRun:
            return self._platform.retry_training(self.id, place=place)

        place = self.data.place
        made = self._trainers.start(self._platform, place, begin) if place else begin("")
        return Run(self._platform, made, self._trainers)

    def __repr__(self) -> str:
        from picsellia_jupyter.display import training

        return training.run_text(self.data)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        self.refresh()
        return self._bundle()

    def _bundle(self) -> dict[str, str]:
        from picsellia_jupyter.display import training

        metrics = self._platform.training_metrics(self.id)
        lines = self._platform.training_log(self.id)[-LAST_LINES:]
        return {
            "text/html": training.run_card(self.data, metrics, lines, now=time.time()),
            "text/plain": training.run_text(self.data, metrics),
        }


class _Shown:
    """A run drawn in place while it is waited for."""

    def __init__(self, run: Run) -> None:
        self._run, self._output = run, LiveOutput()

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.draw(last=True)

    @property
    def is_live(self) -> bool:
        """Whether something shows it."""
        return self._output.live

    def draw(self, *, last: bool = False) -> None:
        """Draw it as it is; what is shown when a notebook is saved stays."""
        if self._output.live:
            bundle = self._run._bundle()
            self._output.show(bundle["text/html"], bundle["text/plain"], last=last)


class Training:
    """Continuous training of a deployment: `d.training.start()`, `d.training.runs`."""

    def __init__(self, platform: Trains, record: DeploymentRecord, trainers: Trainers) -> None:
        self._platform, self._record, self._trainers = platform, record, trainers

    @property
    def plan(self) -> TrainingPlan:
        """What is set up, and how near the next run is."""
        return self._platform.training_plan(self._record)

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its runs, newest first; at most a hundred."""
        return tuple(self._run(one) for one in self._platform.training_runs(self._record))

    def newest(self) -> Run:
        """The run that is under way, or the last one.

        Raises:
            NotFoundError: there was none yet.
        """
        runs = self._platform.training_runs(self._record)
        if not runs:
            raise NotFoundError(
                f"{self._record.name!r} has had no training run.", "Begin one: d.training.start()"
            )
        return self._run(runs[0])

    def start(self, on: str | None = None) -> Run:
        """Train now, whatever was reviewed: `d.training.start(on="gpu1")`.

        Args:
            on: the name or address of a Jupyter server, a kernel of which does it; beside the
                platform if none is named.

        Raises:
            ConflictError: it is not set up, or a run is under way.
            LinkError: the place does not answer or does not let us in.
            PackageMissingError: its kernels lack what training needs.
            PlatformUnreachableError: its kernels do not reach the platform.
        """

        def begin(place: str) -> TrainingRun:
            return self._platform.start_training(self._record, place=place)

        return self._run(self._trainers.start(self._platform, on, begin) if on else begin(""))

    def on_alert(self, name: str, *, rest: str = "24h") -> str:
        """Train each time that an alert fires, such as one on drift or on a metric that fell.

        Args:
            name: of one of its alerts.
            rest: so long after a run none is set off: `24h`, `7d`, …

        Returns:
            When it begins, in words.

        Raises:
            NotFoundError: it has no such alert.
        """
        known = {one.name: one.id for one in self._platform.alerts(self._record)}
        if name not in known:
            raise NotFoundError.named(
                "alert", name, list(known), remedy='Add one: d.add_alert("drifts", "is_drift")'
            )
        return self._added(alert_id=known[name], every_s=None, rest=rest)

    def every(self, span: str, *, rest: str = "1h") -> str:
        """Train every so often: `d.training.every("7d")`."""
        every_s = _seconds(span)
        return self._added(alert_id=None, every_s=every_s, rest=rest)

    @property
    def triggers(self) -> dict[str, str]:
        """What sets it off beside reviews: in words, by id."""
        return self._platform.training_triggers(self._record)

    def remove_trigger(self, trigger_id: str) -> None:
        """Have it set off training no more."""
        self._platform.remove_training_trigger(trigger_id)

    def detach(self, name: str) -> None:
        """Train no longer on the dataset version that is attached under this name.

        Raises:
            NotFoundError: none is.
        """
        self._platform.detach_training_data(self._record, name)

    def _run(self, data: TrainingRun) -> Run:
        return Run(self._platform, data, self._trainers)

    def _added(self, *, alert_id: str | None, every_s: float | None, rest: str) -> str:
        return self._platform.add_training_trigger(
            self._record, alert_id=alert_id, every_s=every_s, rest_s=_seconds(rest)
        )

    def __repr__(self) -> str:
        from picsellia_jupyter.display import training

        return training.plan_text(self._record.name, self.plan, [one.data for one in self.runs])

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import training

        plan, runs = self.plan, [one.data for one in self.runs]
        return {
            "text/html": training.plan_card(self._record.name, plan, runs),
            "text/plain": training.plan_text(self._record.name, plan, runs),
        }


def _seconds(span: str) -> float:
    seconds = parse_range(span)
    if seconds is None:
        raise InvalidInputError(f"{span!r} is no span of time.", "Give one: 24h, 7d, …")
    return seconds
