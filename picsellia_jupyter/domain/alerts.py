"""Alerts: a condition on a figure of a deployment, and the times it was met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class AlertMetric(str, Enum):
    """What an alert can watch, under Picsellia's own keys where it has one."""

    LATENCY = "latency"
    """Seconds of each single prediction."""
    AVERAGE_LATENCY = "avg_latency"
    """Mean seconds over the window."""
    OUTLIERS = "is_outlier"
    """Share of outliers among the images of the window that were scored, in [0, 1]."""
    DRIFT = "is_drift"
    """1 where the window drifts, 0 where it does not."""
    DISTRIBUTION = "distribution"
    """Share of the window's images whose label would have to change for the labels to be
    distributed as in the baseline, in [0, 1]."""
    AVERAGE_PRECISION = "stats.ap_50_95"
    """COCO's average precision on what was reviewed of the window."""
    ERROR_RATE = "error_rate"
    """Share of the predictions asked of serving kernels that failed, in [0, 1]."""
    NO_TRAFFIC = "no_traffic"
    """Seconds since the last prediction."""


OPERATORS = (">", ">=", "<", "<=", "==")
LIMITS: Mapping[AlertMetric, float] = {
    AlertMetric.DRIFT: 0.5,
    AlertMetric.OUTLIERS: 0.1,
    AlertMetric.DISTRIBUTION: 0.2,
    AlertMetric.NO_TRAFFIC: 3_600.0,
    AlertMetric.ERROR_RATE: 0.05,
}
"""Limits where none is given."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When an alert opens and when it closes."""

    operator: str
    limit: float
    clear_limit: float | None = None
    """The condition counts as over only once it does not hold for this limit either; None takes
    `limit`. Further inside than `limit`, so that a figure that trembles at it is one episode."""
    cooldown_s: float = 600.0
    """Seconds without the condition after which an episode is over."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A condition was met, once or again and again, without a long enough rest between."""

    started_at: float
    last_at: float
    """When it was last met."""
    value: float
    """What first met it."""
    worst: float
    count: int = 1
    """How often it was met: predictions, or looks at the window."""
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition that is watched, and how it stands."""

    id: str
    name: str
    metric: AlertMetric
    operator: str
    limit: float
    active: bool = True
    state: str = "unknown"
    """`firing`, `ok` or `unknown`."""
    value: float | None = None
    """What was last measured."""
    reason: str = ""
    """Why nothing was."""
    window_s: float = 3_600.0
    """Seconds that the figure is of, where it is of a window."""
    webhook_host: str = ""
    """Of the address that is told; the rest of it may be a secret."""

    @property
    def has_window(self) -> bool:
        """Whether its figure is of a window and not of the moment."""
        return self.metric not in (AlertMetric.LATENCY, AlertMetric.NO_TRAFFIC)

    @property
    def condition(self) -> str:
        """What it watches, as one would write it: `latency > 0.5`."""
        return f"{self.metric.value} {self.operator} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Rang:
    """What came of a message that was sent to try a webhook."""

    host: str
    is_delivered: bool
    error: str = ""

    def __str__(self) -> str:
        """Who has taken it, or why not: `hooks.example.com has taken the message.`."""
        if self.is_delivered:
            return f"{self.host} has taken the message."
        return f"{self.host} has not taken the message: {self.error}"
