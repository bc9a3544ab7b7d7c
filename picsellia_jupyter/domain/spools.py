"""What waits on this machine to be recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpoolDepth:
    """The spools of one deployment on this machine."""

    deployment_id: str
    waiting: int
    """To be recorded by the next owner."""
    refused: tuple[tuple[str, str], ...]
    """Set aside: ids of predictions, and why the platform will not have them."""
    size: int
    """Bytes of both."""
    oldest: float | None
    """When the first of them was predicted, seconds since the epoch, UTC."""
    in_use: int = 0
    """Spools of running programs, which they alone can look into."""


def spelt_age(seconds: float) -> str:
    """An age in its largest unit: `5 s`, `2 min`, `3 h`, `4 d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
