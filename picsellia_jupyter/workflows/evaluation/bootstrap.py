"""Intervals by drawing the reviewed images anew, with replacement, many times.

An image is drawn with all its objects, since these are not independent of one another, and
two models are compared on the same draws (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapters 13 and 15; percentile intervals).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.evaluation import Interval
from picsellia_jupyter.domain.ground_truth import ClassifiedImages, Matches

FEWEST_IMAGES = 20
"""Of fewer images the draws say too little; no interval is told."""
LEVEL = 0.95
_DRAWS, _DRAWS_OF_MANY = 1000, 200
_MANY_OBJECTS = 10_000
_CELLS = 1_000_000
"""Numbers of one array that are in memory at a time."""
_RECALLS = np.linspace(0.0, 1.0, 101)
Draws = Mapping[str, NDArray[np.float64]]


def weights(images: int, objects: int, *, seed: int = 0) -> NDArray[np.float64] | None:
    """(B, I) how often each draw takes each image; None where the images are too few."""
    if images < FEWEST_IMAGES:
        return None
    draws = _DRAWS if objects <= _MANY_OBJECTS else _DRAWS_OF_MANY
    taken = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), draws)
    return taken.astype(np.float64)


def average_precision(found: Matches, drawn: NDArray[np.float64]) -> Draws:
    """COCO's AP of every draw.

    Args:
        found: at COCO's ten overlaps.
        drawn: (B, I) weights of the images.

    Returns:
        `ap_50_95` and `ap_50`, (B,) each; NaN where a draw has no ground truth.
    """
    labels = range(found.truth_counts.shape[1])
    each = np.array([_label_precision(found, label, drawn) for label in labels])
    with_truth = ~np.isnan(each)
    share = np.where(with_truth, each, 0.0).sum(axis=0)
    number = with_truth.sum(axis=0)
    mean = np.where(number > 0, share / np.maximum(number, 1), np.nan)
    return {"ap_50_95": mean.mean(axis=1), "ap_50": mean[:, 0]}


def classification(images: ClassifiedImages, drawn: NDArray[np.float64]) -> Draws:
    """`accuracy` and `macro_f1` of every draw, (B,) each."""
    taken = images.scores.argmax(axis=1)
    named = images.scores.max(axis=1) > 0
    right = (taken == images.truth) & named
    count = len(images.labels)
    there = _sums(drawn, images.truth, np.ones(len(images)), count)
    found = _sums(drawn, taken, named, count)
    hits = _sums(drawn, images.truth, right, count)
    total = there + found
    f1 = np.where(total > 0, 2 * hits / np.maximum(total, 1), 0.0)
    macro = f1.sum(axis=1) / np.maximum((total > 0).sum(axis=1), 1)
    return {"accuracy": drawn @ right / drawn.sum(axis=1), "macro_f1": macro}


def interval(
    value: float | None, samples: NDArray[np.float64], level: float = LEVEL
) -> Interval | None:
    """The percentile interval around an estimate; None where there is nothing to estimate."""
    defined = samples[~np.isnan(samples)]
    if value is None or not len(defined):
        return None
    low, high = np.quantile(defined, ((1 - level) / 2, (1 + level) / 2))
    return Interval(value, float(low), float(high), level)


def _sums(
    drawn: NDArray[np.float64], rows: NDArray[np.int64], values: NDArray[np.generic], count: int
) -> NDArray[np.float64]:
    """(B, C) of every draw, the sum of each label's values."""
    spread = np.zeros((len(rows), count))
    spread[np.arange(len(rows)), rows] = values
    return np.asarray(drawn @ spread)


def _label_precision(found: Matches, label: int, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, T) AP of one label; NaN where a draw has none of it."""
    mine = np.flatnonzero(found.classes == label)
    # As COCO ranks them: equal scores in the order of their images.
    mine = mine[np.lexsort((found.image_of[mine], -found.scores[mine]))]
    there = drawn @ found.truth_counts[:, label]
    right, counted = found.right[:, mine], found.counted[:, mine]
    image_of = found.image_of[mine]
    step = max(1, _CELLS // max(1, len(mine)))
    parts = [
        _precision_of_draws(
            drawn[at : at + step][:, image_of], there[at : at + step], right, counted
        )
        for at in range(0, len(drawn), step)
    ]
    each = np.concatenate(parts)
    each[there == 0] = np.nan
    return each


def _precision_of_draws(
    taken: NDArray[np.float64],
    there: NDArray[np.float64],
    right: NDArray[np.bool_],
    counted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(b, T) of some draws.

    Args:
        taken: (b, D) how often each draw takes each object, the most confident first.
        there: (b,) objects to be found in each draw.
        right: (T, D)
        counted: (T, D)
    """
    means = np.zeros((len(taken), len(right)))
    for row, (hits, among) in enumerate(zip(right, counted, strict=True)):
        # Crowds apart, what counts is the same at every overlap.
        if row == 0 or not np.array_equal(among, counted[row - 1]):
            all_found = np.cumsum(taken * among, axis=1)
        # Precision falls with every wrong object: its peaks are at right ones.
        rows = np.flatnonzero(hits)
        hit = np.cumsum(taken[:, rows], axis=1)
        precision = hit / np.maximum(all_found[:, rows], 1)
        best = np.zeros((len(taken), len(rows) + 1))
        best[:, :-1] = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = hit / np.maximum(there, 1)[:, None]
        places = np.array([np.searchsorted(one, _RECALLS, side="left") for one in recall])
        means[:, row] = np.take_along_axis(best, places, axis=1).mean(axis=1)
    return means
