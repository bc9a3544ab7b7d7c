"""Figures of a window, out of counters that a serving kernel tells at each look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from picsellia_jupyter.domain.alerts import AlertMetric
from picsellia_jupyter.domain.cloud_figures import Told

Found = tuple[float | None, str]
"""A figure, or None and why there is none."""
OWN_METRICS = (AlertMetric.AVERAGE_LATENCY, AlertMetric.ERROR_RATE, AlertMetric.NO_TRAFFIC)
"""What the serving kernel's counters tell; the other metrics are the platform's own figures."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A serving kernel's counters at one look; they begin anew with each kernel."""

    at: float
    """Seconds since the epoch, UTC."""
    predicted: int
    failed: int
    latency_s: float
    """Of all that were predicted, together."""

    @property
    def asked(self) -> int:
        """Images that it was given."""
        return self.predicted + self.failed


def followed(looks: Sequence[Counted], now: Counted, *, longest_s: float) -> list[Counted]:
    """The looks with one more; what is of an earlier kernel, or older than needed, goes.

    Args:
        looks: so far, the oldest first.
        now: the latest one.
        longest_s: of all windows.
    """
    if looks and now.asked < looks[-1].asked:
        # Another kernel, of which nothing was seen: it counted from nought.
        looks = [Counted(looks[-1].at, 0, 0, 0.0)]
    kept = [*looks, now]
    # One before the longest window is kept, for windows begin between two looks.
    first = max((row for row, one in enumerate(kept) if one.at <= now.at - longest_s), default=0)
    return kept[first:]


def measured(metric: AlertMetric, looks: Sequence[Counted], window_s: float) -> Found:
    """A figure of the last window, or of as much of it as was watched.

    Args:
        metric: one of `OWN_METRICS`.
        looks: the oldest first.
        window_s: seconds before the last one.
    """
    if len(looks) < 2:
        return None, "it was looked at once; the next look tells"
    last = looks[-1]
    if metric is AlertMetric.NO_TRAFFIC:
        changed = [one.at for before, one in pairwise(looks) if one.asked != before.asked]
        return last.at - (changed[-1] if changed else looks[0].at), ""
    begun = next((one for one in reversed(looks) if one.at <= last.at - window_s), looks[0])
    predicted, asked = last.predicted - begun.predicted, last.asked - begun.asked
    if metric is AlertMetric.ERROR_RATE:
        return ((asked - predicted) / asked, "") if asked else (None, "nothing was asked")
    if not predicted:
        return None, "nothing was predicted"
    return (last.latency_s - begun.latency_s) / predicted, ""


def told_by(metric: AlertMetric, told: Sequence[Told], host: str) -> Found:
    """A figure that the platform tells under the metric's own name.

    Args:
        metric: not one of `OWN_METRICS`.
        told: its statistics.
        host: who tells them.
    """
    name = metric.value.rpartition(".")[2]
    found = [value for one in told if (value := one.named(name)) is not None]
    if len(found) == 1:
        return found[0], ""
    return None, f"the statistics of {host} have no {name!r}"
