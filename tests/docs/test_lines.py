"""Every line that the documentation has one type is understood by what it is typed into."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator

import pytest
from IPython.core.error import UsageError

from picsellia_jupyter.cli import command_parser
from picsellia_jupyter.magics.extension import INNER, UMBRELLA, VERBS
from picsellia_jupyter.magics.verb import Arguments, words
from tests.docs import pages

PARSERS: dict[str, Arguments] = {
    **{f"%{verb.name}": verb.arguments for verb in VERBS},
    **{f"%{UMBRELLA} {verb.name}": verb.arguments for verb in INNER},
}
_MAGIC = re.compile(rf"^\s*(?:\w+ = )?(%(?:{UMBRELLA} )?\w+)(.*)$")
_COMMAND = re.compile(r"^\$?\s*picsellia-jupyter (.*)$")


def typed() -> Iterator[tuple[str, str]]:
    """Where a line stands, and the line."""
    for page in pages.pages():
        for block in pages.blocks(page):
            for line in block.source.splitlines() if block.language != "text" else ():
                yield block.name, line
        for code in pages.inline(page):
            # Names, `%deploy`, and forms of a line, `--last 30m|24h` and `…`, are no lines.
            if " " in code and not set("…|[").intersection(code):
                yield page.name, code
    for notebook, source in pages.notebook_sources():
        for line in source.splitlines():
            yield notebook, line


def wrong_magic(line: str) -> str:
    """Why a line with one of our magics would be refused; empty where it would not."""
    found = _MAGIC.match(line)
    parser = PARSERS.get(found[1]) if found else None
    if found is None or parser is None:
        return ""
    try:
        # Any variable stands for one word.
        parser.parse_args([re.sub(r"^\$", "", word) for word in words(_plain(found[2]), {})])
    except UsageError as error:
        return str(error).splitlines()[0]
    return ""


def _plain(line: str) -> str:
    return re.sub(r"\$(\w+)", r"\1", line)


def wrong_command(line: str) -> str:
    """Why `picsellia-jupyter …` would not take a line; empty where it would."""
    found = _COMMAND.match(line)
    # `a|b|c` in an overview stands for three lines.
    if not found or "|" in found[1].split("#")[0]:
        return ""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            command_parser().parse_args(_words(found[1]))
        except SystemExit as ended:
            return said.getvalue().splitlines()[-1] if ended.code else ""
    return ""


def _words(line: str) -> list[str]:
    # `[--fix]` means that it may be left out.
    return shlex.split(re.sub(r"[\[\]]", "", line), comments=True)


def test_every_magic_of_every_page_and_notebook_is_understood():
    lines = list(typed())

    assert sum(bool(_MAGIC.match(line)) for _, line in lines) > 80
    assert [f"{where}: {line}: {why}" for where, line in lines if (why := wrong_magic(line))] == []


def test_every_command_of_every_page_is_understood():
    lines = list(typed())

    assert sum(bool(_COMMAND.match(line)) for _, line in lines) >= 10
    told = [f"{where}: {line}: {why}" for where, line in lines if (why := wrong_command(line))]
    assert told == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("d = %deploy digits --treshold 0.3", "unrecognized arguments: --treshold 0.3"),
        ("%monitor my-line --last", "argument --last: expected one argument"),
        ("%picsellia doctor --mend", "unrecognized arguments: --mend"),
        ("%registry now", "unrecognized arguments: now"),
    ],
)
def test_a_magic_with_a_mistake_in_it_would_be_found(line: str, why: str):
    assert why in wrong_magic(line)


def test_a_command_with_a_mistake_in_it_would_be_found():
    assert "--fixit" in wrong_command("picsellia-jupyter doctor --fixit")
