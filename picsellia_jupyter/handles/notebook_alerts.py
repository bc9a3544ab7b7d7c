"""Alerts on a cloud, whose API has none: the notebook looks by itself, while it is open."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from picsellia_jupyter.domain.alerts import LIMITS, Alert, AlertMetric, Episode, Rang, Rule
from picsellia_jupyter.domain.cloud_figures import Told
from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, PicselliaJupyterError
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.handles.alerts import Alerts
from picsellia_jupyter.handles.threads import begin
from picsellia_jupyter.workflows.alerts import after_look, check_hysteresis
from picsellia_jupyter.workflows.local_looks import (
    OWN_METRICS,
    Counted,
    followed,
    measured,
    told_by,
)

if TYPE_CHECKING:
    from picsellia_jupyter.clients.platform import PlatformClient
    from picsellia_jupyter.domain.deployments import DeploymentRecord

EVERY_S = 10.0
"""Seconds between two looks."""
TOLD_EVERY_S = 300.0
"""Seconds between two questions for the platform's own statistics."""
_WINDOW_S, _COOLDOWN_S = 3_600.0, 600.0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from; called on one thread at a time."""

    running: Callable[[], Running | None]
    """What the serving kernel counted; None where none answers."""
    told: Callable[[float], Sequence[Told]]
    """The platform's own statistics since a moment, seconds since the epoch, UTC."""


@dataclass(slots=True)
class _Watched:
    alert: Alert
    rule: Rule
    episode: Episode | None = None
    told_at: float = float("-inf")


class NotebookWatch:
    """The conditions of one deployment that this notebook looks at. Thread-safe."""

    def __init__(self, sources: Sources, host: str, *, clock: Callable[[], float]) -> None:
        self._sources, self._host, self._clock = sources, host, clock
        self._looks: list[Counted] = []
        self._watched: list[_Watched] = []
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def add(self, alert: Alert, rule: Rule) -> Alert:
        """Look at a condition from now on.

        Raises:
            ConflictError: there is one of that name.
        """
        with self._lock:
            if any(one.alert.name == alert.name for one in self._watched):
                raise ConflictError(
                    f"An alert {alert.name!r} is watched already.", "Give it another name."
                )
            self._watched.insert(0, _Watched(alert, rule))
            self.look()
            return self.alerts[0]

    def remove(self, alert_id: str) -> None:
        """Look at it no longer."""
        with self._lock:
            self._watched = [one for one in self._watched if one.alert.id != alert_id]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """As they were at the last look, newest first."""
        # Without the lock, which a look holds while it asks others.
        return tuple(one.alert for one in tuple(self._watched))

    def look(self) -> None:
        """Ask for the figures now, and note what is met."""
        with self._lock:
            now = self._clock()
            trouble = self._count(now)
            for one in self._watched:
                self._judge(one, now, trouble)

    def go_on(self, every_s: float = EVERY_S) -> None:
        """Look every so often from now on, in a thread; calling it again does nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = begin(lambda: self._run(every_s), "alerts")

    def end(self) -> None:
        """Look no longer."""
        self._ended.set()

    def _run(self, every_s: float) -> None:
        while not self._ended.wait(every_s):
            if self._watched:
                self.look()

    def _count(self, now: float) -> str:
        """One look at the kernel's counters; why there is none."""
        try:
            seen = self._sources.running()
        except PicselliaJupyterError as error:
            return error.fact
        if seen is None or seen.predicted is None:
            return "no serving kernel of yours answers"
        counted = Counted(now, seen.predicted, seen.failed, seen.latency_s)
        longest_s = max((_span_s(one.alert) for one in self._watched), default=0.0)
        self._looks = followed(self._looks, counted, longest_s=longest_s)
        return ""

    def _judge(self, one: _Watched, now: float, trouble: str) -> None:
        alert = one.alert
        if alert.metric in OWN_METRICS:
            own = measured(alert.metric, self._looks, alert.window_s)
            value, why = (None, trouble) if trouble else own
        elif now - one.told_at < TOLD_EVERY_S:
            return
        else:
            one.told_at = now
            value, why = self._told(alert, now)
        if value is None:
            one.alert = replace(alert, state="unknown", value=None, reason=why)
            return
        one.episode = after_look(one.rule, one.episode, value, now)
        one.alert = replace(alert, value=value, **_standing(one.episode))

    def _told(self, alert: Alert, now: float) -> tuple[float | None, str]:
        try:
            told = self._sources.told(now - alert.window_s)
        except PicselliaJupyterError as error:
            return None, error.fact
        return told_by(alert.metric, told, self._host)


