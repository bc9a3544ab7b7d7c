"""A model's outputs as arrays of the form that a head asks for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.serving.signature import Outputs


def take(
    outputs: Outputs, name: str, *, at: int, shape: str, columns: int | None = None
) -> NDArray[np.float32]:
    """One output of one image, as float32 and without its batch dimension.

    Args:
        outputs: of the model.
        name: of the output; where none is called so, the one at that place is taken.
        at: its place among unnamed outputs.
        shape: what it looks like for one image: `A, 4`; the error tells it.
        columns: length of its last side, where that is fixed.

    Raises:
        InvalidPredictionError: it is missing, of another shape, or not finite.
    """
    array = np.asarray(_find(outputs, name, at, shape), dtype=np.float32)
    ndim = shape.count(",") + 1
    if array.ndim == ndim + 1 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != ndim or columns not in (None, array.shape[-1]):
        raise InvalidPredictionError(
            f"The model's {name} have shape {np.shape(_find(outputs, name, at, shape))}.",
            f"For one image they are (1, {shape}).",
        )
    check_finite(array, name)
    return array


def check_alike(**outputs: NDArray[np.floating]) -> None:
    """Make sure that outputs tell of as many objects as each other.

    Raises:
        InvalidPredictionError: they do not.
    """
    if len({len(array) for array in outputs.values()}) > 1:
        told = ", ".join(f"{name} of {len(array)}" for name, array in outputs.items())
        raise InvalidPredictionError(
            f"The model's outputs do not tell of the same objects: {told}.",
            "Export it with one row of each for every object.",
        )


def check_finite(array: NDArray[np.floating], name: str) -> None:
    """Make sure that an output holds numbers.

    Raises:
        InvalidPredictionError: it holds NaN or infinity.
    """
    # One pass and no temporary: a NaN or an infinity makes the sum one.
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum(dtype=np.float64)
    if not np.isfinite(total):
        raise InvalidPredictionError(
            f"The model's {name} hold NaN or infinity.", "Check its precision and its export."
        )


def _find(outputs: Outputs, name: str, at: int, shape: str) -> NDArray[np.generic]:
    if name in outputs:
        return outputs[name]
    values = list(outputs.values())
    if at >= len(values):
        raise InvalidPredictionError(
            f"The model's outputs are {', '.join(outputs) or 'none'}; "
            f"there is no {name!r}, nor a number {at + 1}.",
            f"Export it with {name} (1, {shape}), or name another head in serving.json.",
        )
    return values[at]


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """Each number's own probability."""
    # exp of what is never positive cannot overflow
    smaller = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1, smaller) / (1 + smaller), dtype=np.float32)


def logit(probability: float) -> float:
    """The number whose sigmoid a probability is."""
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(inside / (1 - inside))


def softmax(logits: NDArray[np.floating], *, axis: int) -> NDArray[np.float32]:
    """Probabilities that sum to one along an axis."""
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True), dtype=np.float32)


def sums_to_one(values: NDArray[np.floating], *, axis: int) -> bool:
    """Whether they are probabilities along an axis already."""
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    sums = values.sum(axis=axis, dtype=np.float64)
    return low >= -ROUNDING and high <= 1 + ROUNDING and bool((np.abs(sums - 1) < 0.01).all())


ROUNDING = 1e-3
"""How far half precision may carry a probability out of [0, 1]."""
