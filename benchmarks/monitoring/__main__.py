"""Runs the topics and says which goals they hold: `python -m benchmarks.monitoring`."""

from __future__ import annotations

import argparse
from importlib import import_module

from benchmarks.serving.goals import Goals

TOPICS = ("evaluation", "drifting", "first_chart", "dashboards")
"""Modules of this package; each has `run(goals, *, quick)`, which prints and notes goals."""


def main() -> int:
    """Run them; 0 where every goal holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring")
    parser.add_argument("--quick", action="store_true", help="smaller data, one round")
    parser.add_argument("--only", choices=TOPICS, help="one topic")
    given = parser.parse_args()
    goals = Goals()
    for name in (given.only,) if given.only else TOPICS:
        import_module(f"benchmarks.monitoring.{name}").run(goals, quick=given.quick)
    goals.show()
    return 0 if goals.held else 1


if __name__ == "__main__":
    raise SystemExit(main())
