"""A parser's manual as Markdown."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from docs.site.tables import code, sentence, table


def manual(parser: argparse.ArgumentParser) -> str:
    """Its description with the examples in it, its usage, and a table of what it takes."""
    usage = re.sub(r"\s+", " ", parser.format_usage()).strip().removeprefix("usage: ")
    parts = [_described(parser.description or ""), f"```text\n{usage}\n```"]
    rows = list(_rows(parser))
    if rows:
        parts.append(table(("argument", "is"), rows))
    return "\n\n".join(part for part in parts if part)


def _described(text: str) -> str:
    """Prose as it is, indented lines as a block of code."""
    blocks = []
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines and all(line.startswith("    ") for line in lines):
            blocks.append("\n".join(("```ipython", *(line[4:] for line in lines), "```")))
        else:
            blocks.append(block)
    return "\n\n".join(blocks)


def _rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        yield _called(action), sentence((action.help or "") % vars(action))


def _called(action: argparse.Action) -> str:
    takes = action.metavar if isinstance(action.metavar, str) else None
    if takes is None and action.choices is not None:
        takes = "|".join(map(str, action.choices))
    if not action.option_strings:
        return code(takes or action.dest)
    if action.nargs == 0:
        return ", ".join(map(code, action.option_strings))
    return ", ".join(
        code(f"{name} {takes or action.dest.upper()}") for name in action.option_strings
    )
