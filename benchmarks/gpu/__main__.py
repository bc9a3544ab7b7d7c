"""Runs the steps and prints what they found: `python -m benchmarks.gpu`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu import report, running
from benchmarks.gpu.running import Outcome

WITHIN_S = 420.0
_TESTS = ("tests", "sandbox")
_PYTEST = ("pytest", "--noconftest", "-q", "-rf", "-p", "no:cacheprovider", "--timeout=60")
_CUDA_TESTS = (*_PYTEST, "tests/serving/runtimes/test_cuda.py")
_SANDBOX = "what_succeeds_without or inside_the_sandbox"
_SANDBOX_TESTS = (*_PYTEST, "tests/serving/test_sandbox.py", "-k", _SANDBOX)


@dataclass(frozen=True, slots=True)
class Step:
    """What is run, and for how long at most."""

    name: str
    limit_s: float
    command: Sequence[str]


def main() -> int:
    """Run them; 0 where everything held."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--quick", action="store_true", help="fewer steps, half a second a figure")
    parser.add_argument("--within", type=float, default=WITHIN_S, help="seconds, all in all")
    parser.add_argument("--only", default="", help="names of steps, separated by commas")
    given = parser.parse_args()
    until, outcomes = time.monotonic() + given.within, list[Outcome]()
    print(_machine(given.device), flush=True)
    with tempfile.TemporaryDirectory(prefix="gpu") as folder:
        for step in _steps(Path(folder), given.device, quick=given.quick):
            if given.only and step.name not in ("export", *given.only.split(",")):
                continue
            limit = min(step.limit_s, until - time.monotonic())
            outcomes.append(running.run(step.name, step.command, limit))
            if step.name in _TESTS:
                outcomes[-1].check_tests()
            print(report.line(outcomes[-1]), file=sys.stderr, flush=True)
    print(report.tables(outcomes))
    print(report.last_line(outcomes), flush=True)
    return 0 if report.all_holds(outcomes) else 1


def _steps(folder: Path, device: str, *, quick: bool) -> Iterator[Step]:
    """The most important ones first: time may run out."""
    seconds = "0.5" if quick else "2"
    names = ["raw", "kernel", "kernel-single", "pool", "pool-4"]
    if device != "cpu":
        names.insert(0, "memory")
        yield Step("tests", 120, running.python(*_CUDA_TESTS))
        yield Step("sandbox", 60, running.python(*_SANDBOX_TESTS))
    if not quick and device != "cpu":
        names += ["kernel-plain", "pool-2", "decoders-4", "decoders-2", "switch", "pool-plain"]
        names += ["pool-fp32", "alone", "pool-script"]
    for name in ("export", *names):
        command = running.python("benchmarks.gpu.step", name, str(folder), device, seconds)
        yield Step(name, 120 if name in ("export", "memory") else 60, command)


def _machine(device: str) -> str:
    asked = (
        "import torch, sys; d = sys.argv[1]; "
        "print(torch.cuda.get_device_name(d) if d != 'cpu' else 'CPU', ', torch ', "
        "torch.__version__, sep='')"
    )
    said = running.run("machine", [sys.executable, "-c", asked, device], 90).said
    return f"{said[-1] if said else 'no such device'}, {os.cpu_count()} cores"


if __name__ == "__main__":
    raise SystemExit(main())
