"""Steps as processes: each has a limit, and nothing of it is left when it is over."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from benchmarks.gpu.rows import Fact, Row, heard
from benchmarks.serving import servers

_POLITE_S = 10.0


@dataclass(slots=True)
class Outcome:
    """What became of a step."""

    name: str
    rows: list[Row] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """All other lines."""
    failure: str = ""
    took_s: float = 0.0

    def hear(self, line: str) -> None:
        """Take a line that the step printed."""
        found = heard(line)
        if isinstance(found, Row):
            self.rows.append(found)
        elif isinstance(found, Fact):
            self.facts.append(found)
        elif line.strip():
            self.said.append(line.rstrip())

    def check_tests(self) -> None:
        """Tests that were skipped show nothing: where it ran tests, that is a failure."""
        last = self.said[-1] if self.said else "nothing"
        if not self.failure and ("passed" not in last or "skipped" in last):
            self.failure = f"not every test ran: {last}"

    @property
    def holds(self) -> bool:
        """Whether it went to its end, failed nobody, and found all facts as they must be."""
        failed = any(row.failed for row in self.rows)
        return not self.failure and not failed and all(fact.holds for fact in self.facts)


def run(name: str, command: Sequence[str], limit_s: float) -> Outcome:
    """Run a step to its end, or end it; what it found until then counts.

    Args:
        name: what it is called.
        command: what is run, in the repository's root.
        limit_s: seconds that it gets.
    """
    outcome, began = Outcome(name), time.monotonic()
    if limit_s <= 0:
        outcome.failure = "not run: no time is left"
        return outcome
    process = subprocess.Popen(
        command, cwd=servers.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": servers.python_path(), "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    reader = threading.Thread(target=_read, args=(process, outcome), daemon=True)
    reader.start()
    try:
        status = process.wait(limit_s)
        outcome.failure = f"exit status {status}" if status else ""
    except subprocess.TimeoutExpired:
        outcome.failure = f"ended after {limit_s:.0f} s"
        _end(process.pid)
    reader.join(_POLITE_S)
    outcome.took_s = time.monotonic() - began
    return outcome


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _read(process: subprocess.Popen[str], outcome: Outcome) -> None:
    assert process.stdout
    with process.stdout as lines:
        for line in lines:
            outcome.hear(line)
            if heard(line) is None:
                print(f"  {line.rstrip()}", file=sys.stderr, flush=True)


def _end(pid: int) -> None:
    """End a process that was started here, and all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
        process.terminate()
        psutil.wait_procs([process], _POLITE_S)
        for one in tree:
            with contextlib.suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(tree, _POLITE_S)
