"""What a family of model outputs is, and how it is told by one trial run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import Prediction
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


class Head(Protocol):
    """Reads the outputs of one image."""

    def __call__(self, outputs: Outputs, placement: Placement) -> Prediction:
        """What the model found, in pixels of the upright photo."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What a model gave for one made-up photo, and what its version says of it."""

    outputs: Outputs
    kind: InferenceType
    labels: int
    """Labels of the model version; 0 where that is not known."""
    width: int
    """Of the input, in pixels."""
    height: int
    channels_last: bool = False
    """Whether its maps are (1, h, w, C) instead of (1, C, h, w)."""

    def with_channels_first(self) -> Trial:
        """The same, with its maps as heads read them."""
        if not self.channels_last:
            return self
        return dataclasses.replace(
            self, outputs=with_channels_first(self.outputs), channels_last=False
        )

    def arrays(self) -> list[NDArray[np.generic]]:
        """Every output, without a leading batch of one where it has more than two sides."""
        return [_unbatched(array) for array in self.outputs.values()]

    def shapes(self) -> list[tuple[int, ...]]:
        """Of those arrays."""
        return [array.shape for array in self.arrays()]

    def single(self, *, ndim: int) -> NDArray[np.generic] | None:
        """The only output without its batch; None where there are more, or of another rank."""
        if len(self.outputs) != 1:
            return None
        array = _unbatched(next(iter(self.outputs.values())))
        return array if array.ndim == ndim else None


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a trial run told, in the terms of serving.json."""

    said: Mapping[str, Any]
    """Keys and values that serving.json may overrule."""
    notes: tuple[str, ...] = ()
    """What was assumed, in words."""


def _tells_nothing(_trial: Trial) -> Recognised | None:
    return None


@dataclass(frozen=True, slots=True)
class Family:
    """One form that outputs come in."""

    name: str
    """As serving.json calls it."""
    make: Callable[[Manifest], Head]
    recognise: Callable[[Trial], Recognised | None] = _tells_nothing
    """None where the outputs are of another family."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What holds for all models of the family, in the terms of serving.json."""
    maps: bool = False
    """Whether outputs of four sides are maps (1, C, h, w), which TensorFlow has as (1, h, w, C)."""


def with_channels_first(outputs: Outputs) -> Outputs:
    """Maps (1, h, w, C) as (1, C, h, w); outputs of fewer sides as they are."""
    return {
        name: np.moveaxis(array, -1, 1) if np.ndim(array) == 4 else array
        for name, array in outputs.items()
    }


def _unbatched(array: NDArray[np.generic]) -> NDArray[np.generic]:
    return array[0] if array.ndim > 2 and array.shape[0] == 1 else array
