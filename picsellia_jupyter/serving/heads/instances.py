"""Objects with a mask each, from the grids that a model draws for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import Masks, Segmentation
from picsellia_jupyter.serving.heads.reading import logit
from picsellia_jupyter.serving.heads.regions import (
    Frame,
    Region,
    Sampler,
    pixels_of,
    prediction,
)
from picsellia_jupyter.serving.heads.selection import Objects
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement

GridOf = Callable[[int], tuple[NDArray[np.float32], Frame]]
"""The grid (h, w) of an object, and where it lies on the photo."""


def masked(
    objects: Objects,
    grid_of: GridOf,
    wanted: Manifest,
    placement: Placement,
    *,
    logits: bool = False,
    margin: float = 0,
) -> Masks | Segmentation:
    """Objects with their masks, each within its box.

    Args:
        objects: M objects.
        grid_of: their grids, by their place among the objects.
        wanted: the type of prediction, and the threshold.
        placement: of the photo in the input.
        logits: whether the grids hold logits instead of probabilities.
        margin: pixels of the photo by which a mask may leave its box.
    """
    threshold = logit(wanted.mask_threshold) if logits else wanted.mask_threshold
    regions = _regions(objects, grid_of, threshold, placement, margin)
    return prediction(regions, wanted.kind, placement.photo)


def _regions(
    objects: Objects, grid_of: GridOf, threshold: float, placement: Placement, margin: float
) -> Iterator[Region]:
    for place, box in enumerate(objects.boxes_xyxy.tolist()):
        grid, frame = grid_of(place)
        part = pixels_of(
            (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin), placement.photo
        )
        mask = Sampler(grid.shape[:2], frame, part).over(grid, threshold)
        label, score = int(objects.classes[place]), float(objects.scores[place])
        yield Region(mask, part[0], part[1], label, score)
