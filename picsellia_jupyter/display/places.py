"""Places and what they have, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import columns, html_table
from picsellia_jupyter.display.units import count
from picsellia_jupyter.domain.places import PlaceReport

_HEADS = ("Place", "Address", "Devices", "Serving", "Versions")
_HINT = "Add one with: %places add NAME https://HOST:PORT"


def table(reports: Sequence[PlaceReport]) -> str:
    """Places, one a row."""
    body = [[style.escape(cell) for cell in _cells(report)] for report in reports]
    for row in body:
        row[0] = f"<strong>{row[0]}</strong>"
    return style.block(
        html_table(list(_HEADS), body, wide=("Devices", "Serving", "Versions")),
        "<p>Add one with <code>%places add NAME https://HOST:PORT</code></p>",
        label=count(len(reports), "place"),
    )


def text(reports: Sequence[PlaceReport]) -> str:
    """Places in aligned columns."""
    return f"{columns(list(_HEADS), [_cells(report) for report in reports])}\n\n{_HINT}"


def _cells(report: PlaceReport) -> list[str]:
    place, has = report.place, report.inventory
    address = place.address or "this machine"
    if has is None:
        return [place.name, address, report.trouble, "", ""]
    versions = ", ".join(f"{name} {number}" for name, number in has.versions.items())
    return [place.name, address, has.devices(), ", ".join(has.serving) or "nothing", versions]
