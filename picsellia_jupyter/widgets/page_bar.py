"""Buttons that turn the pages of a grid in place, so that a notebook does not grow."""

from __future__ import annotations

import atexit
import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import ipywidgets as w

from picsellia_jupyter.display import style
from picsellia_jupyter.widgets.output import WIDGET_VIEW, CellOutput
from picsellia_jupyter.widgets.setting_row import problem, put

if TYPE_CHECKING:
    from picsellia_jupyter.handles.pages import PageView


class PageBar:
    """A bar and the grid below it; in a file the bar is the line that shows another page."""

    def __init__(self, view: PageView) -> None:
        """Make it; `show` shows it.

        Args:
            view: the first page that is shown, of several.
        """
        self.view = view
        pages = view.found.pages
        self._bar, self._grid = (CellOutput(uuid.uuid4().hex, has_cell=True) for _ in range(2))
        self.previous, self.next = (
            w.Button(description=text, layout=w.Layout(width="auto"))
            for text in ("Previous page", "Next page")
        )
        self.number = w.BoundedIntText(
            view.number, min=1, max=pages, description="Page",
            style={"description_width": "auto"}, layout=w.Layout(width="120px"),
        )  # fmt: skip
        self._problem = w.HTML()
        self.box = w.Box(
            [self.previous, self.number, w.Label(f"of {pages:,}"), self.next, self._problem],
            layout=w.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 8px"),
        )
        self.previous.on_click(lambda _button: self._step(-1))
        self.next.on_click(lambda _button: self._step(1))
        self.number.observe(lambda _change: self._turn(), names="value")
        self._allow()

    def show(self) -> None:
        """Show both in the running cell."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        # Above the grid it stays where it is, however high a page is.
        self._bar.show({WIDGET_VIEW: view, **self._line()})
        self._grid.show(self._page())
        atexit.register(self.close)

    def close(self) -> None:
        """Leave the page that is shown, and the line that shows another."""
        atexit.unregister(self.close)
        with contextlib.suppress(Exception):
            self._bar.show(self._line())
        for one in (*self.box.children, self.box):
            one.close()

    # Inside ------------------------------------------------------------------------------------

    def _step(self, by: int) -> None:
        self.number.value += by

    def _turn(self) -> None:
        """Show the page whose number stands in the field."""
        self.view = replace(self.view, number=self.number.value)
        try:
            self._grid.show(self._page())
            put(self._problem, "")
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._problem, problem(error))
        self._allow()

    def _allow(self) -> None:
        self.previous.disabled = self.view.number <= 1
        self.next.disabled = self.view.number >= self.view.found.pages

    def _page(self) -> Mapping[str, str]:
        return {"text/html": self.view.html(hint=False), "text/plain": repr(self.view)}

    def _line(self) -> dict[str, str]:
        text = f"found.show(page=2) shows another of {self.view.found.pages:,} pages."
        line = f'<p class="pxj-muted">{style.escape(text)}</p>'
        return {"text/html": style.block(line, label="Other pages"), "text/plain": text}
