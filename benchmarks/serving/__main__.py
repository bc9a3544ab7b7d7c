"""`python -m benchmarks.serving [--quick] [--only NAME]`."""

from __future__ import annotations

import argparse
import functools
import os
import platform
import tempfile
from importlib import metadata
from pathlib import Path

from benchmarks.serving import batching, faults, load, servers, throughput, workload
from benchmarks.serving.goals import Goals
from benchmarks.serving.servers import OURS, SERVERS, Server
from benchmarks.serving.throughput import Seen

PARTS = ("servers", "batching", "corrupt", "endings", "overload", "logging")
QUICK = ("servers", "batching")
"""The corrupt photo is sent to the server that is measured."""
QUICK_SERVERS = (OURS, "FastAPI threads", "LitServe")
QUICK_LEAVES_OUT = (
    "G9, G11 and G13 (endings, overload, logging): --quick leaves them out",
    "G3 against Ray Serve, and peers with one client: --quick leaves them out",
    "G6 as the median of three starts: --quick takes one",
)


def main() -> int:
    """Measure, print the tables and the goals; 0 where those that were measured hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving")
    parser.add_argument("--quick", action="store_true", help="a minute; says what it leaves out")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help=f"one of {', '.join(PARTS)}, or a server: {', '.join(one.name for one in SERVERS)}",
    )
    parser.add_argument("--seconds", type=float, help="of each step")
    given = parser.parse_args()
    seconds = given.seconds or (1.0 if given.quick else 4.0)
    goals, found = Goals(), list[Seen]()
    if given.quick and not given.only:
        goals.left_out += QUICK_LEAVES_OUT
    print(_machine())
    with tempfile.TemporaryDirectory(prefix="serving") as folder:
        home = workload.make(Path(folder), program=True)
        for part in _parts(given.only, quick=given.quick):
            if part == "servers":
                chosen = _chosen(given.only, quick=given.quick)
                found = _servers(home, seconds, chosen, goals, quick=given.quick)
            else:
                _other(part, home, seconds, goals)
    print()
    goals.show()
    print(_short(found, goals))
    return 0 if goals.held else 1


def _parts(only: list[str] | None, *, quick: bool) -> list[str]:
    if not only:
        return list(QUICK if quick else PARTS)
    names = [one.name for one in SERVERS]
    parts = [part for part in PARTS if part in only]
    return ["servers", *parts] if any(name in only for name in names) else parts


def _chosen(only: list[str] | None, *, quick: bool) -> list[Server]:
    named = [one for one in SERVERS if one.name in (only or ())]
    return named or [one for one in SERVERS if not quick or one.name in QUICK_SERVERS]


def _servers(
    folder: Path, seconds: float, chosen: list[Server], goals: Goals, *, quick: bool
) -> list[Seen]:
    found = []
    for server in chosen:
        if not servers.is_here(server):
            goals.left_out.append(f"{server.name}: {server.package} is not in build/peers")
            continue
        corrupt = quick and server.name == OURS
        beside = functools.partial(faults.corrupt_one, folder=folder, goals=goals)
        found.append(
            throughput.measure(
                server, folder, seconds, quick=quick, beside=beside if corrupt else None
            )
        )
    throughput.show(found)
    throughput.judge(found, folder, goals, quick=quick)
    return found


def _other(part: str, folder: Path, seconds: float, goals: Goals) -> None:
    ours = SERVERS[0]
    if part == "batching":
        batching.measure(max(1.0, 0.5 * seconds), goals)
    elif part == "overload":
        faults.overload(ours, folder, seconds, goals)
    elif part == "logging":
        faults.logging(ours, folder, seconds, goals)
    else:
        {"corrupt": faults.corrupt, "endings": faults.endings}[part](ours, folder, goals)


def _machine() -> str:
    names = ("numpy", "pillow", "simplejpeg", "onnxruntime", "torch", "uvicorn", "starlette")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"{versions}; load by {load.generator()}\n"
    )


def _short(found: list[Seen], goals: Goals) -> str:
    held = sum(goal.held for goal in goals.measured)
    ours = next((seen for seen in found if seen.name == OURS), None)
    said = f"{held} of {len(goals.measured)} goals held"
    if ours is None:
        return said
    return (
        f"{ours.steps[8].per_s:.0f} req/s at c=8, {ours.ratio(8):.2f} of the limit "
        f"({ours.ratio(32):.2f} at c=32); {said}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
