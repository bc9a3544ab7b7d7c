"""Ranges of time as one asks for them: `24h`, `all`, or from one moment to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.workflows.metrics import parse_range

Moment = str | float | datetime
"""`2026-11-28`, `2026-11-28T02:10` on the reader's clock, seconds since the epoch, or a datetime;
without a zone it is the reader's."""


@dataclass(frozen=True, slots=True)
class Range:
    """From one moment to another, seconds since the epoch, UTC."""

    since: float | None
    """None begins with the first prediction."""
    until: float | None
    """None ends now."""


def range_of(last: str, since: Moment | None, until: Moment | None, *, now: float) -> Range:
    """The range that is meant.

    Args:
        last: `30m`, `24h`, `7d`, … or `all`; of no meaning where `since` is given.
        since: its start.
        until: its end; without `since`, what `last` is counted back from.
        now: seconds since the epoch, UTC.

    Raises:
        InvalidInputError: one of them cannot be read, or the end comes before the start.
    """
    end = None if until is None else _seconds(until)
    if since is None:
        length_s = parse_range(last)
        begin = None if length_s is None else (now if end is None else end) - length_s
    else:
        begin = _seconds(since)
    if begin is not None and begin >= (now if end is None else end):
        raise InvalidInputError(
            f"The range begins at {since!r}, which is not before its end.",
            "Swap since and until, or leave until out for now.",
        )
    return Range(begin, end)


def _seconds(moment: Moment) -> float:
    if isinstance(moment, datetime):
        return moment.timestamp()
    if not isinstance(moment, str):
        return float(moment)
    text = moment.strip()
    try:
        # Python 3.10 does not read a Z.
        when = datetime.fromisoformat(text[:-1] if text.endswith("Z") else text)
    except ValueError:
        raise InvalidInputError(
            f"{moment!r} is not a moment.",
            "Write a day or a time, as in 2026-11-28 or 2026-11-28T02:10.",
        ) from None
    return (when.replace(tzinfo=timezone.utc) if text.endswith("Z") else when).timestamp()
