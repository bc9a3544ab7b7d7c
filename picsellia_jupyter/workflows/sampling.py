"""Which predicted images a person looks at first, by a stated policy."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import ImageSize, Prediction, considered
from picsellia_jupyter.domain.reviews import Chosen
from picsellia_jupyter.workflows.matching import match


@dataclass(frozen=True, slots=True)
class Standing:
    """A predicted asset, and whether it is reviewed."""

    id: str
    is_reviewed: bool
    is_sampled: bool = False
    """Whether it is of the random sample already."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A predicted asset with what speaks for it; the largest comes first."""

    id: str
    weight: float
    why: str


def rank(asset_id: str) -> int:
    """The place of an asset in the one random order, the same whenever it is asked for."""
    return int.from_bytes(hashlib.blake2b(asset_id.encode(), digest_size=8).digest(), "big")


def at_random(assets: Iterable[Standing], limit: int) -> list[Chosen]:
    """The first of the random order that are still to be reviewed.

    Leaving out what was reviewed for another reason would leave a sample that lacks, say, all
    uncertain images. So each item names those that come before it in the order: they belong to
    the sample once it does.

    Args:
        assets: all of a deployment, in any order.
        limit: at most so many.
    """
    chosen: list[Chosen] = []
    passed: list[str] = []
    for asset in sorted(assets, key=lambda one: rank(one.id)):
        if not asset.is_reviewed:
            chosen.append(Chosen(asset.id, "", tuple(passed)))
            passed = []
            if len(chosen) == limit:
                break
        elif not asset.is_sampled:
            passed.append(asset.id)
    return chosen


def by_weight(ranked: Iterable[Ranked], limit: int) -> list[Chosen]:
    """Those with the largest weight first; equal ones in the random order."""
    first = heapq.nsmallest(limit, ranked, key=lambda one: (-one.weight, rank(one.id)))
    return [Chosen(one.id, one.why) for one in first]


def doubt(
    scores: NDArray[np.float64], threshold: float | None, *, is_class: bool
) -> tuple[float, str]:
    """How uncertain a prediction is, and that in words.

    Args:
        scores: (N,) raw; of a classification the most confident first.
        threshold: the deployment's.
        is_class: whether they are the classes of one image, whose two best are compared.

    Returns:
        1 where it could not be closer, less the surer it is, -1 where nothing was found.
    """
    if not len(scores):
        return -1.0, "nothing found"
    if is_class:
        best = np.sort(scores)[::-1]
        gap = float(best[0] - (best[1] if len(best) > 1 else 0.0))
        return 1.0 - gap, f"margin {gap:.2f}"
    cut = 0.5 if threshold is None else threshold
    nearest = float(scores[np.argmin(np.abs(scores - cut))])
    return 1.0 - abs(nearest - cut), f"score {nearest:.2f}"


def disagreement(
    champion: Prediction, shadow: Prediction, size: ImageSize, threshold: float | None
) -> int:
    """Objects that only one of two models found, both over the threshold."""
    ones, others = (considered(found, threshold=threshold) for found in (champion, shadow))
    if not ones.geometry and not champion.geometry:
        ones, others = ones.take([0][: len(ones)]), others.take([0][: len(others)])
    shared = int((match(ones, others, size).truth >= 0).sum())
    return len(ones) + len(others) - 2 * shared


def number_of(
    label_rows: Sequence[int], classes: NDArray[np.int64], over: NDArray[np.bool_]
) -> int:
    """Objects over the threshold that are of one of these class indices."""
    return int((np.isin(classes, label_rows) & over).sum())
