"""What came of it, as a table and as goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.serving.goals import Goals
from benchmarks.soak.watching import Watch, files_grown, slope, theil_sen

MEMORY_MIB_H = 1.0
FILES = 2
"""More descriptors at the end: an idle connection of a pool is none that leaks."""
SPOOL_MIB = 64.0
PREDICTION_KB = 8.0
JUDGED_S = 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the clients and the platform say at the end."""

    seconds: float
    acknowledged: int
    recorded: int
    errors: Sequence[str]
    restarts: Sequence[float]
    """Seconds until each served again."""
    slowest_s: float


def lines(watch: Watch) -> list[str]:
    """A row a process, in Markdown."""
    rows = [
        "| process | lives | MiB at first | MiB at last | MiB an hour | descriptors |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for role, lives in watch.roles().items():
        first, last = lives[0][0], lives[-1][-1]
        rows.append(
            f"| {role} | {len(lives)} | {first.memory / 2**20:.1f} | {last.memory / 2**20:.1f} "
            f"| {slope(lives):+.2f} | {first.files} to {last.files} |"
        )
    return rows


def judge(watch: Watch, came: Outcome) -> Goals:
    """The goals, each held or missed."""
    goals = Goals()
    goals.at_most("errors", "predictions that failed", float(len(came.errors)), 0)
    lost = abs(came.acknowledged - came.recorded)
    goals.at_most("lost", "acknowledged less recorded, either way", float(lost), 0)
    roles = watch.roles()
    for role, lives in roles.items():
        if came.seconds >= JUDGED_S:
            goals.at_most("memory", f"{role}, an hour", slope(lives), MEMORY_MIB_H, " MiB")
    if came.seconds < JUDGED_S:
        goals.left_out.append("growth of memory: that takes an hour at least")
    grown = max((files_grown(lives) for lives in roles.values()), default=0)
    goals.at_most("files", "descriptors more at the end, of any process", float(grown), FILES)
    later = watch.disks[len(watch.disks) // 4 :]
    predictions = np.array([one.predictions for one in later], np.float64)
    # The log is written back now and then: two looks at one count tell nothing.
    _, kept = np.unique(predictions, return_index=True)
    sizes = np.array([one.database for one in later], np.float64)
    a_prediction = theil_sen(predictions[kept], sizes[kept]) / 1e3
    goals.at_most("disk", "database, a prediction", a_prediction, PREDICTION_KB, " kB")
    most = max(one.spool for one in watch.disks) / 2**20
    goals.at_most("spool", "all spools, the most at any time", most, SPOOL_MIB, " MiB")
    return goals


def short(came: Outcome, goals: Goals) -> str:
    """The last line."""
    held = sum(goal.held for goal in goals.measured)
    slowest = max(came.restarts, default=0.0)
    return (
        f"soak: {came.seconds / 3600:.2f} h, {came.acknowledged:,} predictions, "
        f"{len(came.errors)} errors, {came.recorded:,} recorded, {len(came.restarts)} restarts "
        f"(back after {slowest:.1f} s at most, the slowest call {came.slowest_s:.1f} s); "
        f"{held} of {len(goals.measured)} goals held"
    )
