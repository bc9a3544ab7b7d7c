"""`python -m benchmarks.places [--quick] [--rounds N]`."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from benchmarks.places import journey, load, on_ray
from benchmarks.places.bystander import Bystander
from benchmarks.places.load import Seen
from benchmarks.places.ways import (
    BEHIND_GATEWAY,
    DIRECT,
    KERNEL_GATEWAY,
    PROXY,
    RAY,
    TUNNEL,
    Way,
    ways,
)
from benchmarks.serving.goals import Goals
from picsellia_jupyter.clients.jupyter import JupyterClient

CLIENTS = (1, 8, 16)
P50_MS = {DIRECT: 8.0, TUNNEL: 12.0, PROXY: 12.0, KERNEL_GATEWAY: 20.0, BEHIND_GATEWAY: 20.0}
"""Goals with one client."""
Table = dict[str, dict[int, Seen]]


def main() -> int:
    """Measure, print the table and the goals; 0 where those that were measured hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.places")
    parser.add_argument("--quick", action="store_true", help="one short round, within a minute")
    parser.add_argument("--rounds", type=int, help="of which the median counts")
    given = parser.parse_args()
    rounds = given.rounds or (1 if given.quick else 3)
    counts = (100, 320, 480) if given.quick else (400, 2400, 4000)
    goals = Goals()
    with tempfile.TemporaryDirectory(prefix="places") as folder, ways(Path(folder)) as found:
        table = _measure(found, dict(zip(CLIENTS, counts, strict=True)), rounds)
        _judge(table, goals)
        tunnel = next(way for way in found if way.name == TUNNEL)
        _while_a_cell_runs(tunnel, goals)
        _unseen(tunnel, goals)
        _on_ray(found, goals, counts[0] * 2)
    with tempfile.TemporaryDirectory(prefix="places") as folder:
        journey.judge(Path(folder), goals, rounds)
    _show(table)
    goals.show()
    print(_short(table, goals))
    return 0 if goals.held else 1


def _measure(found: Sequence[Way], counts: dict[int, int], rounds: int) -> Table:
    # Round by round, so that what else runs on the machine falls on all alike.
    seen: dict[tuple[str, int], list[Seen]] = {}
    for _ in range(rounds):
        for way in found:
            for clients, n in counts.items():
                one = load.measure(way.url, way.headers, clients, n)
                seen.setdefault((way.name, clients), []).append(one)
    table: Table = {}
    for (name, clients), those in seen.items():
        table.setdefault(name, {})[clients] = Seen(
            statistics.median(one.p50_ms for one in those),
            statistics.median(one.p99_ms for one in those),
            statistics.median(one.per_s for one in those),
        )
    return table


def _judge(table: Table, goals: Goals) -> None:
    for name, seen in table.items():
        if name == RAY:
            continue  # what it costs is Ray's own; its goal is that more replicas pay
        goals.at_most("P1", f"{name}, p50 of one client", seen[1].p50_ms, P50_MS[name], " ms")
        marked = 40.0 <= seen[1].p50_ms <= 60.0
        goals.at_most("P2", f"{name}, Nagle's mark (a p50 of 40 to 60 ms)", float(marked), 0)
    goals.at_most("P3", "tunnel, p99 of 8 clients", table[TUNNEL][8].p99_ms, 60.0, " ms")
    goals.at_least("P4", "tunnel, requests with 16 clients", table[TUNNEL][16].per_s, 400.0, "/s")


def _while_a_cell_runs(way: Way, goals: Goals) -> None:
    cell = "import time; time.sleep(2)"
    arguments = (way.kernel_id, cell, "1")
    execute = JupyterClient(way.server).execute
    running = threading.Thread(target=execute, args=arguments, kwargs={"timeout_s": 30})
    running.start()
    seen = load.measure(way.url, way.headers, 1, 30)
    during = running.is_alive()
    running.join()
    if during:
        goals.at_most("P5", "tunnel, p50 while a cell runs", seen.p50_ms, 50.0, " ms")
    else:
        goals.left_out.append("answers while a cell runs: the requests took longer than the cell")


def _on_ray(found: Sequence[Way], goals: Goals, requests: int) -> None:
    way = next((way for way in found if way.name == RAY), None)
    if way is None:
        goals.left_out.append("Ray Serve, which is not installed")
    else:
        on_ray.judge_replicas(way.url.removesuffix("/toy"), goals, requests)


def _unseen(way: Way, goals: Goals) -> None:
    bystander = Bystander(way.server, way.kernel_id)
    bystander.frames()
    load.measure(way.url, way.headers, 4, 100)
    goals.at_most("P6", "frames that somebody else sees", float(len(bystander.frames())), 0)
    bystander.close()


def _show(table: Table) -> None:
    heads = "".join(f"   c={n:<3} p50   p99 ms     req/s" for n in CLIENTS)
    print(f"{'way':<32}{heads}  x direct (c=1 p50, c=16 req/s)")
    direct = table[DIRECT]
    for name, seen in table.items():
        cells = "".join(
            f"{seen[n].p50_ms:>12.1f}{seen[n].p99_ms:>9.1f}{seen[n].per_s:>10.0f}" for n in CLIENTS
        )
        slower = seen[1].p50_ms / direct[1].p50_ms
        print(f"{name:<32}{cells}  {slower:.2f}, {seen[16].per_s / direct[16].per_s:.2f}")
    print()


def _short(table: Table, goals: Goals) -> str:
    """The last line."""
    figures = ", ".join(
        f"{name} {seen[1].p50_ms:.1f} ms {seen[16].per_s:.0f}/s" for name, seen in table.items()
    )
    missed = [goal.what for goal in goals.measured if not goal.held]
    verdict = f"missed: {'; '.join(missed)}" if missed else "all goals held"
    return f"places: {figures}; {verdict}"


if __name__ == "__main__":
    raise SystemExit(main())
