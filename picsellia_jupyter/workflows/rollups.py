"""Predictions added up on fixed grids: quantiles, histograms and samples of any range of time.

A grid is fixed once and for all, so two rollups are merged by adding counts: exact whatever the
order, and what no sketch that adapts to its data (t-digest, KLL) can promise. Positive values
have bins that are 0.5 % wide (as DDSketch has them: Masson et al., VLDB 2019), scores bins of
0.02 in their logit; inside a bin values are taken to lie evenly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.drift import Sample
from picsellia_jupyter.domain.monitoring import PredictionLog, Series
from picsellia_jupyter.domain.registry import label_name
from picsellia_jupyter.domain.rollups import Observed, Rollup, Tally

THRESHOLDS = 200
"""Steps of the grid that thresholds lie on: counts over 0.005, 0.01, … are exact."""
LONGEST_S = 1e5
"""Latencies are summed up to here, so that sums stay whole numbers of 64 bits."""
NO_LABEL = "no shape"
"""The label of an image in which nothing was found."""
_SIGNAL = 1 << 48
_CLASS = 1 << 8
_STEP = float(np.log(1.005))
_ONE = 1 << 14
"""The bin of the value 1; bin 0 is that of zero."""
_LOGIT_STEP = 0.02
_LOGIT_MOST = 16.2
_MOST_OBJECTS = 1 << 20
_MOST_CLASSES = 1 << 31


class Signal(IntEnum):
    """What is counted of a prediction; the numbers are kept in databases."""

    LATENCY = 1
    WIDTH = 2
    HEIGHT = 3
    RATIO = 4
    AREA = 5
    SHAPES = 6
    """Shapes of an image, whatever their score."""
    EXPECTED = 7
    """Sum of an image's scores: the number of objects that the model believes in."""
    TOP_SCORE = 8
    MEAN_SCORE = 9
    TOP_LABEL = 10
    """Class and score of an image's best shape."""
    SHAPE = 11
    """Class and score of every shape."""


