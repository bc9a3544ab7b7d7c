"""A page of the grid of many predictions, as a value that a cell shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from picsellia_jupyter.display.embedding import Embed


class Paged(Protocol):
    """Predictions, as far as their pages need them."""

    @property
    def pages(self) -> int:
        """How many there are."""

    def page(self, number: int) -> object:
        """What one of them shows, as text."""

    def _grid(self, page: int, embed: Embed, *, turn: str = "") -> str: ...


@dataclass(frozen=True, slots=True, eq=False)
class PageView:
    """A hundred images at most; where a kernel can, with buttons that turn to the others."""

    found: Paged
    """All of them."""
    number: int = 1
    """The first page is 1."""
    embed: Embed = "thumb"

    def html(self, *, hint: bool = True) -> str:
        """The grid.

        Args:
            hint: say which line shows another page.
        """
        return self.found._grid(self.number, self.embed, turn=self.turn if hint else "")

    @property
    def turn(self) -> str:
        """Which page this is and which line shows another; nothing where there is one page."""
        pages = self.found.pages
        if pages < 2:
            return ""
        following = self.number % pages + 1
        return f"Page {self.number:,} of {pages:,}: found.show(page={following}) shows another."

    def __repr__(self) -> str:
        return repr(self.found.page(self.number))

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}
