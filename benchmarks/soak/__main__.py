"""`python -m benchmarks.soak [--hours 4 | --minutes N]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.results import machine
from benchmarks.serving.goals import Goals
from benchmarks.soak.load import Soaked, soaked
from benchmarks.soak.report import JUDGED_S, Outcome, judge, lines, short
from benchmarks.soak.watching import Watch

RESTARTS = 12
"""Every 20 minutes of four hours."""
ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print the table, and write it down; 0 where all goals hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--hours", type=float, default=4.0)
    parser.add_argument("--minutes", type=float, help="instead of hours")
    given = parser.parse_args(arguments)
    seconds = given.hours * 3600 if given.minutes is None else given.minutes * 60
    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, soaked(Path(folder)) as here:
        came = _soak(here, watch, seconds)
    goals = judge(watch, came)
    table = "\n".join(lines(watch))
    print(table)
    goals.show()
    for error in came.errors[:20]:
        print(f"error: {error}")
    print(short(came, goals))
    _write(table, goals, came)
    return 0 if goals.held else 1


def _soak(here: Soaked, watch: Watch, seconds: float) -> Outcome:
    began, restarts = time.monotonic(), list[float]()
    every, pause = seconds / RESTARTS, min(30.0, max(2.0, seconds / 480))
    for client in here.clients:
        client.start()
    while (now := time.monotonic()) < began + seconds:
        watch.look(here)
        if now > began + (len(restarts) + 1) * every:
            restarts.append(here.restart(len(restarts) % len(here.clients)))
            print(
                f"{now - began:7.0f} s  restart {len(restarts)}: {restarts[-1]:.1f} s", flush=True
            )
        time.sleep(max(0.0, now + pause - time.monotonic()))
    for client in here.clients:
        client.stop()
    for client in here.clients:
        client.deployment.flush(60)
    errors = [f"{c.deployment.name}: {error}" for c in here.clients for error in c.errors]
    return Outcome(
        time.monotonic() - began, sum(c.done for c in here.clients), here.recorded(), errors,
        restarts, max(c.slowest_s for c in here.clients),
    )  # fmt: skip


def _write(table: str, goals: Goals, came: Outcome) -> None:
    """Into benchmarks/SOAK.md; a run that judges no slopes into build/bench/SOAK.md."""
    folder = ROOT / ("benchmarks" if came.seconds >= JUDGED_S else "build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    date = f"{datetime.now(timezone.utc):%d %B %Y}".lstrip("0")
    said = [str(goal) for goal in goals.measured]
    said += [f"not measured: {why}" for why in goals.left_out]
    said += [f"error: {error}" for error in came.errors[:20]]
    text = (
        f"# The last soak\n\n{date}. {machine()}. What is done stands in `benchmarks/soak/`.\n\n"
        f"{short(came, goals)}.\n\n{table}\n\n```\n" + "\n".join(said) + "\n```\n"
    )
    (folder / "SOAK.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
