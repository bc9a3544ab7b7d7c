"""Where in their images predicted shapes lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError

CELLS = 32
"""Cells a side."""


def heatmap(
    extents: Sequence[NDArray[np.floating]], sizes: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:
    """How many shapes touch each cell of a grid that is laid over every image.

    A shape counts with its extent, the upright rectangle around it; one that is a point touches
    one cell. What lies outside of its image counts in the cells at the edge.

    Args:
        extents: of each of P images, (N, 4) left, top, right, bottom in pixels.
        sizes: width and height of each image in pixels.

    Returns:
        (CELLS, CELLS) counts, row 0 at the top.

    Raises:
        InvalidInputError: there are not as many sizes as images.
    """
    if len(extents) != len(sizes):
        raise InvalidInputError(
            f"There are shapes of {len(extents)} images but {len(sizes)} sizes.",
            "Give the size of each image.",
        )
    relative = [
        boxes / np.array([width, height, width, height], np.float64)
        for boxes, (width, height) in zip(extents, sizes, strict=True)
        if len(boxes)
    ]
    if not relative:
        return np.zeros((CELLS, CELLS), np.int64)
    scaled = np.concatenate(relative) * CELLS
    begin = np.clip(np.floor(scaled[:, :2]), 0, CELLS - 1).astype(np.int64)
    # A shape that ends on a line between cells does not touch the next.
    end = np.clip(np.ceil(scaled[:, 2:]), begin + 1, CELLS).astype(np.int64)
    return _covered(begin, end)


def _covered(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rectangles by their corners, summed up twice: a cost that does not grow with their size."""
    corners = np.zeros((CELLS + 1, CELLS + 1), np.int64)
    for (rows, columns), sign in (
        ((begin[:, 1], begin[:, 0]), 1), ((end[:, 1], end[:, 0]), 1),
        ((begin[:, 1], end[:, 0]), -1), ((end[:, 1], begin[:, 0]), -1),
    ):  # fmt: skip
        np.add.at(corners, (rows, columns), sign)
    summed: NDArray[np.int64] = corners.cumsum(axis=0).cumsum(axis=1)[:CELLS, :CELLS]
    return summed
