"""How many replicas serve one deployment."""

from __future__ import annotations

import re
from dataclasses import dataclass

from picsellia_jupyter.domain.errors import InvalidInputError

MOST = 1000

_REPLICAS = re.compile(r"(\d{1,6})(?:\.\.(\d{1,6}))?")


@dataclass(frozen=True, slots=True)
class Scale:
    """The bounds between which a deployment's replicas are scaled."""

    least: int = 1
    most: int = 1

    @classmethod
    def parse(cls, text: str | None) -> Scale:
        """Read `2` or `1..4`; None is one.

        Raises:
            InvalidInputError: it is neither, or its bounds are out of order or range.
        """
        if text is None:
            return cls()
        found = _REPLICAS.fullmatch(text.strip())
        if found is None:
            raise InvalidInputError(
                f"--replicas is {text!r}, which is no number of replicas.",
                "Give a number or two bounds, as in --replicas 2 or --replicas 1..4.",
            )
        least, most = int(found[1]), int(found[2] or found[1])
        if not 1 <= least <= most <= MOST:
            raise InvalidInputError(
                f"--replicas is {text!r}: bounds go up, from 1 to {MOST} at most.",
                "Give the smaller one first, as in --replicas 1..4.",
            )
        return cls(least, most)

    @property
    def word(self) -> str:
        """As one would type it: `2` or `1..4`."""
        return str(self.least) if self.least == self.most else f"{self.least}..{self.most}"


ONE = Scale()
