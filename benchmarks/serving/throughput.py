"""Workload A: servers beside the limit, at 1, 8 and 32 clients."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving import limit, load, servers
from benchmarks.serving.goals import Goals
from benchmarks.serving.limit import Limit, Loops
from benchmarks.serving.load import Step
from benchmarks.serving.servers import OURS, Running, Server

CLIENTS = (1, 8, 32)
BARE = (
    "import json, sys; from pathlib import Path; from benchmarks.serving import workload; "
    "from picsellia_jupyter.serving.engine import Engine; folder = Path(sys.argv[1]); "
    "engine = Engine.load(workload.request(folder, 'model.pt2')); "
    "engine.predict((folder / '0.jpg').read_bytes(), 'a', record=False)"
)
"""What a user's own script does to get one prediction."""


@dataclass(slots=True)
class Seen:
    """What one server did, beside its own limit."""

    name: str
    steps: dict[int, Step] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    plain: Limit | None = None
    """The limit of torch and Pillow, right after the last one."""
    first_s: float = 0.0
    pss_mb: float = 0.0
    idle_share: float | None = None
    processes: int = 0

    @property
    def limit_per_s(self) -> float:
        """The limit around its measurement."""
        return statistics.mean(one.per_s for one in self.limits)

    @property
    def limit_p50_ms(self) -> float:
        """Likewise."""
        return statistics.mean(one.p50_ms for one in self.limits)

    def ratio(self, clients: int) -> float:
        """Throughput in limits."""
        return self.steps[clients].per_s / self.limit_per_s


def measure(
    server: Server,
    folder: Path,
    seconds: float,
    *,
    quick: bool = False,
    beside: Callable[[Running], None] | None = None,
) -> Seen:
    """Measure one server, with the limit right before and right after.

    Quickly, a peer is not asked by one client, and how much CPU it takes while idle is not seen.

    Args:
        server: which.
        folder: of the workload.
        seconds: of each step.
        quick: as above.
        beside: what else is to be done with it while it runs, at the end.
    """
    ours = server.name == OURS
    seen = Seen(server.name)
    with servers.running(server, folder) as running:
        seen.first_s = running.first_s
        # They get warm beside it.
        loops = Loops(folder, seconds)
        plain = Loops(folder, seconds, plain=True) if ours else None
        _warm(running, folder, 1200 if ours else 200, quick=quick)
        with loops, plain or contextlib.nullcontext():
            seen.limits.append(loops.measure())
            for clients in CLIENTS if ours or not quick else CLIENTS[1:]:
                seen.steps[clients] = load.step(running, folder, clients, seconds)
            seen.limits.append(loops.measure())
            seen.plain = plain.measure() if plain else None
        seen.pss_mb, seen.processes = running.pss_mb(), len(running.tree())
        seen.idle_share = _idle_share(running, 1 if quick else 2) if ours or not quick else None
        if beside:
            beside(running)
    return seen


def _warm(running: Running, folder: Path, count: int, *, quick: bool) -> None:
    """Send some requests; our workers take up torch for resizing only after many."""
    end = time.perf_counter() + 60
    each_s = 1 if quick else 2
    while count > 0 and time.perf_counter() < end:
        count -= round(each_s * load.step(running, folder, 8, each_s).per_s)
    load.step(running, folder, 8, each_s)


def _idle_share(running: Running, seconds: float) -> float:
    cpu, began = running.cpu_s(), time.perf_counter()
    time.sleep(seconds)
    return (running.cpu_s() - cpu) / (time.perf_counter() - began)


def show(found: list[Seen]) -> None:
    """Print the table."""
    print(
        "| server | c | req/s | x limit | p50 ms | p95 | p99 | CPU ms/req | failed "
        "| first prediction s | PSS MB | processes | idle CPU |"
    )
    print("|---|" + "---:|" * 12)
    for seen in found:
        idle = "" if seen.idle_share is None else f"{seen.idle_share:.1%}"
        for clients, step in seen.steps.items():
            first = clients == min(seen.steps)
            rest = f"{seen.first_s:.2f} | {seen.pss_mb:.0f} | {seen.processes} | {idle}"
            print(
                f"| {seen.name} | {clients} | {step.per_s:.0f} | {seen.ratio(clients):.2f} "
                f"| {step.p50_ms:.1f} | {step.p95_ms:.1f} | {step.p99_ms:.1f} "
                f"| {step.cpu_ms:.2f} | {step.failed} | {rest if first else ' | | | '} |"
            )
    limits = [one for seen in found for one in seen.limits]
    spread = sorted(one.per_s for one in limits)
    print(
        f"\nlimit of {limit.PROCESSES} processes: median {statistics.median(spread):.0f} req/s "
        f"({spread[0]:.0f} to {spread[-1]:.0f}), "
        f"{statistics.median(one.p50_ms for one in limits):.1f} ms, "
        f"{statistics.median(one.cpu_ms for one in limits):.1f} ms of CPU"
    )


