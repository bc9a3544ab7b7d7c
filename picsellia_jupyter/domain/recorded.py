"""Which of a deployment's recorded predictions are wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from picsellia_jupyter.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter; what is left empty asks for nothing."""

    label: str = ""
    """In which such a shape was found, over the deployment's threshold or `over`."""
    over: float | None = None
    """With a shape scored over it."""
    up_to: float | None = None
    """With a shape scored no higher."""
    since: float | None = None
    """Predicted then or later, seconds since the epoch, UTC."""
    until: float | None = None
    """Predicted before."""
    tag: str = ""
    source: str = ""
    """Where the images came from."""
    text: str = ""
    """A part of the name of the file, in whatever case."""

    def __post_init__(self) -> None:
        for score in (self.over, self.up_to):
            if score is not None and not (math.isfinite(score) and 0 <= score <= 1):
                raise InvalidInputError(f"Scores lie in [0, 1]; got {score:g}.", "Try 0.5.")
        if self.over is not None and self.up_to is not None and self.over >= self.up_to:
            raise InvalidInputError(
                f"No score is over {self.over:g} and at most {self.up_to:g}.",
                "Give the lower one first: score=(0.2, 0.5)",
            )

    def given(self) -> dict[str, str | float]:
        """What is asked for, by the names of the fields."""
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in named.items() if value not in ("", None)}
