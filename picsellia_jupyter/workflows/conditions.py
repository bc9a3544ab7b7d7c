"""Alerts as one writes them: `average latency > 200 ms over 10 min`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from picsellia_jupyter.domain.alerts import OPERATORS, AlertMetric
from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError

_NAMES: Mapping[str, AlertMetric] = {
    "latency": AlertMetric.LATENCY,
    "average latency": AlertMetric.AVERAGE_LATENCY,
    "mean latency": AlertMetric.AVERAGE_LATENCY,
    "outliers": AlertMetric.OUTLIERS,
    "drift": AlertMetric.DRIFT,
    "label distribution": AlertMetric.DISTRIBUTION,
    "average precision": AlertMetric.AVERAGE_PRECISION,
    "ap": AlertMetric.AVERAGE_PRECISION,
    "error rate": AlertMetric.ERROR_RATE,
    "errors": AlertMetric.ERROR_RATE,
    "no traffic": AlertMetric.NO_TRAFFIC,
    **{one.value: one for one in AlertMetric},
}
_SECONDS: Mapping[str, float] = {
    "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0, "days": 86_400.0,
    "day": 86_400.0,
}  # fmt: skip
_TIMES = (AlertMetric.LATENCY, AlertMetric.AVERAGE_LATENCY, AlertMetric.NO_TRAFFIC)
_OF_NO_WINDOW = (AlertMetric.LATENCY, AlertMetric.NO_TRAFFIC)
_NUMBER = r"(-?\d+(?:\.\d+)?)\s*(%|[a-z]*)"
_WRITTEN = re.compile(
    r"(?P<metric>[a-z_][a-z0-9_. ]*?)\s*"
    rf"(?:(?P<operator>[<>=]=?)\s*(?P<limit>{_NUMBER}))?"
    rf"(?:\s+(?:until|clears at)\s+(?P<clear>{_NUMBER}))?"
    rf"(?:\s+(?:over|for|in)\s+(?P<window>{_NUMBER}))?"
)
_EXAMPLE = "Write it as: average latency > 200 ms over 10 min, drift over 24 h, no traffic for 1 h."


@dataclass(frozen=True, slots=True)
class Condition:
    """What an alert watches; what is None takes the metric's own."""

    metric: AlertMetric
    operator: str = ">"
    limit: float | None = None
    """Seconds, or a share in [0, 1]."""
    window_s: float | None = None
    clear_limit: float | None = None


def condition_of(text: str) -> Condition:
    """Read a condition: metric, operator, limit with its unit, and the window.

    Args:
        text: `latency > 200 ms`, `error rate > 5 % over 10 min`,
            `average latency > 300 ms until 200 ms over 1 h`, `drift`, `no traffic for 1 h`.

    Raises:
        InvalidInputError: it cannot be read, or the metric has no such unit or window.
        NotFoundError: there is no such metric.
    """
    found = _WRITTEN.fullmatch(" ".join(text.lower().split()))
    if found is None:
        raise InvalidInputError(f"The condition {text!r} cannot be read.", _EXAMPLE)
    metric, operator = _metric(found["metric"]), found["operator"] or ">"
    if operator not in OPERATORS:
        raise InvalidInputError(
            f"There is no operator {operator!r}.", f"Known: {', '.join(OPERATORS)}."
        )
    limit, window_s = _limit(metric, found["limit"]), _window(found["window"])
    if metric is AlertMetric.NO_TRAFFIC and limit is None:
        # `no traffic for 1 h`: that is how long the silence lasts.
        limit, window_s = window_s, None
    if window_s is not None and metric in _OF_NO_WINDOW:
        raise InvalidInputError(
            f"{metric.value} is of no window: it is looked at by itself.", _WITHOUT_WINDOW[metric]
        )
    return Condition(metric, operator, limit, window_s, _limit(metric, found["clear"]))


_WITHOUT_WINDOW: Mapping[AlertMetric, str] = {
    AlertMetric.LATENCY: "For the mean of a window write: average latency > 200 ms over 10 min.",
    AlertMetric.NO_TRAFFIC: "Write it as: no traffic for 1 h.",
}


def _metric(name: str) -> AlertMetric:
    found = _NAMES.get(name.strip())
    if found is None:
        raise NotFoundError.named("metric", name.strip(), list(_NAMES))
    return found


def _limit(metric: AlertMetric, written: str | None) -> float | None:
    if written is None:
        return None
    number, unit = _parted(written)
    units = _SECONDS if metric in _TIMES else {"%": 0.01}
    if unit and unit not in units:
        raise InvalidInputError(
            f"{metric.value} is not told in {unit!r}.", f"Known: {', '.join(units)}."
        )
    return number * units.get(unit, 1.0)


def _window(written: str | None) -> float | None:
    if written is None:
        return None
    number, unit = _parted(written)
    if unit not in _SECONDS or number <= 0:
        raise InvalidInputError(f"{written!r} is no length of time.", "Write it as 10 min or 24 h.")
    return number * _SECONDS[unit]


def _parted(written: str) -> tuple[float, str]:
    found = re.fullmatch(_NUMBER, written)
    assert found is not None  # noqa: S101 - the whole was read with it
    return float(found[1]), found[2]
