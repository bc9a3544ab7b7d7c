"""How far a model's outputs lie from those that they should be."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.serving.signature import Outputs

TOLERANCE = 0.005
"""What lower precision may change: a score by 0.005, a box in 640 pixels by 3.2 of them."""
ROUNDING = 1e-4
"""What the same arithmetic in another order may change."""


def deviation(got: Outputs, want: Outputs) -> float:
    """The greatest difference, as a part of the output's largest value or of one.

    Integers count by how many of them differ. Outputs of other names or shapes, or with NaN
    or infinity in other places, are infinitely far.
    """
    if list(got) != list(want):
        return math.inf
    return max((_of(got[name], want[name]) for name in want), default=0.0)


def _of(got: NDArray[np.generic], want: NDArray[np.generic]) -> float:
    if got.shape != want.shape:
        return math.inf
    if not want.size:
        return 0.0
    if not np.issubdtype(want.dtype, np.floating):
        return float(np.mean(got != want))
    return _of_floats(got.astype(np.float64), want.astype(np.float64))


def _of_floats(got: NDArray[np.float64], want: NDArray[np.float64]) -> float:
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        return math.inf
    if not finite.any():
        return 0.0
    got, want = got[finite], want[finite]
    largest = float(np.abs(got - want).max()) / max(1.0, float(np.abs(want).max()))
    return largest if math.isfinite(largest) else math.inf
