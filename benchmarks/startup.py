"""What loading costs: `%load_ext picsellia_jupyter` beside `import matplotlib.pyplot`.

CPU seconds of each in a fresh IPython process, taken in turns, the smallest of all rounds:
other work on the machine only ever adds. Goal: a ratio of at most 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.serving.goals import Goals

GOAL = 1.0
SHELL = "from IPython.core.interactiveshell import InteractiveShell as S; s = S.instance()\n"
TIMED = "import time; t = time.process_time()\n{}\nprint(time.process_time() - t)"
SUBJECTS = {
    "import picsellia_jupyter": "import picsellia_jupyter",
    "%load_ext picsellia_jupyter": "s.run_line_magic('load_ext', 'picsellia_jupyter')",
    "import matplotlib.pyplot": "import matplotlib.pyplot",
    "import picsellia": "import picsellia",
}


def cpu_seconds(statement: str) -> float:
    """CPU seconds of a statement in a fresh process with IPython already loaded."""
    program = SHELL + TIMED.format(statement)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> int:
    """Measure, print the table and the figure; 0 where the goal holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 10")
    rounds = 3 if parser.parse_args().quick else 10
    best = {name: float("inf") for name in SUBJECTS}
    for _ in range(rounds):
        for name, statement in SUBJECTS.items():
            best[name] = min(best[name], cpu_seconds(statement))
    peer = best["import matplotlib.pyplot"]
    print(f"| CPU time, best of {rounds} | ms | ratio to matplotlib.pyplot |\n|---|---:|---:|")
    for name, seconds in best.items():
        print(f"| `{name}` | {seconds * 1e3:.0f} | {seconds / peer:.2f} |")
    ratio = best["%load_ext picsellia_jupyter"] / peer
    goals = Goals()
    goals.at_most(
        "S1",
        "%load_ext, CPU time over that of matplotlib.pyplot",
        ratio,
        GOAL,
        " x",
        beside=f"matplotlib.pyplot {peer * 1e3:.0f} ms (x {1 / ratio:.1f})",
    )
    goals.show()
    return 0 if goals.held else 1


if __name__ == "__main__":
    sys.exit(main())
