"""Numbers and names as a person reads them: rounded, with their unit, in printable signs."""

from __future__ import annotations

from datetime import datetime, timezone

from picsellia_jupyter.domain import counting

count = counting.count

_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def milliseconds(seconds: float | None) -> str:
    """A latency: `3.2 ms`, `240 ms`, `1.8 s`; `none` where nothing was measured."""
    if seconds is None:
        return "none"
    if seconds >= 0.9995:
        return f"{seconds:.1f} s"
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 9.95 else f"{value:.0f} ms"


def span(seconds: float) -> str:
    """A stretch of time in its largest fitting unit: `24 h`, `30 min`, `1.5 h`, `12 s`."""
    for length, unit in _SPANS:
        if seconds >= length and not (unit == "d" and seconds < 2 * length):
            return f"{round(seconds / length, 1):g} {unit}"
    return f"{round(seconds, 1):g} s"


def local_time(at: float) -> str:
    """A moment on the reader's clock with its zone: `2026-11-23 02:10 CET`.

    Args:
        at: seconds since the epoch, UTC.
    """
    when = datetime.fromtimestamp(at, tz=timezone.utc).astimezone()
    return f"{when:%Y-%m-%d %H:%M} {when.tzname() or ''}".strip()


def kilobytes(number: int) -> str:
    """An amount of bytes: `344 kB`, `1.6 MB`."""
    return f"{number / 1e6:.1f} MB" if number >= 999_500 else f"{number / 1000:.0f} kB"


def printable(text: object) -> str:
    """A name in one line of visible signs: control and direction signs become `?`."""
    line = " ".join(str(text).splitlines()).replace("\t", " ")
    return "".join(sign if sign.isprintable() else "?" for sign in line)


def brief(text: str, *, most: int) -> str:
    """A name cut to at most `most` signs, with an ellipsis where something is missing."""
    shown = printable(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
