"""One score per class for the whole image: a single output (1, C)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Classification
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement

_ROUNDING = 1e-3
"""How far half precision may carry a probability out of [0, 1]."""


class ClassesHead:
    """The most confident classes first; the first one is the answer."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(
        self, outputs: Mapping[str, NDArray[np.generic]], placement: Placement
    ) -> Classification:
        """Read (1, C) scores.

        Raises:
            InvalidPredictionError: there is another output, or it is no probability.
        """
        del placement  # a class belongs to the whole photo
        scores = _probabilities(_output(outputs), self._manifest.activation)
        best = np.argsort(-scores, kind="stable")[: self._manifest.top_k]
        return Classification(
            best.astype(np.int64) + self._manifest.label_offset, scores[best].astype(np.float32)
        )


def _output(outputs: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    if len(outputs) != 1:
        raise InvalidPredictionError(
            f"The model's outputs are {', '.join(outputs) or 'none'}.",
            "Export it with one: a score for every class, (N, C).",
        )
    scores = np.asarray(next(iter(outputs.values())), dtype=np.float64)
    if scores.ndim != 2 or scores.shape[0] != 1:
        raise InvalidPredictionError(
            f"The model's scores have shape {scores.shape}.", "For one image they are (1, C)."
        )
    if not np.isfinite(scores).all():
        raise InvalidPredictionError(
            "The model's scores hold NaN or infinity.", "Check its precision and its export."
        )
    return np.asarray(scores[0])


def _probabilities(scores: NDArray[np.float64], activation: str) -> NDArray[np.float64]:
    if activation == "softmax":
        powers = np.exp(scores - scores.max())
        return np.asarray(powers / powers.sum())
    if activation == "sigmoid":
        # exp of what is never positive cannot overflow
        smaller = np.exp(-np.abs(scores))
        return np.asarray(np.where(scores >= 0, 1, smaller) / (1 + smaller))
    if scores.min() < -_ROUNDING or scores.max() > 1 + _ROUNDING:
        raise InvalidPredictionError(
            f"The model's scores run from {scores.min():g} to {scores.max():g}, not in [0, 1].",
            'They look like logits: set "activation": "softmax" in serving.json.',
        )
    return np.clip(scores, 0, 1)
