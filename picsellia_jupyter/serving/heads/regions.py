"""Masks that a model draws on a coarse grid, on the photo's own pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import ImageSize, Masks, Segmentation
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.outlines import outlines, simplified

Frame = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the photo; may reach beyond it."""

Weights = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]
"""The two cells that each pixel lies between, and how near it is to the second, in [0, 1]."""

_ROWS_AT_ONCE = 256
_POLYGON_WITHIN = 1.0
"""Pixels of the photo that a polygon may leave its mask's border by."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels of one object."""

    mask: NDArray[np.bool_]
    """(h, w) of the part of the photo that begins at left, top; nothing lies outside it."""
    left: int
    top: int
    label: int
    score: float


def prediction(
    regions: Iterable[Region], kind: InferenceType, size: ImageSize
) -> Masks | Segmentation:
    """Objects in the form that a model version's type asks for.

    Args:
        regions: one an object; those without pixels are left out.
        kind: MASK for run-length codes, SEGMENTATION for the outline of the largest piece.
        size: of the photo.
    """
    if kind is InferenceType.MASK:
        found = [region for region in regions if region.mask.any()]
        codes = (rle.encode(r.mask, size, left=r.left, top=r.top) for r in found)
        return Masks(_labels(found), _scores(found), tuple(codes))
    drawn = [(region, polygons(region)) for region in regions]
    kept = [(region, outer[0]) for region, outer in drawn if outer]
    found = [region for region, _ in kept]
    return Segmentation(_labels(found), _scores(found), tuple(polygon for _, polygon in kept))


def cropped(mask: NDArray[np.bool_], label: int, score: float) -> Region:
    """An object's pixels among those of the whole photo, without the empty space around."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Region(mask[:0, :0], 0, 0, label, score)
    top, left = int(rows[0]), int(columns[0])
    return Region(mask[top : rows[-1] + 1, left : columns[-1] + 1], left, top, label, score)


def polygons(region: Region) -> list[NDArray[np.float32]]:
    """Outlines of a region's pieces on the photo, the largest first."""
    shift = np.array([region.left, region.top], dtype=np.float32)
    return [simplified(p, within=_POLYGON_WITHIN) + shift for p in outlines(region.mask)]


def pixels_of(frame: Frame, size: ImageSize) -> tuple[int, int, int, int]:
    """The photo's pixels whose centre lies in a frame: left, top, right, bottom."""
    left, top = (max(0, int(np.ceil(side - 0.5))) for side in frame[:2])
    right = min(size.width, int(np.ceil(frame[2] - 0.5)))
    bottom = min(size.height, int(np.ceil(frame[3] - 0.5)))
    return left, top, max(left, right), max(top, bottom)


class Sampler:
    """Reads grids that cover a frame at the centres of a part of the photo's pixels."""

    def __init__(
        self, grid: tuple[int, ...], frame: Frame, part: tuple[int, int, int, int]
    ) -> None:
        """Prepare it.

        Args:
            grid: height and width of the grids.
            frame: where they lie on the photo.
            part: left, top, right, bottom of the pixels.
        """
        self._across = _weights(part[0], part[2], frame[0], frame[2], grid[1])
        self._down = _weights(part[1], part[3], frame[1], frame[3], grid[0])
        self._rows = part[3] - part[1]

    def over(self, grid: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
        """Where a grid (h, w), read between its cells, is at least a threshold."""
        strips = [self.strip(grid, first) >= threshold for first in self.strips()]
        empty = np.zeros((0, len(self._across[0])), dtype=bool)
        return np.concatenate([empty, *strips])

    def strips(self) -> range:
        """The first row of every strip; reading them one by one bounds the memory it takes."""
        return range(0, self._rows, _ROWS_AT_ONCE)

    def strip(self, grid: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        """A grid (h, w) read between its cells, in some rows of the part from `first` on."""
        (above, below, down), (left, right, across) = self.between(first)
        rows = grid[above] + (grid[below] - grid[above]) * down[:, None]
        return np.asarray(rows[:, left] + (rows[:, right] - rows[:, left]) * across)

    def between(self, first: int) -> tuple[Weights, Weights]:
        """The rows and the columns of cells that a strip's pixels lie between."""
        above, below, down = self._down
        strip = slice(first, first + _ROWS_AT_ONCE)
        return (above[strip], below[strip], down[strip]), self._across

    def at(
        self, grids: NDArray[np.float32], first: int, y: NDArray[np.intp], x: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Grids (C, h, w) read between their cells at P pixels of a strip: (C, P)."""
        (above, below, down), (left, right, across) = self.between(first)
        upper, lower = (
            grids[:, row[y], left[x]] * (1 - across[x]) + grids[:, row[y], right[x]] * across[x]
            for row in (above, below)
        )
        return np.asarray(upper + (lower - upper) * down[y])

    def nearest(self, grid: NDArray[np.generic]) -> NDArray[np.generic]:
        """The grid's own cell at every pixel."""
        rows, columns = (
            np.where(w < 0.5, low, high) for low, high, w in (self._down, self._across)
        )
        return grid[rows][:, columns]


def _weights(first: int, last: int, start: float, end: float, cells: int) -> Weights:
    """Which two cells every pixel's centre lies between, and how near it is to the second."""
    at = (np.arange(first, last) + 0.5 - start) * cells / max(end - start, 1e-9) - 0.5
    at = np.clip(at, 0, cells - 1)
    low = np.floor(at).astype(np.intp)
    return low, np.minimum(low + 1, cells - 1), (at - low).astype(np.float32)


def _labels(regions: list[Region]) -> NDArray[np.int64]:
    return np.array([region.label for region in regions], dtype=np.int64)


def _scores(regions: list[Region]) -> NDArray[np.float32]:
    return np.array([region.score for region in regions], dtype=np.float32)
