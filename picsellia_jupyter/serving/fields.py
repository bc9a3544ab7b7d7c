"""What a predict request says beside its image: cleaned or refused before it is predicted on.

Whatever passes here can be recorded, so that nothing that was answered is refused later.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from picsellia_jupyter.domain.errors import InvalidInputError

MAX_NAME = 255
MAX_TAG = 100
MAX_TAGS = 50
MAX_SOURCE = 200
_DEEPEST = 32
_SPACES = ("Zs", "Zl", "Zp")
_BARE = re.compile(rf"[^\\/:\s.](?:[^\\/:]{{0,{MAX_NAME - 2}}}[^\\/:\s])?")
"""Names that are as they should be, if they print; others are looked at closely."""
_INTEGERS = range(-(2**63), 2**64)


def bare_name(name: str | None) -> str:
    """The name a file is recorded under: no folders, nothing that does not print.

    Args:
        name: as the client sent it, from whichever system.

    Returns:
        1 to 255 printable characters. Any space, such as the narrow one in the names of
        macOS screenshots, is a plain one; control and bidi characters are left out.
    """
    if name and _BARE.fullmatch(name) and name.isprintable():
        return name
    bare = PurePosixPath(PureWindowsPath(name or "").name).name
    clean = "".join(map(_printed, bare)).strip()
    if len(clean) > MAX_NAME:
        kept = PurePosixPath(clean).suffix[:16]
        clean = clean[: MAX_NAME - len(kept)] + kept
    return "image" if clean in ("", ".", "..") else clean


def flag(key: str, given: object) -> bool:
    """A yes or no; yes where nothing is said.

    Raises:
        InvalidInputError: it is neither True nor False, in whatever case.
    """
    said = "true" if given is None else str(given).lower()
    if said not in ("true", "false"):
        raise InvalidInputError(f"{key} is {said[:60]!r}.", "Send True or False.")
    return said == "true"


def tags(given: Sequence[object]) -> tuple[str, ...]:
    """The tags of an image.

    Raises:
        InvalidInputError: there are more than 50, or one is no line of 1 to 100 characters.
    """
    if len(given) > MAX_TAGS:
        raise InvalidInputError(f"There are {len(given)} tags.", f"Send at most {MAX_TAGS}.")
    return tuple(_line("tags", tag, MAX_TAG) for tag in given)


def source(given: object) -> str | None:
    """The name of an image's data source; None where there is none.

    Raises:
        InvalidInputError: it is no line of 1 to 200 characters.
    """
    return None if given in (None, "") else _line("source", given, MAX_SOURCE)


def json_object(key: str, given: object) -> Mapping[str, Any] | None:
    """A field that holds a JSON object, as text or as itself; None where it is empty.

    Raises:
        InvalidInputError: it does not, or holds what no platform can store.
    """
    if given in (None, ""):
        return None
    try:
        value = given if isinstance(given, dict) else json.loads(str(given))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInputError(f"{key} is no JSON object.", 'Send text such as {"camera": 3}.')
    for name, item in value.items():
        _check_storable(key, name, 1)
        _check_storable(f"{key}.{name}", item, 1)
    return value


def _printed(character: str) -> str:
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) in _SPACES else ""


def _line(key: str, given: object, longest: int) -> str:
    if isinstance(given, str) and given.strip() and len(given) <= longest and given.isprintable():
        return given
    said = repr(given) if isinstance(given, str) else "no text"
    shown = said if len(said) <= 60 else f"{said[:60]}…"
    raise InvalidInputError(f"{key} has {shown}.", f"Send 1 to {longest} printable characters.")


def _check_storable(where: str, value: object, depth: int) -> None:
    if depth > _DEEPEST:
        raise InvalidInputError(
            f"{ascii(where)[1:-1][:60]} is nested too deep.", "Send a flatter object."
        )
    if isinstance(value, dict):
        for name, item in value.items():
            _check_storable(where, name, depth)
            _check_storable(where, item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_storable(where, item, depth + 1)
    elif not _is_storable(value):
        shown = ascii(value)[:60]
        raise InvalidInputError(
            f"{ascii(where)[1:-1][:60]} holds {shown}, which cannot be stored.",
            "Send finite numbers of at most 64 bits, and text without NUL or lone surrogates.",
        )


def _is_storable(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or value in _INTEGERS
