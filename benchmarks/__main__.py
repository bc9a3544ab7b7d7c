"""Every benchmark, one after the other, and one table of all goals: `python -m benchmarks`.

Writes `benchmarks/RESULTS.md`; with `--quick` or `--only` it writes `build/bench/RESULTS.md`
instead, so that only a whole run is ever committed. What each printed lies in `build/bench/`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

from benchmarks.results import Said, summary, table

BENCHMARKS = (
    "startup", "serving", "platform", "places", "viewer", "lab", "monitoring", "loop", "outbox",
)  # fmt: skip
WHOLE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "serving": (("--seconds=2",),),
    # Its largest size takes half an hour and 10 GB of disk, and is measured by hand.
    "monitoring": (("--only=evaluation",), ("--only=drifting",), ("--only=dashboards", "--quick")),
}
"""With what they are run where they would take too long together; each item is a run."""
LIMIT_S = 600.0
"""Of one benchmark; one that hangs is ended, and said to have broken off."""
ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them and write the table; 0 where all goals hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller data and fewer rounds")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS)
    given = parser.parse_args(arguments)
    BUILD.mkdir(parents=True, exist_ok=True)
    said = [_run(name, quick=given.quick) for name in BENCHMARKS if name in given.only]
    whole = not given.quick and len(said) == len(BENCHMARKS)
    target = (ROOT / "benchmarks" if whole else BUILD) / "RESULTS.md"
    date = f"{datetime.now(timezone.utc):%d %B %Y}".lstrip("0")
    target.write_text(table(said, date=date, quick=given.quick), encoding="utf-8")
    print(f"\n{target.relative_to(ROOT)}: {summary(said)}")
    return 1 if any(one.missed or one.is_broken for one in said) else 0


def _run(name: str, *, quick: bool) -> Said:
    """Run one in processes of its own; what it prints is shown, and kept."""
    print(f"\n== {name} (load {os.getloadavg()[0]:.1f})", flush=True)
    path, began = BUILD / f"{name}.txt", time.monotonic()
    runs = (("--quick",),) if quick else WHOLE.get(name, ((),))
    with path.open("wb") as output:
        status = max(_run_with(name, arguments, output) for arguments in runs)
    said = Said(name, path.read_text("utf-8", "replace"), status, time.monotonic() - began)
    print(said.text.strip(), f"\n== {name} took {said.seconds:.0f} s", flush=True)
    return said


def _run_with(name: str, arguments: Sequence[str], output: IO[bytes]) -> int:
    """Run one; its exit status, 124 where it did not end in time."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", f"benchmarks.{name}", *arguments],
        cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        return abs(process.wait(LIMIT_S))
    except subprocess.TimeoutExpired:
        print(f"== {name} did not end in {LIMIT_S:g} s", flush=True)
        return 124
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


if __name__ == "__main__":
    sys.exit(main())
