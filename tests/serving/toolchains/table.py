"""docs/models.md: `python -m tests.serving.toolchains.table` writes it anew."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.serving.toolchains.case import FORMATS, Case
from tests.serving.toolchains.cases import CASES

PATH = Path(__file__).parents[3] / "docs" / "models.md"
BEGIN, END = "<!-- table: generated -->", "<!-- end of table -->"


def table(cases: list[Case]) -> str:
    """One row a toolchain, task and form; every cell with a tick is a test."""
    # Cases of other formats than torch's bring a column with them.
    formats = tuple(dict.fromkeys([*FORMATS, *(how for case in cases for how in case.formats)]))
    head = ("Toolchain", "Task", "Outputs", *formats, "Made by")
    body = (_row(list(same), formats) for _, same in _alike(cases))
    rows = [head, ("---",) * len(head), *body]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _alike(cases: list[Case]):
    return groupby(cases, key=lambda case: (case.toolchain, case.task, case.outputs))


def _row(cases: list[Case], formats: tuple[str, ...]) -> tuple[str, ...]:
    first = cases[0]
    served = {how for case in cases for how in case.formats}
    ticks = ("yes" if how in served else "" for how in formats)
    made = f"`{first.needs}`" if first.real else "contract"
    return (first.toolchain, first.task, first.outputs, *ticks, made)


def with_table(page: str) -> str:
    """The page with the table as it should be."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table(CASES)}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PATH.write_text(with_table(PATH.read_text(encoding="utf-8")), encoding="utf-8")
