"""Keypoints, lines and points that a model has found by itself: a form of our own.

- `keypoints` (1, N, K, 2 or 3): x, y and a confidence;
- `lines` (1, N, K, 2): x, y;
- `points` (1, N, 2): x, y;

each with `scores` (1, N), and `classes` (1, N) where there is more than one. Coordinates are
pixels of the input, or parts of its sides where the manifest says `normalised`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Keypoints, Lines, Points
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.reading import take
from picsellia_jupyter.serving.heads.selection import best_first, given_class
from picsellia_jupyter.serving.heads.skeletons import skeletons
from picsellia_jupyter.serving.manifest import HEADS, Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    classes: NDArray[np.int64]
    scores: NDArray[np.float32]
    shapes: NDArray[np.float32]
    """(M, ...) with x, y in pixels of the input."""


class KeypointsHead:
    """Skeletons, best first."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Keypoints:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        found = _found(outputs, "keypoints", "N, K, 3", self._manifest, placement)
        return skeletons(found.classes, found.scores, found.shapes, placement)


class LinesHead:
    """Lines, best first."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Lines:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        found = _found(outputs, "lines", "N, K, 2", self._manifest, placement)
        return Lines(found.classes, found.scores, tuple(placement.points_to_photo(found.shapes)))


class PointsHead:
    """Points, best first."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Points:
        """Read the outputs of one image.

        Raises:
            InvalidPredictionError: one is missing or has another shape.
        """
        found = _found(outputs, "points", "N, 2", self._manifest, placement)
        return Points(found.classes, found.scores, placement.points_to_photo(found.shapes))


def _found(
    outputs: Outputs, name: str, shape: str, wanted: Manifest, placement: Placement
) -> _Found:
    shapes = take(outputs, name, at=0, shape=shape)
    scores = take(outputs, "scores", at=1, shape="N")
    told = "classes" in outputs or len(outputs) > 2
    classes = take(outputs, "classes", at=2, shape="N") if told else np.zeros_like(scores)
    columns = (2, 3) if name == "keypoints" else (2,)
    if shapes.shape[-1] not in columns or not len(shapes) == len(scores) == len(classes):
        raise InvalidPredictionError(
            f"The model's {name} have shape {shapes.shape}, with {len(scores)} scores and "
            f"{len(classes)} classes.",
            f"For one image they are (1, {shape}), (1, N) and (1, N).",
        )
    likely = given_class(classes, scores, at_least=wanted.score_floor)
    best = best_first(likely.scores, limit=wanted.max_objects)
    drawn = shapes[likely.rows[best]]
    if wanted.normalised:
        drawn = np.concatenate([placement.in_pixels(drawn[..., :2]), drawn[..., 2:]], axis=-1)
    return _Found(likely.classes[best] + wanted.label_offset, likely.scores[best], drawn)


def _recognise(trial: Trial, name: str, rank: int) -> Recognised | None:
    if trial.kind not in HEADS[name]:
        return None
    if name not in trial.outputs and len(trial.outputs) < 2:
        return None
    first = np.asarray(trial.outputs.get(name, next(iter(trial.outputs.values()))))
    if first.ndim not in (rank, rank + 1):
        return None
    if first.size and float(np.abs(first[..., :2]).max()) <= 1:
        return Recognised({"normalised": True}, ("Coordinates are taken for parts of the sides.",))
    return Recognised({}, ("Coordinates are taken for pixels of the input.",))


FAMILIES = (
    Family("keypoints", KeypointsHead, lambda trial: _recognise(trial, "keypoints", 3)),
    Family("lines", LinesHead, lambda trial: _recognise(trial, "lines", 3)),
    Family("points", PointsHead, lambda trial: _recognise(trial, "points", 2)),
)
