"""What guides say that a message says is what the source says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs").rglob("*.md"))
_HEAD = re.compile(r"\| (it says|you see|it says, or you see)\b")
OF_OTHERS = frozenset({"Failed to export the model with torch.export."})
"""Messages of the libraries that a guide leads through."""
_LEAST = 12
"""Characters of a text that may be a message."""


@cache
def templates() -> tuple[str, ...]:
    """Every text in the package, with `…` for each value."""
    trees = (
        ast.parse(path.read_text("utf-8")) for path in (ROOT / "picsellia_jupyter").rglob("*.py")
    )
    return tuple(
        text for tree in trees for node in ast.walk(tree) if len(text := _written(node)) >= _LEAST
    )


def _written(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else "…"
    if isinstance(node, ast.JoinedStr):
        return "".join(_written(part) for part in node.values)
    return "…" if isinstance(node, ast.FormattedValue) else ""


def quotes(page: Path) -> Iterator[str]:
    """Messages in the first column of a page's tables of what can go wrong."""
    inside = False
    for line in page.read_text("utf-8").splitlines():
        inside = (inside or bool(_HEAD.match(line))) and line.startswith("|")
        if inside:
            first = line.split(" | ")[0]
            yield from (one for one in re.findall(r"`([^`]+)`", first) if _is_message(one))


def _is_message(quote: str) -> bool:
    return len(re.findall(r"[a-z]{2,}", quote)) >= 4 and not quote.startswith(("%", "pip "))


def is_said(quote: str) -> bool:
    """Whether a template has all of a quote, or fills what the quote leaves between values."""
    parts = [part.strip(" .") for part in re.split(r"…|\[…\]|'[^']*'|\b\d+\b", quote)]
    return any(
        all(part in template for part in parts) or _fits(template, quote)
        for template in templates()
    )


def _fits(template: str, quote: str) -> bool:
    pieces = [piece.strip(" .") for piece in template.split("…")]
    said = [piece for piece in pieces if piece]
    found = [piece for piece in said if piece in quote]
    return found == said and 2 * sum(map(len, said)) >= len(quote)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_messages_that_a_guide_quotes_are_those_of_the_source(page: Path):
    said = (quote for quote in quotes(page) if quote not in OF_OTHERS)
    assert [quote for quote in said if not is_said(quote)] == []


def test_messages_are_quoted_and_a_wrong_one_would_be_found():
    found = [quote for page in GUIDES for quote in quotes(page)]

    assert len(found) > 15
    assert not is_said("There is no such thing as this message anywhere.")
    assert not is_said("… holds a pickle that nobody knows.")
