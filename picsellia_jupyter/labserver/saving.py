"""What of our outputs goes into a file: the card of a live panel, never the panel's widget.

A widget lives as long as its kernel. In a file it would be found again without its model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CARD = "text/html"


def keep_cards(model: Mapping[str, Any], **_saved: Any) -> None:
    """Take the widgets of our outputs out of a notebook that is about to be saved.

    A hook of the contents manager; what has no card beside its widget, and all that is not
    ours, stays as it is.

    Args:
        model: of the file, as Jupyter's API has it.
    """
    if model.get("type") != "notebook" or not isinstance(model.get("content"), dict):
        return
    for output in _outputs(model["content"]):
        data, metadata = output.get("data"), output.get("metadata")
        ours = isinstance(metadata, dict) and "picsellia" in metadata
        if ours and isinstance(data, dict) and CARD in data:
            data.pop(WIDGET_VIEW, None)


def _outputs(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for cell in notebook.get("cells") or ():
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        yield from (one for one in outputs or () if isinstance(one, dict))
