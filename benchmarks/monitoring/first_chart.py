"""How soon the first dashboard stands in a notebook: a real kernel, a platform of its own.

*Live*: the kernel has the deployment in hand, as after `%deploy` or a card, and has drawn nothing
yet; from sending the cell `d.dashboard("30d")` to its output. Goal: at most 1 s.
*Cold*: `%monitor` is the first thing that a fresh kernel is asked; most of that is the import of
the SDK. *Again* is the same dashboard a second time.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.monitoring.dashboards import furnished
from benchmarks.platform import running
from benchmarks.serving.goals import Goals

GOAL_S = 1.0
PREDICTIONS = 100_000
LOAD = "%load_ext picsellia_jupyter"
IN_HAND = "from picsellia_jupyter import Session; d = Session().deployment(); d"
DASHBOARD, MAGIC = 'd.dashboard("30d")', "%monitor --last 30d"


def run(goals: Goals, *, quick: bool) -> None:
    """Measure, print, and note the goal."""
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        furnished(home, PREDICTIONS)
        with running(home):
            cold = [_seconds(home, [LOAD], [MAGIC]) for _ in range(rounds)]
            live = [_seconds(home, [LOAD, IN_HAND], [DASHBOARD, DASHBOARD]) for _ in range(rounds)]
    best = {
        "live": min(one[0] for one in live),
        "again": min(one[1] for one in live),
        "cold": min(one[0] for one in cold),
    }
    print("\n| first chart, best of some kernels | s |\n|---|---:|")
    for name, seconds in best.items():
        print(f"| {name} | {seconds:.2f} |")
    goals.at_most("DA3", "first chart in a live notebook", best["live"], GOAL_S, " s")


def _seconds(home: Path, before: list[str], timed: list[str]) -> list[float]:
    """Of cells in a fresh kernel, from sending each to its output."""
    from jupyter_client.manager import start_new_kernel

    env = {**os.environ, "PICSELLIA_JUPYTER_HOME": str(home)}
    manager, client = start_new_kernel(env=env)
    try:
        for code in before:
            _run(client, code)
        return [_run(client, code) for code in timed]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client: Any, code: str) -> float:
    """Seconds to the first output of a cell, or to its end where it has none."""
    begun, shown = time.perf_counter(), []

    def heard(message: dict[str, Any]) -> None:
        if message["msg_type"] == "error":
            raise RuntimeError("\n".join(message["content"]["traceback"]))
        if message["msg_type"] in ("display_data", "execute_result"):
            shown.append(time.perf_counter() - begun)

    client.execute_interactive(code, output_hook=heard, timeout=120)
    return shown[0] if shown else time.perf_counter() - begun
