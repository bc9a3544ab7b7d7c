"""Labels as a model says them, as the class indices of a deployment."""

from __future__ import annotations

import difflib
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError, InvalidPredictionError


class Labelling:
    """Finds the class index of what a model calls a label; made and checked once."""

    def __init__(
        self, labels: Mapping[int, str], renamed: Mapping[int | str, str] | None = None
    ) -> None:
        """Check the labels.

        Args:
            labels: of the deployment's model version, by class index.
            renamed: what a model says, index or name, and the deployment's name for it; what is
                not in it stands for itself.

        Raises:
            InvalidInputError: a name is none of the deployment's.
        """
        self._labels = dict(labels)
        self._indices = {name: index for index, name in labels.items()}
        self._renamed = {said: self._renamed_to(name) for said, name in (renamed or {}).items()}

    def indices(self, said: Iterable[Any]) -> NDArray[np.int64]:
        """The class indices of labels.

        Args:
            said: names, or indices as the model counts them.

        Raises:
            InvalidPredictionError: one is none of the deployment's.
        """
        return np.array([self.index(one) for one in said], np.int64)

    def index(self, said: Any) -> int:
        """The class index of one label.

        Raises:
            InvalidPredictionError: it is none of the deployment's.
        """
        known = str(said) if isinstance(said, str) else _whole(said)
        if known in self._renamed:
            return self._renamed[known]
        if isinstance(known, str):
            return self._named(known)
        # A version without labels takes any index.
        if known < 0 or (self._labels and known not in self._labels):
            raise InvalidPredictionError(
                f"The class index {known} is none of the deployment's.", self._remedy(str(known))
            )
        return known

    def _named(self, name: str) -> int:
        if name not in self._indices:
            raise InvalidPredictionError(
                f"The label {name!r} is none of the deployment's.", self._remedy(name)
            )
        return self._indices[name]

    def _remedy(self, said: str) -> str:
        known = ", ".join(f"{index} is {name!r}" for index, name in list(self._labels.items())[:8])
        near = difflib.get_close_matches(said, self._indices, n=1)
        ours = repr(near[0]) if near else "…"
        return (
            f"Known: {known or 'none'}{' …' if len(self._labels) > 8 else ''}. "
            f"Say what it stands for: monitor(…, labels={{{said!r}: {ours}}})."
        )

    def _renamed_to(self, name: str) -> int:
        if name not in self._indices:
            raise InvalidInputError(
                f"labels= names {name!r}, which is no label of the deployment.",
                f"Known: {', '.join(map(repr, self._indices)) or 'none'}.",
            )
        return self._indices[name]


def _whole(said: Any) -> int:
    number = said.item() if hasattr(said, "item") else said
    is_number = isinstance(number, numbers.Real) and not isinstance(number, bool)
    if not is_number or float(number) != int(number):
        raise InvalidPredictionError(
            f"{said!r} is no label.", "Give its name, or its class index as a whole number."
        )
    return int(number)
