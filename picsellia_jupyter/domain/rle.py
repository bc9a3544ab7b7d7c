"""COCO compressed run-length codes, the form masks travel in, from and to pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import ImageSize

_MOST_CHARACTERS = 11
"""A run of 2^55 pixels fits no photo: a number that goes on is broken."""

_REMEDY = "Encode it with pycocotools.mask.encode on the upright photo."


def encode(mask: NDArray[np.bool_], size: ImageSize, *, left: int = 0, top: int = 0) -> str:
    """The code of a mask.

    Args:
        mask: (h, w) pixels of a part of the photo; there is nothing outside it.
        size: the upright photo's.
        left: where that part begins, in pixels.
        top: likewise.

    Returns:
        The code of the whole photo.
    """
    return _spell(_runs_of(mask, size, left, top))


def decode(counts: str, size: ImageSize) -> NDArray[np.bool_]:
    """The pixels of a mask.

    Args:
        counts: COCO compressed run-length code.
        size: the upright photo's.

    Returns:
        (height, width), True inside the mask.

    Raises:
        InvalidPredictionError: the code is broken, or of another size.
    """
    runs = _checked(counts, size)
    inside = (np.arange(len(runs)) % 2).astype(bool)
    # The code runs down the columns, hence the Fortran order.
    return np.repeat(inside, runs).reshape((size.height, size.width), order="F")


def runs(counts: str, size: ImageSize) -> NDArray[np.int64]:
    """Lengths of a mask's runs down the columns, of background first; together all pixels.

    Raises:
        InvalidPredictionError: the code is broken, or of another size.
    """
    return _checked(counts, size)


def check(counts: str, size: ImageSize) -> None:
    """Make sure that a code is one of a mask of this size.

    Raises:
        InvalidPredictionError: it is broken, or of another size.
    """
    _checked(counts, size)


def extent(counts: str, size: ImageSize) -> tuple[tuple[int, int, int, int], int]:
    """The box around a mask and how many pixels it has, found without decoding it.

    Returns:
        Left, top, right, bottom in pixels, right and bottom exclusive, and the area. All
        are 0 where the mask is empty.

    Raises:
        InvalidPredictionError: the code is broken, or of another size.
    """
    runs = _checked(counts, size)
    ends = np.cumsum(runs)
    firsts, stops = (ends - runs)[1::2], ends[1::2]
    some = stops > firsts
    firsts, lasts = firsts[some], stops[some] - 1
    if not len(firsts):
        return (0, 0, 0, 0), 0
    left, right = int(firsts[0]) // size.height, int(lasts[-1]) // size.height + 1
    area = int((lasts - firsts + 1).sum())
    if bool((firsts // size.height != lasts // size.height).any()):
        # A run that goes on in the next column touches the foot of one and the head of the other.
        return (left, 0, right, size.height), area
    rows = (int((firsts % size.height).min()), int((lasts % size.height).max()) + 1)
    return (left, rows[0], right, rows[1]), area


def _checked(counts: str, size: ImageSize) -> NDArray[np.int64]:
    steps = _numbers(counts)
    # Each run from the fourth on is kept as its difference to the one before the last.
    runs = steps.copy()
    runs[1::2] = np.cumsum(steps[1::2])
    runs[2::2] = np.cumsum(steps[2::2])
    pixels = size.width * size.height
    # Summed as Python numbers, which do not overflow however large a forged run is.
    total = sum(runs.tolist())
    if total != pixels or bool((runs < 0).any()):
        raise InvalidPredictionError(
            f"A mask's code covers {total} pixels, "
            f"its photo has {size.width} x {size.height} = {pixels}.",
            _REMEDY,
        )
    return np.asarray(runs)


def _numbers(counts: str) -> NDArray[np.int64]:
    """Signed numbers of five bits a character, the lowest first, bit 6 meaning "more"."""
    codes = np.frombuffer(counts.encode("utf-8"), np.uint8).astype(np.int64) - 48
    strange = np.flatnonzero((codes < 0) | (codes >= 64))
    if len(strange):
        character = next(c for c in counts if not 48 <= ord(c) < 112)
        raise InvalidPredictionError(f"A mask's code holds the character {character!r}.", _REMEDY)
    lasts = np.flatnonzero(codes < 32)
    if len(codes) and (not len(lasts) or lasts[-1] != len(codes) - 1):
        raise InvalidPredictionError("A mask's code ends in the middle of a number.", _REMEDY)
    firsts = np.concatenate([[0], lasts[:-1] + 1])[: len(lasts)]
    lengths = lasts - firsts + 1
    if len(lengths) and lengths.max() > _MOST_CHARACTERS:
        raise InvalidPredictionError("A mask's code holds a number without end.", _REMEDY)
    return _values(codes, firsts, lengths)


def _values(
    codes: NDArray[np.int64], firsts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    if not len(firsts):
        return np.zeros(0, np.int64)
    shifts = 5 * (np.arange(len(codes)) - np.repeat(firsts, lengths))
    values: NDArray[np.int64] = np.add.reduceat((codes & 31) << shifts, firsts)
    negative = ((codes[firsts + lengths - 1] & 16) > 0).astype(np.int64)
    return np.asarray(values - (negative << (5 * lengths)))


def _runs_of(mask: NDArray[np.bool_], size: ImageSize, left: int, top: int) -> NDArray[np.int64]:
    """Lengths of runs down the columns of the whole photo, of background first."""
    height, width = mask.shape
    framed = np.zeros((width, height + 2), dtype=np.int8)
    framed[:, 1:-1] = mask.T
    columns, rows = np.nonzero(np.diff(framed, axis=1))
    edges = (columns + left) * size.height + rows + top
    starts, ends = edges[::2], edges[1::2]
    # A run that reaches the foot of a column goes on at the head of the next.
    apart = starts[1:] != ends[:-1]
    starts = starts[np.concatenate([[True], apart])[: len(starts)]]
    ends = ends[np.concatenate([apart, [True]])[-len(ends) :]] if len(ends) else ends
    bounds = np.column_stack([starts, ends]).ravel()
    runs = np.diff(bounds, prepend=0, append=size.width * size.height)
    return np.asarray(runs if len(bounds) == 0 or runs[-1] > 0 else runs[:-1])


def _spell(runs: NDArray[np.int64]) -> str:
    steps = runs.copy()
    steps[3:] -= runs[1:-2]
    parts: list[NDArray[np.int64]] = []
    going = np.ones(len(steps), dtype=bool)
    left = steps
    while going.any():
        bits, rest = left & 31, left >> 5
        more = going & (rest != np.where(bits & 16, -1, 0))
        parts.append(np.where(going, bits + 48 + 32 * more, 0))
        going, left = more, rest
    letters = np.column_stack(parts).ravel() if parts else np.zeros(0, np.int64)
    return letters[letters > 0].astype(np.uint8).tobytes().decode("ascii")
