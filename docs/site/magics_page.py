"""The magics, from the parsers that read them."""

from __future__ import annotations

from docs.site.parsers import manual
from docs.site.tables import page as made
from picsellia_jupyter.magics.extension import INNER, UMBRELLA, VERBS
from picsellia_jupyter.magics.verb import Verb

_BEGINNING = f"""\
`%load_ext picsellia_jupyter` adds these. Each has its manual in the notebook, too: `%deploy?`. The Tab key completes options and names.
A word `$name` stands for the value of a variable; nothing in a line is ever evaluated. Each can be typed as `%{UMBRELLA} VERB …`
as well, where another extension has taken its name; `%{UMBRELLA}` alone says where you are connected."""


def page() -> str:
    """The page."""
    own = [_section(f"%{verb.name}", verb) for verb in VERBS]
    inner = [_section(f"%{UMBRELLA} {verb.name}", verb) for verb in INNER]
    return made("Magics", _BEGINNING, *own, *inner)


def _section(title: str, verb: Verb) -> str:
    return f"## {title}\n\n{manual(verb.arguments)}"
