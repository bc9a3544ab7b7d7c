"""One score per class for the whole image: a single output (1, C)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Classification
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.heads.families import Family, Recognised, Trial
from picsellia_jupyter.serving.heads.reading import (
    ROUNDING,
    check_finite,
    sigmoid,
    softmax,
    sums_to_one,
)
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


class ClassesHead:
    """The most confident classes first; the first one is the answer."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __call__(self, outputs: Outputs, placement: Placement) -> Classification:
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


def _output(outputs: Outputs) -> NDArray[np.float64]:
    if len(outputs) != 1:
        raise InvalidPredictionError(
            f"The model's outputs are {', '.join(outputs) or 'none'}.",
            "Export it with one: a score for every class, (N, C).",
        )
    scores = np.asarray(next(iter(outputs.values())), dtype=np.float64)
    side = {1: 0, 2: 1, 4: 1}.get(scores.ndim)
    if side is None or not scores.size or scores.size != scores.shape[side]:
        raise InvalidPredictionError(
            f"The model's scores have shape {scores.shape}, those of a classification (1, C).",
            "Where it finds something else, say so: version.update(type=…).",
        )
    check_finite(scores, "scores")
    return scores.ravel()


def _probabilities(scores: NDArray[np.float64], activation: str) -> NDArray[np.floating]:
    if activation == "softmax":
        return softmax(scores, axis=0)
    if activation == "sigmoid":
        return sigmoid(scores)
    if scores.min() < -ROUNDING or scores.max() > 1 + ROUNDING:
        raise InvalidPredictionError(
            f"The model's scores run from {scores.min():g} to {scores.max():g}, not in [0, 1].",
            'They look like logits: set "activation": "softmax" in serving.json.',
        )
    return np.clip(scores, 0, 1)


def _recognise(trial: Trial) -> Recognised | None:
    if trial.kind is not InferenceType.CLASSIFICATION or len(trial.outputs) != 1:
        return None
    scores = np.asarray(next(iter(trial.outputs.values())), dtype=np.float64).ravel()
    if len(scores) == 1:
        inside = -ROUNDING <= scores[0] <= 1 + ROUNDING
        return _told("none" if inside else "sigmoid")
    return _told("none" if sums_to_one(scores, axis=0) else "softmax")


def _told(activation: str) -> Recognised:
    taken = "probabilities" if activation == "none" else f"logits, so that {activation} is applied"
    note = f'Scores are taken for {taken} ("activation": "{activation}").'
    return Recognised({"activation": activation}, (note,))


FAMILY = Family("class_scores", ClassesHead, _recognise)
