"""What a cloud tells of a deployment, and what is known here to check it against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from picsellia_jupyter.domain.monitoring import Dashboard
from picsellia_jupyter.domain.running import Running

Figure = str | float | bool | None


@dataclass(frozen=True, slots=True)
class Told:
    """What the platform's own statistics say of one service, as it says it."""

    service: str
    """Name of the SDK's `ServiceMetrics`: `AGGREGATED_PREDICTIONS_DATA`."""
    figures: Sequence[tuple[str, Figure]] = ()
    """By their paths in its reply: `stats.ap_50_95`."""
    left_out: int = 0
    """How many more there are."""
    is_outdated: bool = False
    """Whether the platform says that these are of an older computation, or of none."""
    trouble: str = ""
    """Why nothing is told."""

    def named(self, name: str) -> float | None:
        """The one number whose path ends with a name; None where there is none."""
        found = [
            float(value)
            for path, value in self.figures
            if isinstance(value, bool | int | float) and (path == name or path.endswith(f".{name}"))
        ]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class CrossCheck:
    """The same deployment, as it is seen from here."""

    recorded: int | None = None
    """Predictions that have an image on the platform; None where it does not count them."""
    twice: int = 0
    """Of the newest of them, how many are there more than once."""
    running: Running | None = None
    """What the serving kernel of ours counted since it began; None without one."""
    computed: Dashboard | None = None
    """Computed here from the single predictions that the platform tells; None where those
    cannot be read."""
    why_not: str = ""
    """Why nothing was computed."""


@dataclass(frozen=True, slots=True, eq=False)
class CloudReport:
    """A deployment's figures: the platform's first, then ours."""

    deployment: str
    host: str
    url: str
    """Of its page."""
    since: float | None
    """Seconds since the epoch, UTC; None begins with the first prediction."""
    until: float
    told: Sequence[Told]
    ours: CrossCheck
    notices: Sequence[str] = ()
