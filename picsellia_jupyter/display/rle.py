"""COCO compressed run-length codes, the form masks travel in, as pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import ImageSize

_MOST_BITS = 60
"""A run of 2^60 pixels fits no photo: a code that goes on is broken."""

_REMEDY = "Encode it with pycocotools.mask.encode on the upright photo."


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
    runs = _runs(counts)
    pixels = size.width * size.height
    if min(runs, default=0) < 0 or sum(runs) != pixels:
        raise InvalidPredictionError(
            f"A mask's code covers {sum(runs)} pixels, "
            f"its photo has {size.width} x {size.height} = {pixels}.",
            _REMEDY,
        )
    inside = (np.arange(len(runs)) % 2).astype(bool)
    # The code runs down the columns, hence the Fortran order.
    return np.repeat(inside, runs).reshape((size.height, size.width), order="F")


def _runs(counts: str) -> list[int]:
    """Run lengths, of background first; from the fourth on each is kept as a difference."""
    runs: list[int] = []
    for value in _numbers(counts):
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs


def _numbers(counts: str) -> list[int]:
    """Signed numbers of five bits a character, the lowest first, bit 6 meaning "more"."""
    values: list[int] = []
    value = shift = 0
    for character in counts:
        code = ord(character) - 48
        if not 0 <= code < 64:
            raise InvalidPredictionError(
                f"A mask's code holds the character {character!r}.", _REMEDY
            )
        value |= (code & 31) << shift
        shift += 5
        if code & 32 and shift < _MOST_BITS:
            continue
        values.append(value - (1 << shift) if code & 16 else value)
        value = shift = 0
    if shift:
        raise InvalidPredictionError("A mask's code ends in the middle of a number.", _REMEDY)
    return values
