"""What was used of MPU, in a user's hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.usage import Forecast, Usage


@dataclass(frozen=True, slots=True, eq=False)
class UsageView:
    """MPU used and left, by deployment and by day; all figures are in `data`."""

    data: Usage

    @property
    def left(self) -> float | None:
        """MPU that are not used; None where there is no limit."""
        return self.data.left

    @property
    def used(self) -> float:
        """MPU that were used."""
        return self.data.used

    @property
    def forecast(self) -> Forecast | None:
        """How long what is left lasts, and by what; None where nothing is used."""
        return self.data.forecast()

    def __repr__(self) -> str:
        from picsellia_jupyter.display import usage

        return usage.usage_text(self.data)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import usage

        return {"text/html": usage.usage_card(self.data), "text/plain": repr(self)}
