"""Clients' own tensors that go through the model together, as photos do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.tensors import Tensors


def takes_joined(model: LoadedModel) -> bool:
    """Whether the model has one input, and all its tensors begin with a batch of any size.

    That several images give together what each gives alone was seen at the warm-up, where
    `LoadedModel.batch` is more than 1.
    """
    tensors = (*model.inputs, *model.outputs)
    free = all(one.shape[:1] == (None,) for one in tensors)
    return model.batch > 1 and len(model.inputs) == 1 and bool(model.outputs) and free


def rows(given: Tensors) -> int:
    """Images in a call's one tensor; 0 where it cannot be joined with others."""
    (array,) = given.values() if len(given) == 1 else (np.empty(0),)
    return len(array) if array.ndim > 1 else 0


def fit(one: Tensors, other: Tensors) -> bool:
    """Whether two calls' tensors differ in their number of images at most."""
    return list(one) == list(other) and all(
        (a.dtype, a.shape[1:]) == (b.dtype, b.shape[1:])
        for a, b in zip(one.values(), other.values(), strict=True)
    )


def joined(calls: Sequence[Tensors]) -> Tensors:
    """The tensors of calls that fit, one after another."""
    return {name: np.concatenate([call[name] for call in calls]) for name in calls[0]}


def parted(outputs: Tensors, counts: Sequence[int]) -> list[Tensors] | None:
    """Each call's part of the outputs; None where they are not one for every image.

    Args:
        outputs: of the joined tensors.
        counts: images of each call.
    """
    if any(array.shape[:1] != (sum(counts),) for array in outputs.values()):
        return None
    ends = np.cumsum(counts).tolist()
    return [
        {name: array[end - count : end] for name, array in outputs.items()}
        for end, count in zip(ends, counts, strict=True)
    ]
