"""A dashboard made of rollups, for ranges with more predictions than are read one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.monitoring import Dashboard, Series
from picsellia_jupyter.domain.rollups import DAY, HOUR, MINUTE, Rollup
from picsellia_jupyter.workflows.metrics import SCORE_BINS
from picsellia_jupyter.workflows.rollups import Signal, labels_over, quantiles, score_counts

_MOMENTS = (1, 2, 5, 10, 15, 30)
_STEPS = (
    MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
    91 * DAY, 364 * DAY,
)  # fmt: skip
_SHARES = (0.5, 0.95, 0.99)


def bin_edges(
    since: float, until: float, *, most: int = 31, finest_s: float = MINUTE
) -> NDArray[np.float64]:
    """Edges of at most `most` + 1 bins: whole hours, days … between the two ends.

    Args:
        since: start of the range, seconds since the epoch, UTC.
        until: its end, later.
        most: bins of full width.
        finest_s: least width; rollups know nothing finer than minutes.
    """
    steps = [step for step in (*_MOMENTS, *_STEPS) if step >= finest_s]
    step = next((step for step in steps if (until - since) / step <= most), steps[-1])
    first = np.floor(since / step) * step + step
    inner = np.arange(first, until, step, dtype=np.float64)
    return np.array([since, *inner, until], np.float64)


def latency_figures(whole: Rollup) -> tuple[float | None, ...]:
    """Mean, p50, p95 and p99 of the latency in seconds; None where there is no prediction."""
    found = quantiles(whole, Signal.LATENCY, _SHARES)
    if found is None:
        return None, None, None, None
    return whole.latency_us / whole.predictions / 1e6, *found


def latencies(
    bins: Sequence[Rollup], edges: NDArray[np.float64], share: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A quantile of the latency in each bin that has predictions.

    Returns:
        (L,) middles of the bins and (L,) seconds.
    """
    found = [quantiles(one, Signal.LATENCY, (share,)) for one in bins]
    filled = [row for row, one in enumerate(found) if one]
    middles = ((edges[:-1] + edges[1:]) / 2)[filled]
    return middles, np.array([one[0] for one in found if one], np.float64)


def over_time(
    bins: Sequence[Rollup],
    labels: Mapping[int, str],
    threshold: float | None,
    *,
    only: str | None = None,
    most: int = 6,
) -> dict[str, NDArray[np.int64]]:
    """Shapes over the threshold per label in each of T bins.

    Args:
        bins: what was added up.
        labels: class index to label name.
        threshold: shapes scored strictly over it are considered; None considers all.
        only: this label alone.
        most: labels that are told by name, the most frequent ones; the rest is summed up.

    Returns:
        (T,) by label, most frequent first.
    """
    counted = [labels_over(one, labels, threshold) for one in bins]
    total = Counter[str]()
    for one in counted:
        total.update(one)
    names = [name for name, _ in total.most_common() if only in (None, name)]
    found = {name: np.array([one.get(name, 0) for one in counted], np.int64) for name in names}
    if len(names) <= most:
        return found
    rest = np.sum([found[name] for name in names[most - 1 :]], axis=0)
    named = {name: found[name] for name in names[: most - 1]}
    return {**named, f"{len(names) - most + 1} others": rest}


def binned_scores(
    at: NDArray[np.float64],
    scores: NDArray[np.float64],
    threshold: float,
    edges: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Middles of the bins that have scores, (L,), their medians and shares over a threshold.

    Args:
        at: (N,) seconds since the epoch, UTC.
        scores: (N,)
        threshold: of the share; strictly over it.
        edges: (T + 1,) of the bins.
    """
    places = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, len(edges) - 2)
    filled = np.unique(places)
    parts = [scores[places == row] for row in filled]
    middles = ((edges[:-1] + edges[1:]) / 2)[filled]
    medians = np.array([np.median(part) for part in parts], np.float64)
    return middles, medians, np.array([(part > threshold).mean() for part in parts], np.float64)


def dashboard_of(
    bins: Sequence[Rollup],
    edges: NDArray[np.float64],
    *,
    deployment: str,
    labels: Mapping[int, str],
    threshold: float | None,
) -> Dashboard:
    """The dashboard of a range.

    Args:
        bins: T rollups.
        edges: (T + 1,) seconds since the epoch, UTC.
        deployment: its name.
        labels: class index to label name.
        threshold: shapes scored strictly over it are considered; None considers all.
    """
    whole = Rollup.sum(list(bins))
    counted = labels_over(whole, labels, threshold)
    mean, p50, p95, p99 = latency_figures(whole)
    filled = [row for row, one in enumerate(bins) if one.predictions]
    lines = [quantiles(bins[row], Signal.LATENCY, _SHARES) for row in filled]
    middles = (edges[:-1] + edges[1:]) / 2
    return Dashboard(
        deployment=deployment,
        since=float(edges[0]),
        until=float(edges[-1]),
        inferences=whole.predictions,
        shapes=sum(counted.values()),
        threshold=threshold,
        predictions_over_time=Series(edges, np.array([one.predictions for one in bins], np.int64)),
        latency_at=middles[filled],
        latency_p50_s=np.array([line[0] for line in lines if line], np.float64),
        latency_p95_s=np.array([line[1] for line in lines if line], np.float64),
        latency_p99_s=np.array([line[2] for line in lines if line], np.float64),
        mean_latency_s=mean,
        p50_s=p50,
        p95_s=p95,
        score_histogram=Series(np.linspace(0, 1, SCORE_BINS + 1), score_counts(whole, SCORE_BINS)),
        label_counts=counted,
        p99_s=p99,
    )
