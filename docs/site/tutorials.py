"""The notebooks as pages, with the outputs that they were last executed to, where there are any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat

LARGEST_OUTPUT_BYTES = 400_000
_MARKS = {"code": "ipython"}


def notebooks(root: Path) -> list[Path]:
    """The notebooks in order; executed ones (`make notebooks` leaves them) before their sources."""
    executed = root / "build" / "notebooks"
    sources = sorted((root / "notebooks").glob("*.ipynb"))
    return [executed / one.name if (executed / one.name).exists() else one for one in sources]


def page(notebook: Path, outputs: Path) -> str:
    """A notebook as a MyST page; its outputs are written beside it and taken in as they are.

    Args:
        notebook: a file `.ipynb`.
        outputs: folder for the HTML of its outputs.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    parts = [f"*The notebook `notebooks/{notebook.name}`; `make lab` opens it.*"]
    for cell in cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(f"```ipython\n{cell.source}\n```")
            parts.extend(_shown(cell, outputs / f"{notebook.stem}-{cell.id}"))
    # The title comes first on a page.
    parts[:2] = reversed(parts[:2])
    return "\n\n".join(parts) + "\n"


def _shown(cell: nbformat.NotebookNode, place: Path) -> Iterator[str]:
    for number, output in enumerate(cell.get("outputs", ())):
        data = output.get("data", {})
        if "text/html" in data:
            yield from _html(str(data["text/html"]), place.with_name(f"{place.name}-{number}.html"))
        elif text := output.get("text") or data.get("text/plain"):
            yield f"```text\n{str(text).rstrip()}\n```"


def _html(html: str, place: Path) -> Iterator[str]:
    if len(html) > LARGEST_OUTPUT_BYTES:
        yield f"*An output of {len(html) / 1e6:.1f} MB, shown in the notebook.*"
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f'<div class="notebook-output">{html}</div>\n', encoding="utf-8")
    yield f"```{{raw}} html\n:file: {place.name}\n```"