DRIFTING: Mapping[str, Signal] = {
    "image width": Signal.WIDTH,
    "image height": Signal.HEIGHT,
    "image ratio": Signal.RATIO,
    "image area": Signal.AREA,
    "shapes per image": Signal.SHAPES,
    "expected shapes": Signal.EXPECTED,
    "best score": Signal.TOP_SCORE,
    "mean score": Signal.MEAN_SCORE,
}
"""Image-level signals that are tested for drift, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class _Keyed:
    """(K,) keys and the prediction that each belongs to."""

    keys: NDArray[np.int64]
    owner: NDArray[np.int64]


# Adding up -----------------------------------------------------------------------------------


def add_up(observed: Observed, group_of: NDArray[np.int64], groups: int) -> list[Rollup]:
    """Roll predictions up by group.

    Args:
        observed: P predictions.
        group_of: (P,) which group each belongs to, in [0, groups).
        groups: how many there are.
    """
    log = observed.log
    whole_us = np.rint(np.minimum(log.latency_s, LONGEST_S) * 1e6).astype(np.int64)
    shapes = np.bincount(log.shape_of, minlength=len(log)).astype(np.int64)
    sums = np.zeros((3, groups), np.int64)
    for row, values in enumerate((np.ones(len(log), np.int64), shapes, whole_us)):
        np.add.at(sums[row], group_of, values)
    first, last = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(first, group_of, log.at)
    np.maximum.at(last, group_of, log.at)
    tallies = _tallies(_keyed(observed), group_of, groups)
    return [
        Rollup(n, m, us, float(first[k]), float(last[k]), tallies[k])
        for k, (n, m, us) in enumerate(sums.T.tolist())
    ]


def add_all_up(observed: Observed) -> Rollup:
    """One rollup of all of them."""
    return add_up(observed, np.zeros(len(observed.log), np.int64), 1)[0]


def _tallies(keyed: _Keyed, group_of: NDArray[np.int64], groups: int) -> list[Tally]:
    group = group_of[keyed.owner]
    order = np.lexsort((keyed.keys, group))
    keys, group = keyed.keys[order], group[order]
    is_new = np.ones(len(keys), bool)
    is_new[1:] = (np.diff(keys) != 0) | (np.diff(group) != 0)
    starts = np.flatnonzero(is_new)
    counts = np.diff(np.append(starts, len(keys)))
    bounds = np.searchsorted(group[starts], np.arange(groups + 1))
    return [
        Tally(keys[starts[low:high]], counts[low:high].astype(np.int64))
        for low, high in pairwise(bounds)
    ]


def _keyed(observed: Observed) -> _Keyed:
    log, everyone = observed.log, np.arange(len(observed.log), dtype=np.int64)
    width, height = observed.sizes.astype(np.float64).T
    shapes = np.bincount(log.shape_of, minlength=len(log))
    expected = np.bincount(log.shape_of, weights=log.scores, minlength=len(log))
    mean = expected / np.maximum(shapes, 1)
    best = _best_of_each(log)
    top_score, top_class = np.zeros(len(log)), np.full(len(log), -1, np.int64)
    top_score[log.shape_of[best]] = log.scores[best]
    top_class[log.shape_of[best]] = log.classes[best]
    of_image = {
        Signal.LATENCY: _positive(log.latency_s),
        Signal.WIDTH: _positive(width),
        Signal.HEIGHT: _positive(height),
        Signal.RATIO: _positive(width / height),
        Signal.AREA: _positive(width * height),
        Signal.SHAPES: np.minimum(shapes, _MOST_OBJECTS),
        Signal.EXPECTED: _positive(expected),
        Signal.TOP_SCORE: _logit(top_score),
        Signal.MEAN_SCORE: _logit(mean),
        Signal.TOP_LABEL: _labelled(top_class, top_score),
    }
    keys = [signal * _SIGNAL + bins for signal, bins in of_image.items()]
    keys.append(Signal.SHAPE * _SIGNAL + _labelled(log.classes, log.scores))
    owners = [*[everyone] * len(of_image), log.shape_of]
    return _Keyed(np.concatenate(keys).astype(np.int64), np.concatenate(owners))


def _best_of_each(log: PredictionLog) -> NDArray[np.int64]:
    """The row of the best shape of each prediction that has one; of equals the first."""
    order = np.lexsort((-log.scores, log.shape_of))
    owner = log.shape_of[order]
    is_first = np.ones(len(owner), bool)
    is_first[1:] = owner[1:] != owner[:-1]
    best: NDArray[np.int64] = order[is_first].astype(np.int64)
    return best


# Grids ---------------------------------------------------------------------------------------


def _positive(values: NDArray[np.number]) -> NDArray[np.int64]:
    bins = np.zeros(len(values), np.int64)
    some = values > 0
    places = np.floor(np.log(values[some]) / _STEP).astype(np.int64) + _ONE
    bins[some] = np.clip(places, 1, 2 * _ONE - 1)
    return bins


def _logit(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    inside = np.clip(scores, 1e-7, 1 - 1e-7)
    logits = np.log(inside) - np.log1p(-inside)
    return np.floor((logits + _LOGIT_MOST) / _LOGIT_STEP).astype(np.int64)


def _labelled(classes: NDArray[np.int64], scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Class and step of the threshold grid; class -1 is none.

    Step k holds the scores over edge k - 1 and not over edge k, compared as float32, as
    `over_threshold` does.
    """
    edges = (np.arange(THRESHOLDS + 1) / THRESHOLDS).astype(np.float32)
    steps = np.searchsorted(edges, scores.astype(np.float32), side="left")
    return (np.clip(classes, -1, _MOST_CLASSES - 2) + 1) * _CLASS + steps


