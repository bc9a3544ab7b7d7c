"""How long a serving kernel waits for a request before it ends by itself."""

from __future__ import annotations

import re

from picsellia_jupyter.domain.errors import InvalidInputError

DEFAULT_IDLE_S = 12 * 3600.0
SHORTEST_S = 1.0
NEVER = "never"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_REMEDY = "Use a number and s, m, h or d, as in --idle 2h or --idle 90m; or --idle never."


def parse_idle(text: str) -> float | None:
    """Read what is typed: `2h`, `90m`, `30s`, `1.5d` or `never`.

    Returns:
        Seconds; None for never.

    Raises:
        InvalidInputError: it is none of these, or shorter than a second.
    """
    typed = text.strip().lower()
    if typed == NEVER:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", typed)
    if found is None:
        raise InvalidInputError(f"{text!r} is no time to wait for requests.", _REMEDY)
    seconds = float(found[1]) * _UNITS[found[2]]
    if seconds < SHORTEST_S:
        raise InvalidInputError(f"{text!r} is shorter than a second.", _REMEDY)
    return seconds


def idle_in_words(idle_s: float | None) -> str:
    """The time as one would type it: `12h`, `90m`, `never`."""
    if idle_s is None:
        return NEVER
    unit = next((u for u in "dhm" if idle_s >= _UNITS[u] and idle_s % _UNITS[u] == 0), "s")
    return f"{idle_s / _UNITS[unit]:g}{unit}"
