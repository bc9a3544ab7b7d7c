"""One thing that is looked at, and what came of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "release"


class Verdict(str, Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_ASKED = "not asked"
    """Whoever knows could not be reached, or what it needs is not here: nothing is known."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check that was made."""

    name: str
    verdict: Verdict
    note: str
    """What was seen, on a line."""

    @classmethod
    def of(cls, name: str, faults: Sequence[str], seen: str) -> Check:
        """Passed where there are no faults; the first few are told."""
        if not faults:
            return cls(name, Verdict.PASSED, seen)
        more = f" and {len(faults) - 5} more" if len(faults) > 5 else ""
        return cls(name, Verdict.FAILED, "; ".join(faults[:5]) + more)

    def __str__(self) -> str:
        return f"{self.verdict.value:<10} {self.name:<26} {self.note}"


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    status: int
    said: str
    """Its output and errors."""

    @property
    def last_line(self) -> str:
        """The last line that says something."""
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def ran(
    command: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    limit_s: float = 900.0,
) -> Ran:
    """Run a command to its end; 124 where it does not come to one."""
    words = [str(word) for word in command]
    given = dict(os.environ) if env is None else dict(env)
    try:
        done = subprocess.run(
            words, cwd=cwd, env=given, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return Ran(124, f"{words[0]} did not end in {limit_s:g} s")
    return Ran(done.returncode, done.stdout + done.stderr)
