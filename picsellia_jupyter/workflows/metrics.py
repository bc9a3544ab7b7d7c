"""The first dashboard of a deployment, computed from its prediction log."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.monitoring import Dashboard, PredictionLog, Series
from picsellia_jupyter.domain.predictions import over_threshold
from picsellia_jupyter.domain.registry import label_name

SCORE_BINS = 20
"""Bars of the score histogram: each is 0.05 wide."""

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST_S = 3_660 * 86_400.0
_NARROWEST_S = 60.0
"""A range of no length, such as that of a single prediction, is shown this wide."""


def parse_range(text: str) -> float | None:
    """How far back a dashboard looks: `30m`, `24h`, `7d`, `all`.

    Returns:
        Seconds, or None for `all`.

    Raises:
        InvalidInputError: it is none of these forms, zero, or over ten years.
    """
    typed = text.strip().lower()
    if typed == "all":
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)", typed, flags=re.ASCII)
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise InvalidInputError(
            f"{text!r} is not a range of time.",
            "Write a number and a unit (s, m, h, d, w), as in 30m, 24h or 7d; or all.",
        )
    return seconds


def summarize(
    log: PredictionLog,
    *,
    deployment: str,
    labels: Mapping[int, str],
    threshold: float | None,
    since: float | None,
    until: float,
    bins: int = 24,
    edges: NDArray[np.float64] | None = None,
) -> Dashboard:
    """The dashboard of one range of time.

    Args:
        log: predictions, of which those outside the range are left out.
        deployment: its name.
        labels: class index to label name.
        threshold: shapes scored strictly over it are considered; None considers all.
        since: start of the range, seconds since the epoch, UTC; it belongs to the range.
            None begins with the first prediction of the log.
        until: end of the range, likewise.
        bins: of equal width that the range is cut into.
        edges: of bins, (T + 1,) from the start of the range to its end, in their place.

    Raises:
        InvalidInputError: the range ends before it begins.
    """
    begin = _beginning(log, since, until)
    within = (log.at >= begin) & (log.at <= until)
    at, latency_s = log.at[within], log.latency_s[within]
    owned = within[log.shape_of]
    scores, classes = log.scores[owned], log.classes[owned]
    kept = over_threshold(scores, threshold)
    edges = np.linspace(begin, until, bins + 1) if edges is None else edges
    bins = len(edges) - 1
    bin_of = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, bins - 1)
    filled = np.unique(bin_of)
    return Dashboard(
        deployment=deployment,
        since=begin,
        until=until,
        inferences=len(at),
        shapes=int(kept.sum()),
        threshold=threshold,
        predictions_over_time=Series(edges, np.bincount(bin_of, minlength=bins)),
        latency_at=(edges[filled] + edges[filled + 1]) / 2,
        latency_p50_s=_percentile_of_bins(latency_s, bin_of, filled, 50),
        latency_p95_s=_percentile_of_bins(latency_s, bin_of, filled, 95),
        latency_p99_s=_percentile_of_bins(latency_s, bin_of, filled, 99),
        mean_latency_s=float(latency_s.mean()) if len(at) else None,
        p50_s=float(np.percentile(latency_s, 50)) if len(at) else None,
        p95_s=float(np.percentile(latency_s, 95)) if len(at) else None,
        score_histogram=_score_histogram(scores),
        label_counts=_label_counts(classes[kept], labels),
        p99_s=float(np.percentile(latency_s, 99)) if len(at) else None,
    )


def _beginning(log: PredictionLog, since: float | None, until: float) -> float:
    if since is None:
        since = float(log.at.min()) if len(log) else until
        since = min(since, until)
    if since > until:
        raise InvalidInputError(
            f"The range ends {since - until:g} s before it begins.", "Swap since and until."
        )
    return since if since < until else until - _NARROWEST_S


def _percentile_of_bins(
    values: NDArray[np.float64],
    bin_of: NDArray[np.int64],
    filled: NDArray[np.int64],
    percent: float,
) -> NDArray[np.float64]:
    return np.array([np.percentile(values[bin_of == row], percent) for row in filled], float)


def _score_histogram(scores: NDArray[np.float64]) -> Series:
    counts, edges = np.histogram(scores, bins=SCORE_BINS, range=(0.0, 1.0))
    return Series(edges.astype(np.float64), counts.astype(np.int64))


def _label_counts(classes: NDArray[np.int64], labels: Mapping[int, str]) -> dict[str, int]:
    """Shapes per label, most frequent first, then in the order of the classes."""
    counts: dict[str, int] = {}
    for index, number in zip(*np.unique(classes, return_counts=True), strict=True):
        name = label_name(labels, int(index))
        counts[name] = counts.get(name, 0) + int(number)
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
