"""A line that is still being typed: its words, and the one at the cursor."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+\\?|\\""")
"""A word as a shell sees it, its last quote perhaps still open."""
_PLAIN = re.compile(r"[^\s\"'\\]+")


@dataclass(frozen=True, slots=True)
class HalfTyped:
    """What stands before the cursor, after a magic's name."""

    words: tuple[str, ...]
    """The words that are complete, without their quotes."""
    fragment: str
    """The word at the cursor as it is typed; empty after a space."""
    value: str
    """What it stands for so far."""
    quote: str
    """The quote that is open at the cursor: `"`, `'` or nothing."""

    def with_value(self, value: str) -> str:
        """The text that replaces the fragment: a value that begins as this one does."""
        return quoted(value, self.quote)


def read(text: str) -> HalfTyped:
    """Split what stands before the cursor."""
    found = list(_WORD.finditer(text))
    at_word = bool(found) and found[-1].end() == len(text)
    whole = found[:-1] if at_word else found
    fragment = found[-1].group() if at_word else ""
    value, quote = _value(fragment)
    return HalfTyped(tuple(_value(word.group())[0] for word in whole), fragment, value, quote)


def quoted(value: str, quote: str = "") -> str:
    """A value as one word; in double quotes, or those that are open, where it needs some."""
    if not quote and _PLAIN.fullmatch(value):
        return value
    if quote == "'" and "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _value(word: str) -> tuple[str, str]:
    """What a word stands for, and the quote that is open at its end."""
    for quote in ("", '"', "'"):
        try:
            return "".join(shlex.split(word + quote)), quote
        except ValueError:
            continue
    return _value(word[:-1])
