"""The command `picsellia-jupyter`, from its own parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from docs.site.parsers import manual
from docs.site.tables import page as made
from picsellia_jupyter import cli
from picsellia_jupyter.settings import Settings

_BEGINNING = """\
Every verb takes `--home FOLDER`, the data directory, and `--json` for one line that a program can read. The exit status is 0 where all went
well, 1 with a sentence on standard error where it did not, and 3 of `platform status` where none runs."""


def page() -> str:
    """The page."""
    parser = cli.command_parser()
    text = made(
        "The command picsellia-jupyter",
        _BEGINNING,
        *(f"## {name}\n\n{said}\n\n{manual(verb)}" for name, said, verb in verbs(parser)),
    )
    # Where the data directory lies depends on who builds this page.
    return text.replace(str(Settings.from_environment().home), "that of `PICSELLIA_JUPYTER_HOME`")


def verbs(
    parser: argparse.ArgumentParser, name: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Every verb with its help and its parser, in order; groups are gone into."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for word, inner in action.choices.items():
            called = f"{name} {word}".strip()
            deeper = list(verbs(inner, called))
            yield from deeper or [(called, helps[word].capitalize() + ".", inner)]
