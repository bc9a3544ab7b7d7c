"""The tables, and the last line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.gpu.measured import KERNEL, ONE_BY_ONE, RAW
from benchmarks.gpu.rows import HEAD, Row
from benchmarks.gpu.running import Outcome

CLIENTS, GAIN = 16, 3.0
OVER_RAW_MS = 1.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted, and what was found."""

    what: str
    found: str
    held: bool | None
    """None where it was not measured."""

    def __str__(self) -> str:
        word = {True: "held", False: "MISSED", None: "not measured"}[self.held]
        return f"| {self.what} | {self.found} | {word} |"


def line(outcome: Outcome) -> str:
    """One step in one line."""
    failure = f": {outcome.failure}" if outcome.failure else ""
    word = "ok" if outcome.holds else "FAILED"
    return f"== {outcome.name}: {word} after {outcome.took_s:.1f} s{failure}"


def tables(outcomes: Sequence[Outcome]) -> str:
    """Steps, facts, figures and goals."""
    facts = [fact for one in outcomes for fact in one.facts]
    parts = ["", *map(line, outcomes)]
    parts += [f"   {one.name}: {one.said[-1]}" for one in outcomes if one.said]
    parts += ["", "| what | found | as it must be |", "|---|---|---|", *map(str, facts)]
    parts += ["", HEAD, *map(str, _rows(outcomes))]
    parts += ["", "| goal | found | |", "|---|---|---|", *map(str, goals(_rows(outcomes)))]
    return "\n".join([*parts, ""])


def goals(rows: Sequence[Row]) -> list[Goal]:
    """What the issue asks of a GPU."""
    return [_batching(rows), _median(rows)]


def all_holds(outcomes: Sequence[Outcome]) -> bool:
    """Whether every step held, and no goal that was measured was missed."""
    missed = any(goal.held is False for goal in goals(_rows(outcomes)))
    return not missed and all(one.holds for one in outcomes)


def last_line(outcomes: Sequence[Outcome]) -> str:
    """All of it in short."""
    rows = _rows(outcomes)
    behind = [row for row in rows if row.what.startswith((KERNEL, "pool"))]
    best = max(behind, key=lambda row: row.per_s, default=None)
    words = [
        f"best {best.per_s:.0f} img/s ({best.what}, {best.n} clients)" if best else "no figure"
    ]
    words += [f"{goal.what}: {goal.found}" for goal in goals(rows)]
    words.append(f"{sum(row.failed for row in rows)} photos failed")
    wrong = [f"{one.name} ({one.failure or 'see above'})" for one in outcomes if not one.holds]
    words.append(f"FAILED: {', '.join(wrong)}" if wrong else "all steps held")
    return "; ".join(words)


def _batching(rows: Sequence[Row]) -> Goal:
    what = f"at {CLIENTS} clients {GAIN:g} x unbatched"
    batched, single = _of(rows, KERNEL, CLIENTS), _of(rows, ONE_BY_ONE, CLIENTS)
    if not (batched and single and single.per_s):
        return Goal(what, "-", None)
    gain = batched.per_s / single.per_s
    return Goal(what, f"{gain:.1f} x", gain >= GAIN)


def _median(rows: Sequence[Row]) -> Goal:
    what = f"p50 of one client at most {OVER_RAW_MS:g} ms over raw"
    served, raw = _of(rows, KERNEL, 1), _of(rows, RAW, 1)
    if not (served and raw):
        return Goal(what, "-", None)
    over = served.p50_ms - raw.p50_ms
    return Goal(what, f"{over:+.2f} ms", over <= OVER_RAW_MS)


def _of(rows: Sequence[Row], what: str, n: int) -> Row | None:
    return next((row for row in rows if (row.what, row.n) == (what, n)), None)


def _rows(outcomes: Sequence[Outcome]) -> list[Row]:
    return [row for one in outcomes for row in one.rows]
