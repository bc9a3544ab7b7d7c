"""Plant one fault after the other in a copy of the repository and have its tests notice.

`python -m planted` plants all, `python -m planted at-threshold box-order` these two.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from planted import copies
from planted.copies import Run
from planted.fault import Fault, planted
from planted.listed import FAULTS


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the tests of one fault noticed it."""

    fault: Fault
    run: Run

    @property
    def is_noticed(self) -> bool:
        """Whether at least one test turned red; tests that cannot run notice nothing."""
        return self.run.code in (1, -1)

    @property
    def by(self) -> str:
        """The first test that turned red, or what happened instead."""
        if self.run.failed:
            return self.run.failed[0].removeprefix("tests/")
        words = {0: "NOTHING TURNED RED", -1: f"did not end in {copies.LIMIT_S:g} s"}
        return words.get(self.run.code, f"THE TESTS DID NOT RUN (pytest exit {self.run.code})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant what is asked for; 1 where a fault was not noticed."""
    wanted = _wanted(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        root = copies.copied(Path(folder))
        if not _is_sound(root, wanted):
            return 1
        verdicts = [_planted(fault, root) for fault in wanted]
    missed = [one for one in verdicts if not one.is_noticed]
    for one in missed:
        print(f"\n{one.fault.name} was not noticed by {' '.join(one.fault.tests)}\n{one.run.tail}")
    print(
        f"\n{len(verdicts)} faults planted, {len(verdicts) - len(missed)} noticed, "
        f"{len(missed)} missed, {(time.monotonic() - began) / 60:.1f} minutes"
    )
    return 1 if missed else 0


def _wanted(arguments: Sequence[str] | None) -> tuple[Fault, ...]:
    parser = argparse.ArgumentParser(prog="python -m planted", description=__doc__)
    known = {fault.name: fault for fault in FAULTS}
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"one of: {', '.join(known)}")
    names = parser.parse_args(arguments).faults
    for name in names:
        if name not in known:
            parser.error(f"there is no fault {name!r}; known: {', '.join(known)}")
    return tuple(known[name] for name in names) or FAULTS


def _is_sound(root: Path, wanted: Sequence[Fault]) -> bool:
    """Whether all the tests pass before anything is planted; red would mean nothing else."""
    tests = sorted({test for fault in wanted for test in fault.tests})
    run = copies.tested(root, tests, stop_at_first=False, limit_s=4 * copies.LIMIT_S)
    print(f"without a fault: {run.tail.splitlines()[-1] if run.tail else run.code}", flush=True)
    if run.code != 0:
        print(run.tail)
        print("Mend these tests first; nothing was planted.")
    return run.code == 0


def _planted(fault: Fault, root: Path) -> Verdict:
    with planted(fault, root):
        run = copies.tested(root, fault.tests, stop_at_first=True, limit_s=copies.LIMIT_S)
    verdict = Verdict(fault, run)
    mark = "noticed" if verdict.is_noticed else "MISSED"
    print(f"{mark:8} {fault.name:28} {run.seconds:5.1f} s  {verdict.by}", flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
