"""A bug report: as a text that can be pasted into an issue, and as a card."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import html_table
from picsellia_jupyter.domain.diagnosis import BugReport, Fact

HEADS = ("Part", "What", "Found")
ALL_WELL = "Nothing is amiss."


def report_text(report: BugReport) -> str:
    """All facts by their part, each remedy below its fact; Markdown."""
    lines = ["# picsellia_jupyter: report", "", _count(report)]
    for part in dict.fromkeys(fact.part for fact in report.facts):
        lines += ["", f"## {part}", ""]
        for fact in report.facts:
            if fact.part == part:
                lines.append(f"- {fact.name}: {_one_line(fact.value)}")
                lines += [f"  Remedy: {_one_line(fact.remedy)}"] if fact.remedy else []
    return "\n".join(lines) + "\n"


def report_card(report: BugReport, written: str) -> str:
    """What is amiss, and the rest on demand.

    Args:
        report: is shown.
        written: the file that it was written to.
    """
    amiss = "".join(
        f"<li>{style.escape(fact.part)}: {style.escape(fact.name)}, {style.escape(fact.value)}<br>"
        f"<code>{style.escape(fact.remedy)}</code></li>"
        for fact in report.amiss
    )
    found = f'<ul class="pxj-lines pxj-part">{amiss}</ul>' if amiss else _line(ALL_WELL)
    table = html_table(HEADS, _rows(report.facts), wide=("Found",))
    return style.block(
        f'<div class="pxj-card">{_line(written_text(written))}{found}'
        f"<details><summary>All that is in it</summary>{table}</details></div>",
        label="Bug report",
    )


def written_text(path: str) -> str:
    """Where it lies, and what is not in it."""
    return f"Written to {path}, without tokens, passwords and your home directory."


def _rows(facts: Sequence[Fact]) -> list[list[str]]:
    return [[style.escape(cell) for cell in (fact.part, fact.name, fact.value)] for fact in facts]


def _count(report: BugReport) -> str:
    count = len(report.amiss)
    return f"{count} of {len(report.facts)} facts have a remedy." if count else ALL_WELL


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _line(text: str) -> str:
    return f'<p class="pxj-part">{style.escape(text)}</p>'
