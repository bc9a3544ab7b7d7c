"""Semantic segmentation: class logits (1, C, h, w), or a map of classes (1, h, w).

Whole-image classes become regions: one mask a class, or an outline of each of its pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Masks, Segmentation
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.outlines import area
from picsellia_jupyter.serving.heads.reading import (
    check_finite,
    logit,
    sigmoid,
    softmax,
    sums_to_one,
)
from picsellia_jupyter.serving.heads.regions import (
    Region,
    Sampler,
    cropped,
    pixels_of,
    polygons,
    prediction,
)
from picsellia_jupyter.serving.manifest import HEADS, Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs

_LEAST_AREA = 16.0
"""Pixels of the photo: smaller pieces of a class are noise at its border."""


class SemanticHead:
    """The likeliest class of every pixel of the photo; the background is no object."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Masks | Segmentation:
        """Read the output of one image.

        Raises:
            InvalidPredictionError: it has another shape.
        """
        wanted = self._manifest
        grid = _grid(outputs)
        photo = placement.photo
        part = pixels_of((0, 0, photo.width, photo.height), photo)
        sampler = Sampler(grid.shape[-2:], placement.frame(), part)
        if grid.ndim == 2:
            masks = _of_a_map(grid, sampler)
        elif wanted.activation == "sigmoid":
            masks = _each_by_itself(grid, sampler, wanted.mask_threshold)
        else:
            masks = _likeliest(grid, sampler, logits=wanted.activation == "softmax")
        regions = (
            cropped(mask, label + wanted.label_offset, score)
            for label, mask, score in masks
            if label != wanted.background and score >= wanted.score_floor
        )
        if wanted.kind is InferenceType.MASK:
            return prediction(regions, wanted.kind, photo)
        return _pieces(regions, wanted.max_objects)


_Masks = Iterator[tuple[int, NDArray[np.bool_], float]]
"""Class, pixels of the photo, and a score of each class that is there."""


def _likeliest(grid: NDArray[np.float32], sampler: Sampler, *, logits: bool) -> _Masks:
    chosen = np.concatenate([_argmax(grid, sampler, first) for first in sampler.strips()])
    probable = softmax(grid, axis=0) if logits else np.clip(grid, 0, 1)
    winners = grid.argmax(axis=0)
    for label in np.flatnonzero(np.bincount(chosen.ravel())).tolist():
        cells = probable[label][winners == label]
        score = cells.mean() if len(cells) else probable[label].max()
        yield label, chosen == label, float(score)


def _argmax(grid: NDArray[np.float32], sampler: Sampler, first: int) -> NDArray[np.int32]:
    """The likeliest class of every pixel of a strip."""
    winners = grid.argmax(axis=0).astype(np.int32)
    (above, below, _), (left, right, _) = sampler.between(first)
    chosen: NDArray[np.int32] = winners[above][:, left]
    # A class that wins at all four cells around a pixel wins between them too.
    unsure = np.zeros(chosen.shape, dtype=bool)
    for rows, columns in ((above, right), (below, left), (below, right)):
        unsure |= winners[rows][:, columns] != chosen
    at = np.nonzero(unsure)
    chosen[at] = sampler.at(grid, first, *at).argmax(axis=0)
    return chosen


def _each_by_itself(grid: NDArray[np.float32], sampler: Sampler, threshold: float) -> _Masks:
    for label, logits in enumerate(grid):
        mask = sampler.over(logits, logit(threshold))
        probable = sigmoid(logits)
        cells = probable[probable >= threshold]
        if mask.any():
            yield label, mask, float(cells.mean() if len(cells) else probable.max())


def _of_a_map(grid: NDArray[np.float32], sampler: Sampler) -> _Masks:
    chosen = sampler.nearest(np.rint(grid).astype(np.int32))
    for label in np.unique(chosen).tolist():
        yield label, chosen == label, 1.0


def _pieces(regions: Iterator[Region], limit: int) -> Segmentation:
    """Every piece of every class as an object, the largest first."""
    found = [
        (outline, region)
        for region in regions
        for outline in polygons(region)
        if area(outline) >= _LEAST_AREA
    ]
    found.sort(key=lambda piece: area(piece[0]), reverse=True)
    return Segmentation(
        np.array([region.label for _, region in found[:limit]], dtype=np.int64),
        np.array([region.score for _, region in found[:limit]], dtype=np.float32),
        tuple(outline for outline, _ in found[:limit]),
    )


def _grid(outputs: Outputs) -> NDArray[np.float32]:
    """(C, h, w) logits, or (h, w) classes."""
    array = np.asarray(outputs["out"] if "out" in outputs else next(iter(outputs.values()), ()))
    grid = np.asarray(array, dtype=np.float32)
    if array.ndim == 4 and len(array) == 1:
        grid = grid[0]
    if grid.ndim == 3 and len(grid) == 1 and _is_a_map(array):
        grid = grid[0]
    if grid.ndim not in (2, 3) or not grid.size:
        raise InvalidPredictionError(
            f"The model's segmentation has shape {array.shape}.",
            "For one image it is (1, C, h, w), or (1, h, w) with a class for every pixel.",
        )
    check_finite(grid, "class scores")
    return grid


def _is_a_map(array: NDArray[np.generic]) -> bool:
    """Whether numbers are classes: whole, and not all of them 0 or 1 of one dimension more."""
    whole = np.issubdtype(array.dtype, np.integer) or array.ndim == 3
    return bool(whole and (np.rint(array.astype(np.float64)) == array).all())


def _recognise(trial: Trial) -> Recognised | None:
    if trial.kind not in HEADS["semantic_segmentation"]:
        return None
    if "out" not in trial.outputs and len(trial.outputs) != 1:
        return None
    try:
        grid = _grid(trial.outputs)
    except InvalidPredictionError:
        return None
    named: Mapping[str, Any] = _IMAGENET if "out" in trial.outputs else {}
    if grid.ndim == 2:
        return Recognised(named, ("Every pixel is taken for the number of its class.",))
    return _of_scores(grid, trial.labels, named)


def _of_scores(grid: NDArray[np.float32], labels: int, named: Mapping[str, Any]) -> Recognised:
    if len(grid) == 1:
        note = "The one channel is taken for logits of the only class, without a background."
        return Recognised({**named, "activation": "sigmoid", "background": None}, (note,))
    probable = sums_to_one(grid, axis=0)
    said = {**named, "activation": "none" if probable else "softmax"}
    taken = "probabilities" if probable else "logits"
    notes = [f"Class scores are taken for {taken}; class 0 is the background."]
    if len(grid) == labels + 1:
        said["label_offset"] = -1
        notes.append(f"{labels} labels for {len(grid)} classes: they begin after the background.")
    return Recognised(said, tuple(notes))


_IMAGENET = {"input": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}}

FAMILY = Family(
    "semantic_segmentation", SemanticHead, _recognise, {"activation": "softmax"}, maps=True
)
