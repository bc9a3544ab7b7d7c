"""What a step finds: rows of the table, and facts, each a line of JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HEAD = (
    "| what | precision | batch or clients | img/s | p50 ms | p99 ms | mean batch | GPU | failed |"
    f"\n|---|---|{'---:|' * 7}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    precision: str
    n: int
    """Batch, or clients."""
    per_s: float
    p50_ms: float
    p99_ms: float
    batch: float | None = None
    """Photos in a batch, in the mean; None where it is not known."""
    busy: float | None = None
    """The card's utilisation in percent."""
    failed: int = 0

    def __str__(self) -> str:
        batch = "" if self.batch is None else f"{self.batch:.1f}"
        busy = "" if self.busy is None else f"{self.busy:.0f} %"
        return (
            f"| {self.what} | {self.precision} | {self.n} | {self.per_s:.0f} | {self.p50_ms:.2f} "
            f"| {self.p99_ms:.2f} | {batch} | {busy} | {self.failed} |"
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was found, and whether it is as it must be."""

    what: str
    found: str
    holds: bool = True

    def __str__(self) -> str:
        return f"| {self.what} | {self.found} | {'yes' if self.holds else '**NO**'} |"


def timed(what: str, precision: str, n: int, times: Sequence[float], wall_s: float) -> Row:
    """A row of the seconds that each answer took."""
    p50, p99 = np.percentile(times, (50, 99)) * 1e3 if len(times) else (0.0, 0.0)
    return Row(what, precision, n, len(times) / wall_s, float(p50), float(p99))


def tell(found: Row | Fact) -> None:
    """Print it for whoever started this step."""
    print(json.dumps({type(found).__name__: dataclasses.asdict(found)}), flush=True)


def heard(line: str) -> Row | Fact | None:
    """Read what `tell` printed; None where it is something else."""
    try:
        said = json.loads(line)
        if "Row" in said:
            return Row(**said["Row"])
        return Fact(**said["Fact"])
    except (ValueError, TypeError, KeyError):
        return None