class NotebookAlerts(Alerts):
    """Alerts of a deployment on a cloud, newest first: what this notebook watches."""

    def __init__(
        self, platform: PlatformClient, record: DeploymentRecord, watch: NotebookWatch
    ) -> None:
        super().__init__(platform, record)
        self._watch = watch

    def remove(self, name: str) -> None:
        """Watch a condition no longer.

        Args:
            name: of the alert, or its id.

        Raises:
            NotFoundError: there is none.
        """
        self._watch.remove(self[name].id)

    def test(self, name: str) -> Rang:  # noqa: ARG002 - of whatever name
        """No notebook sends messages.

        Raises:
            InvalidInputError: always.
        """
        self._no_webhook()

    def secret(self, name: str) -> str:  # noqa: ARG002 - of whatever name
        """No notebook sends messages.

        Raises:
            InvalidInputError: always.
        """
        self._no_webhook()

    def put(self, body: Mapping[str, Any]) -> Alert:
        """Watch what a body on the wire says, from now on and while this notebook is open."""
        if body.get("webhook_url"):
            self._no_webhook()
        metric, limit = AlertMetric(body["metric"]), body.get("limit")
        if metric is AlertMetric.LATENCY:
            raise InvalidInputError(
                "A notebook does not see the latency of single predictions on the cloud.",
                "Watch their mean: average latency > 200 ms over 10 min.",
            )
        limit = LIMITS.get(metric) if limit is None else float(limit)
        if limit is None:
            raise InvalidInputError(
                f"An alert on {metric.value!r} has no limit of its own.",
                "Give one: average latency > 200 ms over 10 min.",
            )
        sign, clear = str(body["operator"]), body.get("clear_limit")
        check_hysteresis(sign, limit, clear)
        window_s = float(body.get("window_s") or _WINDOW_S)
        rule = Rule(sign, limit, clear, float(body.get("cooldown_s") or _COOLDOWN_S))
        made = Alert(str(uuid.uuid4()), str(body["name"]), metric, sign, limit, window_s=window_s)
        added = self._watch.add(made, rule)
        self._watch.go_on()
        return added

    def _known(self) -> tuple[Alert, ...]:
        if self._watch.alerts:
            self._watch.look()
        return self._watch.alerts

    def at_last_look(self) -> tuple[Alert, ...]:
        """As they were, asking for nothing."""
        return self._watch.alerts

    def __iter__(self) -> Iterator[Alert]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._watch.alerts)

    @property
    def _said(self) -> str:
        platform, record = self._platform, self._record
        return (
            f"Watched by this notebook while it is open, every {EVERY_S:.0f} s, and by nobody "
            f"else. {platform.host} has alerts of its own: {platform.pages.deployment(record.id)}"
        )

    def _no_webhook(self) -> NoReturn:
        page = self._platform.pages.deployment(self._record.id)
        raise InvalidInputError(
            "A notebook sends no messages: its alerts end with it.",
            f"Set an alert of the platform's own on its page: {page}",
        )


class NotebookWatches:
    """The watches of a notebook, one a deployment; each lives as long as its kernel."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._made: dict[str, NotebookWatch] = {}
        self._lock = threading.Lock()

    def of(self, host: str, deployment_id: str, sources: Callable[[], Sources]) -> NotebookWatch:
        """The watch of a deployment; made at first, with what gives its figures."""
        with self._lock:
            key = f"{host} {deployment_id}"
            if key not in self._made:
                self._made[key] = NotebookWatch(sources(), host, clock=self._clock)
            return self._made[key]


def _span_s(alert: Alert) -> float:
    return alert.limit if alert.metric is AlertMetric.NO_TRAFFIC else alert.window_s


def _standing(episode: Episode | None) -> Mapping[str, Any]:
    if episode is None or episode.ended_at is not None:
        return {"state": "ok", "reason": ""}
    began = time.strftime("%H:%M:%S", time.localtime(episode.started_at))
    often = f"{episode.count} looks" if episode.count > 1 else "1 look"
    return {"state": "firing", "reason": f"since {began}, {often}, worst {episode.worst:.3g}"}
