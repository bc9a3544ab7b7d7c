"""Markdown tables and headings, as the generated pages have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- made of the code by python -m docs.site -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; cells are Markdown on one line each."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: object) -> str:
    """Inline code, whatever is in it."""
    said = str(text)
    ticks = "``" if "`" in said else "`"
    pad = " " if said.startswith("`") or said.endswith("`") else ""
    return f"{ticks}{pad}{said}{pad}{ticks}"


def sentence(text: str) -> str:
    """One line that begins with a capital letter and ends with a stop."""
    said = " ".join(text.split())
    if not said:
        return ""
    said = said if "://" in said.split()[0] else said[0].upper() + said[1:]
    return said if said[-1] in ".!?:" else f"{said}."


def page(title: str, *parts: str) -> str:
    """A page of these parts."""
    return "\n\n".join((NOTE, f"# {title}", *parts)) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
