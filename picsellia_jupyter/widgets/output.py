"""The output of the cell a form belongs to: a placeholder, the form itself, at last a card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class CellOutput:
    """One output that is replaced as the form comes and goes; nothing where there is no cell."""

    def __init__(self, identity: str, *, has_cell: bool) -> None:
        """Show nothing yet.

        Args:
            identity: of the form; a page that was loaded anew finds the output by it.
            has_cell: whether a cell runs whose output this is.
        """
        self._identity = identity
        self._has_cell = has_cell
        self._shown = False

    def show(self, bundle: Mapping[str, Any]) -> None:
        """Put this in its place: text by MIME type."""
        from IPython.display import display

        if self._has_cell:
            display(  # type: ignore[no-untyped-call]
                dict(bundle),
                raw=True,
                metadata={"picsellia": {"id": self._identity}},
                display_id=self._identity,
                update=self._shown,
            )
            self._shown = True

    def show_widget(self, widget: Any, text: str) -> None:
        """Put a live widget in its place."""
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        self.show({WIDGET_VIEW: view, "text/plain": text})
