"""Whether scores are probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.evaluation import Calibration

BINS = 10


def calibration(
    scores: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = BINS
) -> Calibration:
    """Confidence and accuracy in bins of equal width.

    Args:
        scores: (N,) in [0, 1].
        right: (N,) whether each is.
        bins: how many.
    """
    row = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    counts = np.bincount(row, minlength=bins)
    some = np.maximum(counts, 1)
    return Calibration(
        edges=np.linspace(0.0, 1.0, bins + 1),
        counts=counts,
        confidence=np.bincount(row, scores, minlength=bins) / some,
        accuracy=np.bincount(row, right.astype(np.float64), minlength=bins) / some,
    )
