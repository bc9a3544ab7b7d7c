"""What the Predictions tab shows, without its widgets: the filter, the Python for it, the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

PAGE = 24
"""Images of one page; those beyond it are not asked for."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What stands in the fields; each is empty at first."""

    label: str = ""
    over: float = 0.0
    up_to: float = 1.0
    since: date | None = None
    until: date | None = None
    tag: str = ""
    source: str = ""
    text: str = ""

    def keywords(self) -> dict[str, Any]:
        """What is asked of `Deployment.recorded`."""
        words = {"label": self.label, "score": self._score()}
        words |= {"since": _day(self.since), "until": _day(self.until)}
        words |= {name: getattr(self, name).strip() for name in ("tag", "source", "text")}
        return {name: value for name, value in words.items() if value not in (None, "")}

    def line(self, place: str = "") -> str:
        """The Python that shows the same."""
        words = self.keywords() | ({"after": place} if place else {})
        return f"d.recorded({', '.join(f'{name}={value!r}' for name, value in words.items())})"

    def _score(self) -> float | tuple[float, float] | None:
        if self.up_to < 1:
            return (self.over, self.up_to)
        return self.over if self.over > 0 else None


@dataclass(frozen=True, slots=True)
class Trail:
    """The pages that were turned over, each by what it begins after."""

    places: tuple[str, ...] = ("",)
    more: str = ""
    """What the next page begins after; empty at the end."""

    @property
    def place(self) -> str:
        """What the page begins after that it has come to."""
        return self.places[-1]

    @property
    def has_older(self) -> bool:
        """Whether a page follows."""
        return bool(self.more)

    @property
    def has_newer(self) -> bool:
        """Whether there is a page before."""
        return len(self.places) > 1

    def leading_to(self, more: str) -> Trail:
        """After the page was read."""
        return replace(self, more=more)

    def older(self) -> Trail:
        """A page on."""
        return Trail((*self.places, self.more)) if self.more else self

    def newer(self) -> Trail:
        """A page back."""
        return Trail(self.places[:-1], self.place) if self.has_newer else self

    def title(self, shown: int, wanted: Filter) -> str:
        """Which predictions are shown, in words."""
        if not shown and self.more:
            return "None among those looked through; Older looks further."
        if not shown:
            return "None are as you ask for." if wanted.keywords() else "None was recorded yet."
        first = (len(self.places) - 1) * PAGE + 1
        rest = "" if self.more else "; there are no older ones"
        return f"{first:,} to {first + shown - 1:,}, newest first{rest}."


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
