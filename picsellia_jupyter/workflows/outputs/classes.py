"""What a classifier put out, taken apart: labels and scores, the most confident first."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.workflows.outputs.columns import plain


def read(given: Any) -> tuple[list[Any], list[float]]:
    """Take apart what a classifier found in one image.

    Args:
        given: `("cat", 0.9)`, a list of these, a dictionary of names and scores, (N,)
            probabilities in the order of the class indices, or an Ultralytics `Results`.

    Raises:
        InvalidPredictionError: it is none of these.
    """
    pairs = _pairs(given)
    wrong = next((pair for pair in pairs if not _is_number(pair[1])), None)
    if wrong is not None:
        raise InvalidPredictionError(
            f"{wrong[1]!r} is no score of {wrong[0]!r}.", "Give pairs: (label, score)."
        )
    ranked = sorted(pairs, key=lambda pair: -float(pair[1]))
    return [label for label, _ in ranked], [float(score) for _, score in ranked]


def _pairs(given: Any) -> list[tuple[Any, Any]]:
    only = given[0] if isinstance(given, list) and len(given) == 1 else given
    if getattr(only, "probs", None) is not None:
        scores = plain(only.probs.data)
        return [(only.names[index], score) for index, score in enumerate(scores)]
    if isinstance(given, Mapping):
        return list(given.items())
    if isinstance(given, tuple) and len(given) == 2:
        return [given]
    if isinstance(given, list):
        return [_pair(one) for one in given]
    array = plain(given)
    if isinstance(array, np.ndarray) and array.ndim == 1:
        return list(enumerate(array))
    raise _unknown(given)


def _pair(one: Any) -> tuple[Any, Any]:
    if isinstance(one, Mapping) and {"label", "score"} <= one.keys():
        return one["label"], one["score"]
    if isinstance(one, tuple) and len(one) == 2:
        return one
    raise _unknown(one)


def _is_number(value: Any) -> bool:
    plainly = value.item() if hasattr(value, "item") else value
    return isinstance(plainly, Real) and not isinstance(plainly, bool)


def _unknown(given: Any) -> InvalidPredictionError:
    return InvalidPredictionError(
        f"{str(given)[:60]!r} is no classification.",
        "Give (label, score), a list of these, or the probabilities of all classes.",
    )
