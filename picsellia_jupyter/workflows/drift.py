"""Drift tests on image-level signals, many at once, without false storms.

Never on pooled boxes: the boxes of one image are alike, and a test that takes them for
independent raises an alarm in up to 42 % of healthy windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.drift import DriftReport, Sample, SignalDrift, Verdict
from picsellia_jupyter.domain.errors import InvalidInputError, MissingExtraError

FEWEST = 200
"""Images on either side below which nothing is said: power is too low to call it steady."""
ALPHA = 0.05
LEAST_KS = 0.1
LEAST_V = 0.1
"""Effects that count. With 100,000 images any shift is significant, however small."""
_FEWEST_EXPECTED = 5.0
"""Images that chi² needs to expect in a cell (Cochran); rarer labels are tested together."""


@dataclass(frozen=True, slots=True)
class _Tested:
    signal: str
    test: str
    reference: int
    current: int
    effect: float | None
    p: float | None
    least: float


def drift(
    reference: Mapping[str, Sample],
    current: Mapping[str, Sample],
    *,
    label_counts: tuple[Mapping[str, int], Mapping[str, int]] | None = None,
    alpha: float = ALPHA,
    fewest: int = FEWEST,
) -> DriftReport:
    """Compare a window of predictions with its reference, signal by signal.

    Args:
        reference: samples by the name of their signal.
        current: the same signals in the window; one that either side lacks is not tested.
        label_counts: images per label (one label an image) of the reference and the window,
            tested as one more signal, `label`.
        alpha: false discovery rate over all signals.
        fewest: images on either side below which the verdict is `too few`.

    Raises:
        MissingExtraError: scipy is not installed.
        InvalidInputError: alpha is no share.
    """
    if not 0 < alpha < 1:
        raise InvalidInputError(f"alpha is {alpha:g}, not between 0 and 1.", "Take 0.05.")
    compared = [_ks(name, reference[name], current[name]) for name in reference if name in current]
    tested = _with_ks_p(compared, fewest)
    if label_counts is not None:
        tested.append(_chi2("label", *label_counts, fewest))
    return DriftReport(_judged(tested, alpha), alpha)


def ks_distance(reference: Sample, current: Sample) -> float:
    """The largest distance between two empirical distribution functions, in [0, 1]."""
    # Both functions are steps: the supremum is at one of them.
    return max(_farthest(reference, current), _farthest(current, reference))


def total_variation(reference: Mapping[str, int], current: Mapping[str, int]) -> float | None:
    """Half the summed differences of two label distributions, in [0, 1]; None where one is empty.

    It is the share of objects whose label would have to change to make them the same.
    """
    sums = sum(reference.values()), sum(current.values())
    if not all(sums):
        return None
    names = {**reference, **current}
    shares = [
        reference.get(name, 0) / sums[0] - current.get(name, 0) / sums[1] for name in names
    ]  # fmt: skip
    return float(sum(map(abs, shares)) / 2)


def mmd(
    reference: NDArray[np.floating],
    current: NDArray[np.floating],
    *,
    permutations: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """Maximum mean discrepancy of embeddings, with a Gaussian kernel of median width.

    Gretton et al., A Kernel Two-Sample Test, JMLR 13 (2012): the biased statistic, its p by
    permutations.

    Args:
        reference: (N, d) embeddings, N at least 2.
        current: (M, d), M at least 2.
        permutations: of which p is the share that is no smaller.
        seed: of the permutations.

    Returns:
        MMD², at least 0, and p in (0, 1].

    Raises:
        InvalidInputError: the shapes do not fit.
    """
    if reference.ndim != 2 or current.ndim != 2 or reference.shape[1] != current.shape[1]:
        raise InvalidInputError(
            f"Embeddings have shapes {reference.shape} and {current.shape}.",
            "Give (N, d) and (M, d).",
        )
    if min(len(reference), len(current)) < 2:
        raise InvalidInputError(
            f"There are {len(reference)} and {len(current)} embeddings.", "Give at least 2 each."
        )
    pooled = np.concatenate([reference, current]).astype(np.float64)
    kernel = _gaussian(pooled)
    weights = np.full(len(pooled), -1.0 / len(current))
    weights[: len(reference)] = 1.0 / len(reference)
    found = float(weights @ kernel @ weights)
    random = np.random.default_rng(seed)
    shuffled = random.permuted(np.tile(weights, (permutations, 1)), axis=1)
    by_chance = np.einsum("pi,pi->p", shuffled @ kernel, shuffled)
    # The observed order is one of all: p is never zero.
    return max(found, 0.0), float((1 + (by_chance >= found - 1e-12).sum()) / (1 + permutations))


# Tests ---------------------------------------------------------------------------------------


def _ks(name: str, reference: Sample, current: Sample) -> _Tested:
    n, m = len(reference), len(current)
    effect = ks_distance(reference, current) if n and m else None
    return _Tested(name, "ks", n, m, effect, None, LEAST_KS)


def _with_ks_p(tested: Sequence[_Tested], fewest: int) -> list[_Tested]:
    """The same with p where there are images enough; all at once, which scipy is slow to begin.

    As `scipy.stats.ks_2samp(…, method="asymp")` has it.
    """
    enough = [one for one in tested if min(one.reference, one.current) >= fewest]
    if not enough:
        return list(tested)
    distances = np.array([one.effect for one in enough], np.float64)
    sizes = [one.reference * one.current / (one.reference + one.current) for one in enough]
    found = np.clip(_scipy_stats().kstwo.sf(distances, np.maximum(np.rint(sizes), 1)), 0, 1)
    p_of = {one.signal: float(p) for one, p in zip(enough, found, strict=True)}
    return [replace(one, p=p_of.get(one.signal)) for one in tested]


def _chi2(
    name: str, reference: Mapping[str, int], current: Mapping[str, int], fewest: int
) -> _Tested:
    n, m = sum(reference.values()), sum(current.values())
    table = _table(reference, current)
    if not n or not m or table.shape[1] < 2:
        effect = 0.0 if n and m else None
        p = 1.0 if min(n, m) >= fewest else None
        return _Tested(name, "chi2", n, m, effect, p, LEAST_V)
    found = _scipy_stats().chi2_contingency(table, correction=False)
    effect = float(np.sqrt(found.statistic / (n + m)))
    p = float(found.pvalue) if min(n, m) >= fewest else None
    return _Tested(name, "chi2", n, m, effect, p, LEAST_V)


def _table(reference: Mapping[str, int], current: Mapping[str, int]) -> NDArray[np.float64]:
    """(2, K) counts; labels too rare for chi² are one column."""
    names = sorted(
        name for name in {**reference, **current} if reference.get(name, 0) + current.get(name, 0)
    )
    counts = np.array([[side.get(name, 0) for name in names] for side in (reference, current)])
    table = counts.astype(np.float64).reshape(2, -1)
    sums = table.sum(axis=1)
    if not sums.all():
        return table
    expected = table.sum(axis=0) * sums.min() / sums.sum()
    rare = expected < _FEWEST_EXPECTED
    if not rare.any():
        return table
    return np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])


def _judged(tested: list[_Tested], alpha: float) -> tuple[SignalDrift, ...]:
    known = [one.p for one in tested if one.p is not None]
    adjusted = iter(_scipy_stats().false_discovery_control(known) if known else ())
    return tuple(
        _verdict(one, None if one.p is None else float(next(adjusted)), alpha) for one in tested
    )


def _verdict(one: _Tested, q: float | None, alpha: float) -> SignalDrift:
    if q is None or one.effect is None:
        verdict = Verdict.TOO_FEW
    else:
        verdict = Verdict.DRIFT if q <= alpha and one.effect >= one.least else Verdict.STEADY
    return SignalDrift(
        one.signal, one.test, one.reference, one.current, one.effect, one.p, q, verdict
    )


def _farthest(one: Sample, other: Sample) -> float:
    """The largest distance at a value of the first."""
    own, below = np.cumsum(one.counts), np.concatenate([[0], np.cumsum(other.counts)])
    beside = below[np.searchsorted(other.values, one.values, side="right")]
    return float(np.abs(own / own[-1] - beside / below[-1]).max())


def _gaussian(points: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = np.einsum("id,id->i", points, points)
    squares = np.maximum(norms[:, None] + norms[None, :] - 2 * points @ points.T, 0.0)
    apart = squares[np.triu_indices(len(points), 1)]
    width = float(np.median(apart)) or 1.0
    kernel: NDArray[np.float64] = np.exp(-squares / width)
    return kernel


def _scipy_stats() -> Any:
    try:
        from scipy import stats
    except ModuleNotFoundError as error:
        raise MissingExtraError("Testing for drift", "scipy", "monitoring") from error
    return stats
