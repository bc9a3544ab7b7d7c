"""docs/models.md: `python -m tests.serving.toolchains.table` writes it anew."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.serving.toolchains.case import FORMATS, Case
from tests.serving.toolchains.cases import CASES

PATH = Path(__file__).parents[3] / "docs" / "models.md"
BEGIN, END = "<!-- table: generated -->", "<!-- end of table -->"
COLUMNS = ("Toolchain", "Task", "Outputs", *FORMATS, "Made by")


def table(cases: list[Case]) -> str:
    """One row a toolchain, task and form; every cell with a tick is a test."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(list(same)) for _, same in _alike(cases))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _alike(cases: list[Case]):
    return groupby(cases, key=lambda case: (case.toolchain, case.task, case.outputs))


def _row(cases: list[Case]) -> tuple[str, ...]:
    first = cases[0]
    served = {how for case in cases for how in case.formats}
    ticks = ("yes" if how in served else "" for how in FORMATS)
    made = f"`{first.needs}`" if first.real else "contract"
    return (first.toolchain, first.task, first.outputs, *ticks, made)


def with_table(page: str) -> str:
    """The page with the table as it should be."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table(CASES)}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PATH.write_text(with_table(PATH.read_text(encoding="utf-8")), encoding="utf-8")
