"""Which shapes and images are wanted, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.predictions import (
    Classification,
    PredictedImage,
    Prediction,
    considered,
    over_threshold,
)
from picsellia_jupyter.domain.registry import label_name

Score = float | tuple[float, float]
"""More than this; or more than the first and at most the second."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Shapes of some labels whose scores lie in a range."""

    classes: frozenset[int] | None
    """Class indices; None means every one."""
    over: float | None
    at_most: float = 1.0

    def kept(self, found: Prediction) -> NDArray[np.bool_]:
        """(N,) which shapes are wanted; an image's classes stand or fall with its first."""
        wanted = over_threshold(found.scores, self.over) & ~over_threshold(
            found.scores, self.at_most
        )
        if self.classes is not None:
            wanted &= np.isin(found.classes, list(self.classes))
        if isinstance(found, Classification):
            return np.full(len(found), bool(wanted[:1].any()))
        return wanted

    def __call__(self, image: PredictedImage) -> PredictedImage:
        """The image with the wanted shapes alone."""
        return replace(image, found=image.found.take(self.kept(image.found)))


def filter_of(
    label: str | Sequence[str] | None,
    score: Score | None,
    labels: Mapping[int, str],
    used: Callable[[], frozenset[int]],
) -> Filter:
    """What a user asks for.

    Args:
        label: one name or several.
        score: a shape's must be more; of a pair, more than the first, at most the second.
        labels: class index to label name.
        used: gives the class indices that occur, which the labels may not know.

    Raises:
        NotFoundError: no label has that name.
        InvalidInputError: the scores are no range within [0, 1].
    """
    over, at_most = score if isinstance(score, tuple) else (score, 1.0)
    if not 0 <= (over or 0) <= at_most <= 1:
        raise InvalidInputError(
            f"score is {score!r}, which is no range within [0, 1].",
            "Write score=0.5 for more than a half, or score=(0.2, 0.5).",
        )
    if label is None:
        return Filter(None, over, at_most)
    wanted = [label] if isinstance(label, str) else list(label)
    names = dict(labels)
    if not set(wanted) <= set(names.values()):
        names |= {index: label_name(labels, index) for index in used()}
    for name in wanted:
        if name not in names.values():
            raise NotFoundError.named("label", name, sorted(set(names.values())))
    return Filter(frozenset(i for i, name in names.items() if name in wanted), over, at_most)


def confidence_key(image: PredictedImage, threshold: float | None) -> float:
    """The lowest considered score, 2 where nothing is considered: lowest first.

    Of a classification it is the score of the answer.
    """
    scores = considered(image.found, threshold=threshold).scores
    if isinstance(image.found, Classification):
        scores = scores[:1]
    return float(scores.min()) if len(scores) else 2.0


def objects_key(image: PredictedImage, threshold: float | None) -> float:
    """Minus the number of considered shapes: most first."""
    return -float(len(considered(image.found, threshold=threshold)))


ORDERS: Mapping[str, Callable[[PredictedImage, float | None], float]] = {
    "confidence": confidence_key,
    "objects": objects_key,
}
"""What images can be sorted by."""


def order_of(images: Sequence[PredictedImage], by: str, threshold: float | None) -> list[int]:
    """Rows of the images in an order; those that tie stay as they were.

    Raises:
        NotFoundError: there is no such order.
    """
    if by not in ORDERS:
        raise NotFoundError.named("order", by, list(ORDERS))
    key = ORDERS[by]
    keys = np.array([key(image, threshold) for image in images], np.float64)
    return [int(row) for row in np.argsort(keys, kind="stable")]
