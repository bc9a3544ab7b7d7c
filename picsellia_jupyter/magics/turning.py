"""How a kernel shows many predictions: with buttons that turn the pages of their grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picsellia_jupyter.handles.pages import PageView
from picsellia_jupyter.magics.panels import saves_cards

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from picsellia_jupyter.handles.predictions import Predictions
    from picsellia_jupyter.widgets.page_bar import PageBar

_FOUND = ("picsellia_jupyter.handles.predictions", "Predictions")
_PAGE = ("picsellia_jupyter.handles.pages", "PageView")
_MOST_OPEN = 8
"""Grids whose pages can be turned; the oldest then keeps the page that it shows."""


class Turning:
    """The grids of one kernel whose pages are turned in place."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._open: list[PageBar] = []

    def register(self) -> None:
        """Have the shell show pages with buttons; only a kernel can."""
        if getattr(self._shell, "kernel", None) is None:
            return
        self._displays.for_type_by_name(*_FOUND, self._show_found)
        self._displays.for_type_by_name(*_PAGE, self._show)

    def unregister(self) -> None:
        """Leave every grid at the page that it shows."""
        for name in (_FOUND, _PAGE):
            self._displays.pop(".".join(name), None)
        while self._open:
            self._open.pop().close()

    def _show_found(self, found: Predictions) -> None:
        self._show(PageView(found))

    def _show(self, view: PageView) -> None:
        if view.found.pages < 2 or not saves_cards():
            raise NotImplementedError  # Has IPython go on, to the page by itself.
        from picsellia_jupyter.widgets.page_bar import PageBar

        while len(self._open) >= _MOST_OPEN:
            self._open.pop(0).close()
        bar = PageBar(view)
        self._open.append(bar)
        bar.show()

    @property
    def _displays(self) -> Any:
        formatter: Any = self._shell.display_formatter
        return formatter.ipython_display_formatter
