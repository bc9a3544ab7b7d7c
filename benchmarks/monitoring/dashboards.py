"""Dashboards of 30 days as predictions grow, over HTTP from a platform in its own process.

The predictions are rows of the database like any others, spread evenly over 30 days, and are
added up before, by the platform's own code in larger transactions. Goals: at most 1 s at the
largest size, and at most 1.5 x what the smallest takes.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np

from benchmarks.platform import Running, make_deployment, running
from benchmarks.serving.goals import Goals
from picsellia_jupyter.localplatform.bootstrap import open_platform
from picsellia_jupyter.localplatform.folding import fold

GOAL_S, GOAL_GROWTH = 1.0, 1.5
SIZES, QUICK_SIZES = (10**5, 10**6, 10**7), (10**5, 3 * 10**5)
RANGE_S = 30 * 86_400.0
CHUNK = 50_000
ADDED_AT_ONCE = 50_000
"""Predictions of one transaction while the data are made; a platform takes a tenth of it."""
RAW = (
    '{"detection_classes": [1, 0, 1], "detection_scores": [0.9, 0.8, 0.7], '
    '"detection_boxes": [[10, 10, 60, 60], [100, 200, 180, 300], [300, 20, 400, 90]]}'
)
"""What the map of shapes reads, of the newest images."""
INSERTS = {
    "prediction": (
        "id, created_at, deployment_id, is_shadow, oracle_prediction_id, model_version_id, at, "
        "latency, width, height, tags, classes, scores, raw"
    ),
    "pending_rollup": "number, prediction_id",
}
ASKED = {"dashboard": "report", "drift": "drift", "labels beside training": "distribution"}
"""What is asked by its route; the dashboard is everything that `d.dashboard()` shows."""


def run(goals: Goals, *, quick: bool) -> None:
    """Measure, print, and note the goals."""
    sizes, rounds = (QUICK_SIZES, 5) if quick else (SIZES, 15)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        clients = []
        print("\n| predictions | inserted s | added up s | per s | rollups MB |")
        print("|---:|---:|---:|---:|---:|")
        for size in sizes:
            home = Path(folder) / f"{size}"
            deployment = furnished(home, size)
            platform = stack.enter_context(running(home))
            client = stack.enter_context(platform.client())
            clients.append((platform, client, f"/api/local/deployments/{deployment}"))
        times, cpu = _asked(clients, rounds)
    print(f"\n| 30 days, CPU ms; wall ms | {' | '.join(f'{size:,}' for size in sizes)} |")
    print(f"|---|{'---:|' * len(sizes)}")
    for name, row in times.items():
        cells = (f"{used:.0f}; {ms:.0f}" for used, ms in zip(cpu[name], row, strict=True))
        print(f"| {name} | {' | '.join(cells)} |")
    drawn = times["dashboard"]
    goals.at_most(
        "DA1", f"dashboard of 30 days at {sizes[-1]:,} predictions", drawn[-1] / 1e3, GOAL_S, " s"
    )
    goals.at_most(
        "DA2", f"the same, of that at {sizes[0]:,}", drawn[-1] / drawn[0], GOAL_GROWTH, " x"
    )


Times = dict[str, list[float]]
"""Milliseconds at each size, by what is asked."""


def _asked(clients: list[tuple[Running, httpx.Client, str]], rounds: int) -> tuple[Times, Times]:
    """The smallest wall time of some rounds, and the mean of what the platform's CPUs used.

    The sizes are asked in turns.
    """
    best = {name: [float("inf")] * len(clients) for name in ASKED}
    used = {name: [0.0] * len(clients) for name in ASKED}
    since = time.time() - RANGE_S
    for name, path in ASKED.items():
        for _ in range(rounds):
            for place, (platform, client, base) in enumerate(clients):
                cpu, begun = platform.cpu_s(), time.perf_counter()
                reply = client.get(f"{base}/{path}", params={"from_timestamp": since})
                reply.raise_for_status()
                took = (time.perf_counter() - begun) * 1e3
                best[name][place] = min(best[name][place], took)
                used[name][place] += (platform.cpu_s() - cpu) * 1e3 / rounds
    return best, used


def furnished(home: Path, size: int) -> str:
    """A data directory with so many predictions, added up; its deployment's id."""
    with running(home) as platform:
        deployment, _ = make_deployment(platform)
    begun = time.perf_counter()
    with sqlite3.connect(home / "platform.sqlite3", isolation_level=None) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{2**19}"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        known = "SELECT model_version_id FROM deployment WHERE id = ?"
        (version,) = connection.execute(known, [deployment]).fetchone()
        for rows in _rows(size, deployment, version):
            for table, names in INSERTS.items():
                marks = ", ".join("?" * len(rows[table][0]))
                connection.executemany(
                    f"INSERT INTO {table} ({names}) VALUES ({marks})", rows[table]
                )
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    filled = time.perf_counter()
    here, _ = open_platform(home, token=None, clock=time.time, started_at=time.time())
    while fold(here, at_once=ADDED_AT_ONCE):
        pass
    here.store.close()
    done = time.perf_counter()
    with sqlite3.connect(home / "platform.sqlite3") as connection:
        query = "SELECT sum(length(tally)) FROM rollup"
        megabytes = connection.execute(query).fetchone()[0] / 1e6
    connection.close()
    print(
        f"| {size:,} | {filled - begun:.0f} | {done - filled:.0f} "
        f"| {size / (done - filled):,.0f} | {megabytes:.1f} |",
        flush=True,
    )
    return deployment


def _rows(
    size: int, deployment: str, version: str
) -> Iterator[dict[str, list[tuple[object, ...]]]]:
    """Rows in the order of time; ids in their order too, which spares the indexes."""
    random = np.random.default_rng(size)
    begin = time.time() - RANGE_S
    for start in range(0, size, CHUNK):
        count = min(CHUNK, size - start)
        at = begin + (start + np.arange(count)) * (RANGE_S / size)
        latency = random.lognormal(-3.5, 0.4, count)
        classes = random.integers(0, 10, (count, 3))
        scores = np.sort(random.beta(4, 2, (count, 3)))[:, ::-1].copy()
        ids = [
            f"{number:08x}-0000-4000-8000-000000000000" for number in range(start, start + count)
        ]
        yield {
            "prediction": [
                (
                    ids[k], at[k], deployment, False, ids[k], version, at[k], latency[k], 640, 480,
                    "[]", classes[k].tobytes(), scores[k].tobytes(), RAW,
                )
                for k in range(count)
            ],
            "pending_rollup": [(start + k + 1, ids[k]) for k in range(count)],
        }  # fmt: skip
