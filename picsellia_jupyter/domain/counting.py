"""Numbers with their nouns, as a sentence needs them."""

from __future__ import annotations


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 object`, `1,200 objects`.

    Args:
        number: how many.
        noun: of one; further words may follow it where `plural` says how they change.
        plural: of none or several; the noun with an `s` without it.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
