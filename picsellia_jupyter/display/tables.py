"""Tables and aligned lines: as HTML, and as text for terminals."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.units import printable


def html_table(
    heads: Sequence[str],
    body: Sequence[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    wide: Sequence[str] = (),
) -> str:
    """A table that scrolls within a narrow page.

    Args:
        heads: names of the columns, plain text.
        body: cells, which are HTML already.
        numbers: columns that are aligned to the right.
        wide: columns whose text may be broken into lines.
    """
    classes = [_class_of(head, numbers, wide) for head in heads]
    first = "".join(
        f'<th scope="col"{css}>{style.escape(head)}</th>'
        for head, css in zip(heads, classes, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td{css}>{cell}</td>" for cell, css in zip(row, classes, strict=True))
        + "</tr>"
        for row in body
    )
    table = f"<table><thead><tr>{first}</tr></thead><tbody>{rows}</tbody></table>"
    # Who uses keys alone must be able to scroll it.
    return f'<div class="pxj-scroll" tabindex="0">{table}</div>'


def columns(heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in plain text, its columns as wide as their widest cell."""
    rows = [[printable(cell) for cell in row] for row in (heads, *body)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def aligned(pairs: Sequence[tuple[str, str]], *, indent: str = "") -> list[str]:
    """Names with their values, one a line, the values below one another."""
    width = max((len(printable(name)) for name, _ in pairs), default=0)
    return [f"{indent}{printable(name).ljust(width)}  {printable(value)}" for name, value in pairs]


def _class_of(head: str, numbers: Sequence[str], wide: Sequence[str]) -> str:
    if head in numbers:
        return ' class="pxj-number"'
    return ' class="pxj-wide"' if head in wide else ""
