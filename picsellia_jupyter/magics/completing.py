"""Completion of the magics' lines: options, names and files, for IPython's completer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from picsellia_jupyter.magics.half_typed import HalfTyped, quoted, read
from picsellia_jupyter.magics.verb import Arguments

if TYPE_CHECKING:
    import argparse

MOST = 500
"""Candidates that are shown at once; more typing finds the others."""

_LINE = re.compile(r"(?:[\w\s,.\[\]]*=)?\s*%(\w+)[ \t](.*)", re.DOTALL)
"""`%deploy …`, `d = %deploy …`; never a cell magic's line, which begins with `%%`."""
_WORD_OF_METAVAR = re.compile(r"[a-z0-9][a-z0-9.]*")

Names = Callable[[str, str], Sequence[str]]
"""The names of a kind that are known now: models, versions (of a model), datalakes, …"""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where candidates come from; each answers at once."""

    arguments_of: Callable[[str, tuple[str, ...]], tuple[Arguments, tuple[str, ...]] | None]
    """The arguments that a magic takes after these words, and which of them it reads."""
    names: Names
    files: Names
    """What lies in a folder, for the kind `files`; folders end in `/`."""
    variables: Mapping[str, Any] = field(default_factory=dict)


def matcher_of(sources: Sources) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """A matcher that answers for the lines of our magics and lets others answer for the rest."""

    # Before all others: what it suppresses is then not even computed.
    @context_matcher(priority=100, identifier="picsellia_jupyter")
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        line = context.full_text.split("\n")[context.cursor_line]
        before, after = line[: context.cursor_position], line[context.cursor_position :]
        found = _LINE.fullmatch(before)
        typed = read(found[2]) if found else None
        asked = sources.arguments_of(found[1], typed.words) if found and typed else None
        if typed is None or asked is None:
            return _result([], suppress=False)
        texts = list(candidates(sources, *asked, typed))[:MOST]
        if not texts:
            # Itself, so that names of Python are not offered instead.
            texts = [typed.fragment]
        if typed.quote and after.startswith(typed.quote):
            texts = [text.removesuffix(typed.quote) for text in texts]
        found_here = [
            SimpleCompletion(text=text, type="option" if text.startswith("-") else "name")
            for text in texts
        ]
        return _result(found_here, suppress=True) | {"matched_fragment": typed.fragment}

    return matcher  # type: ignore[no-any-return]


def _result(completions: list[SimpleCompletion], *, suppress: bool) -> SimpleMatcherResult:
    result = {"completions": completions, "suppress": suppress, "ordered": True}
    return cast("SimpleMatcherResult", result)


def candidates(
    sources: Sources, arguments: Arguments, words: tuple[str, ...], typed: HalfTyped
) -> Iterable[str]:
    """The texts that may replace the fragment at the cursor.

    Args:
        sources: of names and files.
        arguments: of the verb.
        words: its words that are complete.
        typed: what stands before the cursor.
    """
    if typed.value.startswith("$"):
        return _variables(sources.variables, typed.value)
    option, equals, rest = typed.value.partition("=")
    if equals and option in arguments.options:
        values = _values(sources, arguments.options[option], rest)
        return [f"{option}={quoted(value)}" for value in values]
    action = arguments.awaited(words)
    if typed.value.startswith("-") and not (action and action.option_strings):
        return [name for name in arguments.unused(words) if name.startswith(typed.value)]
    if action is None:
        return arguments.unused(words) if not typed.value else []
    return [_text(typed, value) for value in _values(sources, action, typed.value)]


def _variables(names: Mapping[str, Any], value: str) -> list[str]:
    found = [f"${name}" for name in list(names) if not name.startswith("_")]
    return sorted(name for name in found if name.startswith(value))


def _text(typed: HalfTyped, value: str) -> str:
    text = typed.with_value(value)
    # One goes on typing within a folder.
    return text[:-1] if value.endswith("/") and text[-1:] in ("'", '"') else text


def _values(sources: Sources, action: argparse.Action, begun: str) -> list[str]:
    """What an argument can be, as far as that begins as it was begun.

    The metavar says what it is: `MODEL`, `DEPLOYMENT`, …, or the words themselves: `a|b`.
    """
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    found: Iterable[str]
    if action.choices:
        found = map(str, action.choices)
    elif "|" in metavar:
        pieces = (piece.partition("[")[0] for piece in metavar.split("|"))
        found = filter(_WORD_OF_METAVAR.fullmatch, pieces)
    elif metavar in ("PATH", "FOLDER"):
        paths = _paths(sources, begun)
        return [path for path in paths if metavar == "PATH" or path.endswith("/")]
    elif metavar == "MODEL":
        found = _models(sources, begun)
    else:
        found = sources.names(f"{metavar.lower()}s", "") if metavar in _NAMED else ()
    return [value for value in found if value.startswith(begun)]


_NAMED = ("DATALAKE", "DEPLOYMENT", "PLACE")


def _models(sources: Sources, begun: str) -> Sequence[str]:
    model, colon, _ = begun.partition(":")
    if not colon:
        return sources.names("models", "")
    return [f"{model}:{version}" for version in sources.names("versions", model)]


def _paths(sources: Sources, begun: str) -> list[str]:
    folder, slash, name = begun.rpartition("/")
    inside = sources.files("files", f"{folder}{slash}" or ".")
    shown = (one for one in inside if name.startswith(".") or not one.startswith("."))
    return [f"{folder}{slash}{one}" for one in shown if one.startswith(name)]
