"""Files on their way: how much of each has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned
from picsellia_jupyter.display.units import printable


@dataclass(frozen=True, slots=True)
class Transfer:
    """One file that is fetched, or waits for its turn."""

    name: str
    have: int = 0
    """Bytes that have come."""
    total: int | None = None
    """Bytes in all; None where that is not known."""
    is_done: bool = False


def html(transfers: Sequence[Transfer]) -> str:
    """The files as rows."""
    rows = style.rows((one.name, style.escape(_in_words(one))) for one in transfers)
    return style.block(f'<div class="pxj-card">{rows}</div>', label="Downloads")


def text(transfers: Sequence[Transfer]) -> str:
    """The same for terminals."""
    return "\n".join(aligned([(printable(one.name), _in_words(one)) for one in transfers]))


def _in_words(one: Transfer) -> str:
    if one.is_done:
        return f"✓ {_size(one.have)}"
    if not one.have:
        return "waits"
    if not one.total:
        return _size(one.have)
    return f"{_size(one.have)} of {_size(one.total)}, {100 * one.have // one.total} %"


def _size(count: int) -> str:
    for unit, bytes_each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_each:
            return f"{count / bytes_each:.1f} {unit}"
    return f"{count} B"
