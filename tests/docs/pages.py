"""The pages of the documentation, and what is in their blocks of code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXECUTED = "<!-- executed:"
NOT_RUN = "<!-- not run:"
_BLOCK = re.compile(
    r"(?P<before>[^\n]*)\n```(?P<language>\w*)\n(?P<source>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code."""

    page: str
    number: int
    """From 1, as the blocks of a page come."""
    language: str
    source: str
    runs: bool
    """False where the line before it says that it is not run, and why."""

    @property
    def name(self) -> str:
        return f"{self.page}, block {self.number}"


def pages() -> list[Path]:
    """Every page that is written by hand."""
    found = sorted((ROOT / "docs").rglob("*.md"))
    return [ROOT / "README.md", *found]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(name, n, m["language"], m["source"], not m["before"].startswith(NOT_RUN))
        for n, m in enumerate(_BLOCK.finditer(page.read_text(encoding="utf-8")), 1)
    ]


def inline(page: Path) -> list[str]:
    """What stands as code within the prose of a page."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose)


def notebook_sources() -> Iterator[tuple[str, str]]:
    """Name and source of every cell of code of the notebooks."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield path.name, "".join(cell["source"])