def _edges(signal: Signal, bins: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Lower and upper edges of bins of a signal."""
    if signal in (Signal.TOP_SCORE, Signal.MEAN_SCORE):
        logits = bins * _LOGIT_STEP - _LOGIT_MOST
        return tuple(1 / (1 + np.exp(-at)) for at in (logits, logits + _LOGIT_STEP))
    if signal is Signal.SHAPES:
        return bins.astype(np.float64), bins.astype(np.float64)
    lower = np.where(bins > 0, np.exp((bins - _ONE) * _STEP), 0.0)
    return lower, np.where(bins > 0, lower * np.exp(_STEP), 0.0)


# Reading off ---------------------------------------------------------------------------------


def quantiles(rollup: Rollup, signal: Signal, shares: tuple[float, ...]) -> list[float] | None:
    """Quantiles of an image-level signal; None where there is no prediction.

    Right to 1 % in rank where values are spread; where many are alike, within a bin of them.

    Args:
        rollup: what was added up.
        signal: of an image, not `TOP_LABEL` nor `SHAPE`.
        shares: in [0, 1].
    """
    part = _part(rollup.tally, signal)
    if not len(part):
        return None
    lower, upper = _edges(signal, part.keys - signal * _SIGNAL)
    beyond = np.cumsum(part.counts)
    ranks = np.asarray(shares) * beyond[-1]
    rows = np.minimum(np.searchsorted(beyond, ranks, side="left"), len(beyond) - 1)
    inside = (ranks - (beyond - part.counts)[rows]) / part.counts[rows]
    found = lower[rows] + np.clip(inside, 0, 1) * (upper - lower)[rows]
    return [float(value) for value in found]


def histogram(rollup: Rollup, signal: Signal, *, bars: int) -> Series | None:
    """An image-level signal in at most `bars` bars; None where there is no prediction.

    Args:
        rollup: what was added up.
        signal: of an image, not `TOP_LABEL` nor `SHAPE`.
        bars: fewer are made where there are fewer different values.
    """
    part = _part(rollup.tally, signal)
    if not len(part):
        return None
    lower, upper = _edges(signal, part.keys - signal * _SIGNAL)
    low, high = float(lower[0]), float(upper[-1])
    edges = np.linspace(
        low, high if high > low else low + 1, (bars if len(part.keys) > 1 else 1) + 1
    )
    counts, _ = np.histogram((lower + upper) / 2, bins=edges, weights=part.counts)
    return Series(edges.astype(np.float64), np.rint(counts).astype(np.int64))


def only_label(rollup: Rollup, labels: Mapping[int, str], label: str | None) -> Rollup:
    """The same predictions with the shapes of one label alone; None takes all."""
    if label is None:
        return rollup
    first, beyond = Signal.SHAPE * _SIGNAL, (Signal.SHAPE + 1) * _SIGNAL
    tally = rollup.tally
    classes = (tally.keys - first) // _CLASS - 1
    is_shape = (tally.keys >= first) & (tally.keys < beyond)
    named = np.isin(classes, [index for index, name in labels.items() if name == label])
    kept = ~is_shape | named
    return replace(rollup, tally=Tally(tally.keys[kept], tally.counts[kept]))


def samples(rollup: Rollup) -> dict[str, Sample]:
    """The image-level signals that are tested for drift."""
    return {name: _sample(rollup, signal) for name, signal in DRIFTING.items()}


def _sample(rollup: Rollup, signal: Signal) -> Sample:
    part = _part(rollup.tally, signal)
    # KS looks at the order of values alone, so a bin's number stands for its values.
    return Sample((part.keys - signal * _SIGNAL).astype(np.float64), part.counts)


def labels_over(
    rollup: Rollup, labels: Mapping[int, str], threshold: float | None
) -> dict[str, int]:
    """Shapes over a threshold per label, most frequent first.

    Exact for thresholds on the grid; between its steps, scores are taken to lie evenly.
    """
    part = _part(rollup.tally, Signal.SHAPE)
    counts: dict[str, int] = {}
    for index, number in _over(part, Signal.SHAPE, threshold).items():
        name = label_name(labels, index)
        counts[name] = counts.get(name, 0) + number
    some = {name: number for name, number in counts.items() if number}
    return dict(sorted(some.items(), key=lambda item: -item[1]))


def images_by_label(
    rollup: Rollup, labels: Mapping[int, str], threshold: float | None
) -> dict[str, int]:
    """Images by the label of their best shape, where it is over the threshold."""
    part = _part(rollup.tally, Signal.TOP_LABEL)
    found = _over(part, Signal.TOP_LABEL, threshold)
    found.pop(-1, None)
    counts = {label_name(labels, index): 0 for index in found}
    for index, number in found.items():
        counts[label_name(labels, index)] += number
    missing = len(part) - sum(counts.values())
    return {**counts, **({NO_LABEL: missing} if missing else {})}


def score_counts(rollup: Rollup, bars: int) -> NDArray[np.int64]:
    """(bars,) raw scores of all shapes; `bars` divides the steps of the threshold grid."""
    part = _part(rollup.tally, Signal.SHAPE)
    steps = part.keys % _CLASS
    per_bar = THRESHOLDS // bars
    bar_of = np.minimum(np.maximum(steps - 1, 0) // per_bar, bars - 1)
    counts = np.zeros(bars, np.int64)
    np.add.at(counts, bar_of, part.counts)
    return counts


def _over(part: Tally, signal: Signal, threshold: float | None) -> dict[int, int]:
    """Class index to how many are over the threshold."""
    rest = part.keys - signal * _SIGNAL
    classes, steps = rest // _CLASS - 1, rest % _CLASS
    at = -1.0 if threshold is None else threshold * THRESHOLDS
    at = round(at) if abs(at - round(at)) < 1e-6 else at
    shares = np.clip(steps - at, 0.0, 1.0)
    found, where = np.unique(classes, return_inverse=True)
    counts = np.rint(np.bincount(where, weights=part.counts * shares, minlength=len(found)))
    return {int(index): int(n) for index, n in zip(found, counts, strict=True)}


def _part(tally: Tally, signal: Signal) -> Tally:
    return tally.between(signal * _SIGNAL, (signal + 1) * _SIGNAL)