def judge(found: list[Seen], folder: Path, goals: Goals, *, quick: bool = False) -> None:
    """Hold what was seen against G1 to G4, G6 and G7."""
    ours = next((seen for seen in found if seen.name == OURS), None)
    if ours is None:
        return
    goals.reasons |= _reasons(ours)
    for clients in (8, 32):
        goals.at_least("G1", f"x limit at c={clients}", ours.ratio(clients), 0.90)
    if ours.plain:
        fast = ours.ratio(8) * ours.limits[-1].per_s / ours.plain.per_s
        goals.at_least("G2", "x the limit of torch and Pillow, at c=8", fast, 1.2)
    _beside_peers(ours, found, goals)
    over = ours.steps[1].p50_ms - ours.limit_p50_ms
    goals.at_most("G4", "p50 at c=1 less the limit's", over, 1.0, " ms")
    tail = ours.steps[32].p99_ms / ours.steps[32].p50_ms
    goals.at_most("G4", "p99 over p50 at c=32", tail, 2.0)
    started = _start(folder, 1 if quick else 3)
    goals.at_most("G6", "first prediction over that of a bare script, torch", started, 1.1)
    goals.at_most("G7", "CPU while idle", (ours.idle_share or 0.0) * 100, 0.5, " %")
    goals.at_most(
        "G7", "PSS a worker over an engine's", ours.pss_mb / 2 / limit.pss_mb(folder), 1.3
    )


def _reasons(ours: Seen) -> dict[str, str]:
    limit_ms = statistics.mean(one.cpu_ms for one in ours.limits)
    spent_ms = min(ours.steps[clients].cpu_ms for clients in (8, 32))
    over = (
        f"a request takes {spent_ms:.1f} ms of CPU, {spent_ms - limit_ms:.1f} more than the "
        f"limit's {limit_ms:.1f}: HTTP, tokens, checks and sockets in Python, and its photo on "
        "disk before it is answered"
    )
    apart = "; a peer has neither sandbox nor tokens, nor does it keep anything"
    return {
        "G1": f"{over}; 0.90 leaves {limit_ms / 9:.1f} ms",
        "G2": over,
        "G3": over + apart,
        "G4": "one client waits for the disk with every photo, about 0.4 ms, and for two processes",
    }


def _beside_peers(ours: Seen, found: list[Seen], goals: Goals) -> None:
    for family, bounds in (
        ("LitServe", (1.25, 1.25)),
        ("FastAPI", (1.25, 1.4)),
        ("Ray", (1.15,) * 2),
    ):
        peers = [seen for seen in found if seen.name.startswith(family)]
        if not peers:
            goals.left_out.append(
                f"G3 against {family}: not installed (make bench-peers), or --quick"
            )
            continue
        for clients, bound in zip((8, 32), bounds, strict=True):
            best = max(seen.ratio(clients) for seen in peers)
            ratio = ours.ratio(clients) / best
            goals.at_least(
                "G3",
                f"x {family}'s best at c={clients}",
                ratio,
                bound,
                beside=f"{family} {best:.2f} of the limit, ours {ours.ratio(clients):.2f}",
            )


def _start(folder: Path, times: int) -> float:
    """Seconds to our first prediction over those of a script, both with a program of torch."""
    ours, bare = [], []
    server = Server("started", "benchmarks.serving.kernel", ("--model", "model.pt2"))
    for _ in range(times):
        with servers.running(server, folder) as running:
            ours.append(running.first_s)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", BARE, str(folder)], check=True, cwd=servers.ROOT)
        bare.append(time.perf_counter() - began)
    return statistics.median(ours) / statistics.median(bare)
