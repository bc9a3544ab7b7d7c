"""Outlines of masks: the borders between pixels, followed around every region.

Written here because OpenCV would be 60 MB for this one function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEP = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
"""x, y of a heading: east, south, west, north; each a right turn from the one before."""


def outlines(mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """The outer borders of a mask's regions, the largest first.

    Args:
        mask: (h, w); pixels that touch at a corner only are of two regions.

    Returns:
        (K >= 4, 2) x, y corners each, clockwise as seen; pixel (0, 0) reaches from 0 to 1.
        Holes are filled.
    """
    loops = [loop for loop in _loops(mask) if area(loop) > 0]
    return sorted(loops, key=area, reverse=True)


def area(polygon: NDArray[np.floating]) -> float:
    """Of a polygon (K, 2); positive where it runs clockwise as seen."""
    x, y = polygon[:, 0].astype(np.float64), polygon[:, 1].astype(np.float64)
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def simplified(polygon: NDArray[np.float32], *, within: float) -> NDArray[np.float32]:
    """A polygon with fewer corners.

    Args:
        polygon: (K, 2).
        within: how far a corner left out may lie from the line that replaces it, in pixels.

    Returns:
        (M, 2), 3 <= M <= K; the same one where nothing would be left of it.
    """
    far = int(np.square(polygon - polygon[0]).sum(axis=1).argmax())
    if far == 0:
        return polygon
    ring = np.concatenate([polygon, polygon[:1]])
    kept = np.zeros(len(ring), dtype=bool)
    kept[[0, far]] = True
    parts = [(0, far), (far, len(ring) - 1)]
    while parts:
        first, last = parts.pop()
        split = _farthest(ring, first, last, within)
        if split is not None:
            kept[split] = True
            parts += [(first, split), (split, last)]
    fewer = polygon[kept[:-1]]
    return fewer if len(fewer) >= 3 and area(fewer) > 0 else polygon


def _farthest(ring: NDArray[np.float32], first: int, last: int, within: float) -> int | None:
    if last - first < 2:
        return None
    start, along = ring[first], ring[last] - ring[first]
    offset = ring[first + 1 : last] - start
    length = float(np.hypot(*along))
    away = (
        np.abs(along[0] * offset[:, 1] - along[1] * offset[:, 0]) / length
        if length
        else np.hypot(offset[:, 0], offset[:, 1])
    )
    worst = int(away.argmax())
    return first + 1 + worst if away[worst] > within else None


def _loops(mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """Every closed border, the inside on the right: outer ones clockwise, holes against it."""
    starts, headings = _edges(mask)
    if not len(starts):
        return []
    following = _following(starts, headings, mask.shape[1] + 1)
    # A border changes its heading at corners; between them it is a straight line.
    corner = headings[following] != headings
    return [
        _corners(np.array(loop), starts, following, corner, mask.shape[1] + 1)
        for loop in _cycles(following.tolist())
    ]


def _edges(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sides of pixels inside that face outside: where each starts, and its heading."""
    framed = np.pad(mask, 1)
    inside = framed[1:-1, 1:-1]
    faces = (framed[:-2, 1:-1], framed[1:-1, 2:], framed[2:, 1:-1], framed[1:-1, :-2])
    origins = ((0, 0), (0, 1), (1, 1), (1, 0))  # row, column of a side's start in its pixel
    starts, headings = [], []
    for heading, (neighbour, (down, across)) in enumerate(zip(faces, origins, strict=True)):
        rows, columns = np.nonzero(inside & ~neighbour)
        starts.append((rows + down) * (mask.shape[1] + 1) + columns + across)
        headings.append(np.full(len(rows), heading))
    found, ways = np.concatenate(starts), np.concatenate(headings)
    order = np.argsort(found, kind="stable")
    return found[order], ways[order]


def _following(
    starts: NDArray[np.intp], headings: NDArray[np.intp], width: int
) -> NDArray[np.intp]:
    """Which side follows each one around its region."""
    ends = starts + _STEP[headings, 0] + _STEP[headings, 1] * width
    following = np.searchsorted(starts, ends)
    # Where two regions touch at a corner, two sides start; a right turn stays with its own.
    second = np.minimum(following + 1, len(starts) - 1)
    right = (headings + 1) % 4
    turns = (starts[second] == ends) & (headings[second] == right) & (second != following)
    return np.asarray(np.where(turns, second, following), dtype=np.intp)


def _cycles(following: list[int]) -> list[list[int]]:
    seen = bytearray(len(following))
    loops = []
    for first in range(len(following)):
        if not seen[first]:
            loop, at = [], first
            while not seen[at]:
                seen[at] = 1
                loop.append(at)
                at = following[at]
            loops.append(loop)
    return loops


def _corners(
    loop: NDArray[np.intp],
    starts: NDArray[np.intp],
    following: NDArray[np.intp],
    corner: NDArray[np.bool_],
    width: int,
) -> NDArray[np.float32]:
    at = starts[following[loop[corner[loop]]]]
    return np.column_stack([at % width, at // width]).astype(np.float32)
