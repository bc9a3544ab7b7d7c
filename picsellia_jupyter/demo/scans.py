"""The handwritten digits everything in the demo is made from, split once for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import PicselliaJupyterError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLIT_SEED = 20
SPLIT_SHARES: Mapping[str, float] = {TRAIN: 0.65, VALIDATION: 0.10, TEST: 0.25}


@dataclass(frozen=True, slots=True, eq=False)
class Scans:
    """N scanned digits; row i of every array is the same scan."""

    ink: NDArray[np.float32]
    """(N, 8, 8) ink in [0, 1]; 0 is bare paper."""
    labels: NDArray[np.int64]
    """(N,) the digit written, 0 to 9."""
    ids: NDArray[np.int64]
    """(N,) row of the scan in scikit-learn's `load_digits`."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64]) -> Scans:
        """The scans at these rows, in that order."""
        return Scans(self.ink[rows], self.labels[rows], self.ids[rows])


def load_scans() -> Scans:
    """Read the 1,797 scans that ship inside scikit-learn; nothing is downloaded.

    Raises:
        PicselliaJupyterError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as missing:
        raise PicselliaJupyterError(
            "The digit scans come with the package 'scikit-learn', which is not installed here.",
            "Install it with: pip install scikit-learn",
        ) from missing
    bunch = load_digits()
    ink = (bunch.images / 16).astype(np.float32)
    labels = bunch.target.astype(np.int64)
    return Scans(ink, labels, np.arange(len(labels), dtype=np.int64))


def split_scans(scans: Scans) -> dict[str, Scans]:
    """Part the scans into train, validation and test, each digit in the same shares.

    The scans do not tell who wrote them, so that one writer may be in several splits; one
    scan never is.

    Returns:
        The three splits by name; always the same ones.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    rows: dict[str, list[NDArray[np.int64]]] = {name: [] for name in SPLIT_SHARES}
    cuts = np.cumsum(list(SPLIT_SHARES.values()))[:-1]
    for digit in np.unique(scans.labels):
        shuffled = rng.permutation(np.flatnonzero(scans.labels == digit))
        parts = np.split(shuffled, (cuts * len(shuffled)).round().astype(int))
        for name, part in zip(SPLIT_SHARES, parts, strict=True):
            rows[name].append(part)
    return {name: scans.take(np.sort(np.concatenate(parts))) for name, parts in rows.items()}
