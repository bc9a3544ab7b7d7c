"""What the local platform bears: predictions per second, and answers as it fills up.

A platform in a process of its own, on a fresh data directory with SQLite's `synchronous=FULL`;
clients are connections of this process that each wait for one answer before they send again.

- *Ingest*: acknowledged predictions per second with 1 and 32 clients; goal without images and
  with 32 clients: at least 1,000.
- *Filling up*: the same questions to databases of 10^4, 10^5 and 10^6 predictions that all have
  the same last day. Goal: the day's summary costs at most 1.5 x as much in the largest as in the
  one before it.
- *Start*: from the command to the first answer, less what importing costs; goal: at most 1 s.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks.serving.goals import Goals
from picsellia_jupyter.localplatform.bootstrap import open_platform
from picsellia_jupyter.localplatform.folding import fold_all

GOAL_PER_S = 1000.0
GOAL_GROWTH = 1.5
GOAL_START_S = 1.0
DAY_S = 86400.0
IN_A_DAY = 2000
"""Predictions of the last day, in every database."""
CHUNK = 10_000
CACHE_KIB = 2**19
"""Of SQLite while it is filled: ids are random, so each row touches all of every index."""
PATIENCE_S = 4.0
"""Longest that one question is asked for, but once in any case."""
RAW = {
    "detection_classes": [1, 0, 1], "detection_scores": [0.9, 0.6, 0.2],
    "detection_boxes": [[2, 1, 20, 30], [5, 6, 7, 8], [9, 9, 19, 19]],
}  # fmt: skip
IMPORTS = (
    "import picsellia_jupyter.localplatform.__main__, picsellia_jupyter.localplatform.app, "
    "picsellia_jupyter.localplatform.bootstrap, picsellia_jupyter.localplatform.server"
)


# A platform ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Running:
    """A local platform in a process of its own."""

    host: str
    token: str
    pid: int

    def client(self) -> httpx.Client:
        """A caller with the API token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.host, headers=headers, timeout=300)

    def cpu_s(self) -> float:
        """CPU seconds it has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def running(home: Path) -> Iterator[Running]:
    """A platform on this data directory, stopped at the end."""
    command = [sys.executable, "-m", "picsellia_jupyter.localplatform", "--home", str(home)]
    process = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Running(said["host"], said["token"], process.pid)
    finally:
        process.terminate()
        process.wait()


def make_deployment(platform: Running) -> tuple[str, str]:
    """A deployment's id and a token for its monitoring."""
    with platform.client() as user:
        organization = user.get("/api/home/ping").json()["default_organization"]
        models = f"/api/organization/{organization}/models"
        model = user.post(models, json={"name": "benchmark"}).json()["id"]
        settings = {"type": "OBJECT_DETECTION", "labels": {"0": "zero", "1": "one"}}
        version = user.post(f"/api/model/{model}/versions", json=settings).json()["id"]
        made = user.post(f"/api/model/version/{version}/deploy", json={"min_threshold": 0.4})
        deployment = str(made.json()["id"])
        login = {"api_token": platform.token, "deployment_id": deployment}
        return deployment, str(user.post("/api/auth/login", json=login).json()["jwt"])


# Ingest --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ingest:
    """How predictions went in."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    """Of the platform, per prediction."""


def ingest(
    platform: Running, deployment: tuple[str, str], *, clients: int, n: int, image: bool
) -> Ingest:
    """Send `n` predictions through so many clients."""
    requests = [_request(platform, deployment, image=image) for _ in range(n)]
    shares = [requests[k::clients] for k in range(clients)]
    cpu, begun = platform.cpu_s(), time.perf_counter()
    latencies = asyncio.run(_send_all(platform.host, shares))
    elapsed = time.perf_counter() - begun
    p50, p99 = np.percentile(latencies, (50, 99)) * 1e3
    return Ingest(n / elapsed, float(p50), float(p99), (platform.cpu_s() - cpu) / n * 1e3)


async def _send_all(host: str, shares: Sequence[Sequence[bytes]]) -> list[float]:
    latencies = await asyncio.gather(*(_send(host, share) for share in shares))
    return [one for share in latencies for one in share]


async def _send(host: str, requests: Sequence[bytes]) -> list[float]:
    # No HTTP library: it would take as much of the machine as the platform does.
    address, _, port = host.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    latencies = []
    for request in requests:
        begun = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 201"):
            raise RuntimeError(f"The platform answered {head.decode()}")
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        latencies.append(time.perf_counter() - begun)
    writer.close()
    return latencies


def _request(platform: Running, deployment: tuple[str, str], *, image: bool) -> bytes:
    body: dict[str, Any] = {
        "filename": "page.png", "content_type": "IMAGE/PNG", "width": 64, "height": 64,
        "latency": 0.0125, "sample": image, "custom_metadata": {"picsellia_jupyter_id": _uuid()},
        "raw_predictions": RAW,
    }  # fmt: skip
    if image:
        body["image"] = _image()
    content = json.dumps(body).encode()
    head = (
        f"POST /api/deployment/{deployment[0]}/predictions HTTP/1.1\r\n"
        f"Host: {platform.host.removeprefix('http://')}\r\n"
        f"Authorization: Bearer {deployment[1]}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _image() -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.effect_noise((64, 64), 40).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def _uuid() -> str:
    return str(uuid.uuid4())


# Filling up ----------------------------------------------------------------------------------


def fill(home: Path, deployment: str, n: int) -> None:
    """Put `n` predictions with their assets into a stopped platform's database.

    Nobody else has it open and a fault would only mean to begin again, so nothing is synced.
    """
    with sqlite3.connect(home / "platform.sqlite3", isolation_level=None) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        known = "SELECT target_datalake_id, model_version_id FROM deployment WHERE id = ?"
        lake, version = connection.execute(known, [deployment]).fetchone()
        for start in range(0, n, CHUNK):
            numbers = range(start, min(start + CHUNK, n))
            for table, rows in _rows(numbers, n, deployment, lake, version).items():
                names = ", ".join(rows[0])
                marks = ", ".join("?" * len(rows[0]))
                insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"
                connection.executemany(insert, [list(row.values()) for row in rows])
        connection.execute("UPDATE deployment SET inferences = ? WHERE id = ?", [n, deployment])
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    # What a platform does as predictions come; else the first question would have to wait for it.
    opened, _ = open_platform(home, token=None, clock=time.time, started_at=time.time())
    fold_all(opened)
    opened.store.close()


def _rows(
    numbers: range, n: int, deployment: str, lake: str, version: str
) -> dict[str, list[dict[str, Any]]]:
    classes = np.array([1, 0, 1], dtype=np.int64).tobytes()
    scores = np.array([0.9, 0.6, 0.2], dtype=np.float64).tobytes()
    raw = json.dumps(RAW)
    tables = "data", "predicted_asset", "prediction", "pending_rollup"
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in tables}
    for number in numbers:
        at, one, other = time.time() - (n - number) * DAY_S / IN_A_DAY, _uuid(), _uuid()
        oracle, own = _uuid(), _uuid()
        rows["pending_rollup"].append({"number": number + 1, "prediction_id": own})
        rows["data"].append({
            "id": one, "created_at": at, "datalake_id": lake, "filename": f"{number}.png",
            "object_name": f"data/{uuid.uuid4().hex}.png", "type": "IMAGE",
            "content_type": "image/png", "upload_status": "DONE", "width": 64, "height": 64,
        })  # fmt: skip
        rows["predicted_asset"].append({
            "id": other, "created_at": at, "deployment_id": deployment, "data_id": one,
            "oracle_prediction_id": oracle, "review_state": "TO_REVIEW",
        })  # fmt: skip
        rows["prediction"].append({
            "id": own, "created_at": at, "deployment_id": deployment, "is_shadow": False,
            "oracle_prediction_id": oracle, "model_version_id": version, "at": at,
            "predicted_asset_id": other, "latency": 0.0125, "width": 64, "height": 64,
            "tags": "[]", "classes": classes, "scores": scores, "raw": raw,
        })  # fmt: skip
    return rows


Questions = dict[str, Callable[[], httpx.Response]]


def questions(platform: Running, deployment: str) -> Questions:
    """What is asked of a database, by name."""
    user, oracle = platform.client(), platform.client()
    login = {"api_token": platform.token, "deployment_id": deployment}
    token = user.post("/api/auth/login", json=login).json()["jwt"]
    oracle.headers["Authorization"] = f"Bearer {token}"
    one = f"/api/deployment/{deployment}"
    day = {"since": str(DAY_S)}
    metrics, labels = {"service": "metrics"}, {"service": "label_distribution", **day}
    return {
        "summary of a day": lambda: oracle.get(f"{one}/stats", params={**metrics, **day}),
        "labels of a day": lambda: oracle.get(f"{one}/stats", params=labels),
        "log of a day": lambda: oracle.get(f"{one}/predictions/stats", params={**metrics, **day}),
        "1,000 newest assets": lambda: user.get(f"{one}/predictedassets", params={"limit": 1000}),
        "summary of all": lambda: oracle.get(f"{one}/stats", params=metrics),
    }


def answers(asked: Sequence[Questions], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each question to each database, the smallest of some rounds.

    The databases are asked in turns: other work on the machine must not tell them apart.
    """
    best = {name: [float("inf")] * len(asked) for name in asked[0]}
    for name, times in best.items():
        until = time.perf_counter() + PATIENCE_S
        for done in range(rounds):
            if done and time.perf_counter() > until:
                break
            for place, one in enumerate(asked):
                begun = time.perf_counter()
                one[name]().raise_for_status()
                elapsed = (time.perf_counter() - begun) * 1e3
                times[place] = min(times[place], elapsed)
    return best


# Start ---------------------------------------------------------------------------------------


def start_s(home: Path, rounds: int) -> tuple[float, float]:
    """Seconds from the command to the first answer, and of the imports alone; the smallest."""
    starts, imports = [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        with running(home) as platform:
            httpx.get(f"{platform.host}/health").raise_for_status()
            starts.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTS], check=True)
        imports.append(time.perf_counter() - begun)
    return min(starts), min(imports)


# All of it -----------------------------------------------------------------------------------


def measure_ingest(folder: Path, *, quick: bool) -> float:
    """Print the table of ingest; predictions per second without images and with 32 clients."""
    print("| ingest | clients | per s | p50 ms | p99 ms | platform's CPU ms |")
    print("|---|---:|---:|---:|---:|---:|")
    goal = 0.0
    with running(folder / "ingest") as platform:
        deployment = make_deployment(platform)
        ingest(platform, deployment, clients=8, n=200, image=True)
        for image, clients, n in (
            (False, 1, 200), (False, 32, 4000), (True, 1, 100), (True, 32, 500),
        ):  # fmt: skip
            total = n if quick else 4 * n
            seen = ingest(platform, deployment, clients=clients, n=total, image=image)
            what = "a 64 x 64 PNG" if image else "no image"
            print(
                f"| {what} | {clients} | {seen.per_s:.0f} | {seen.p50_ms:.1f} "
                f"| {seen.p99_ms:.1f} | {seen.cpu_ms:.2f} |"
            )
            if not image and clients == 32:
                goal = seen.per_s
    return goal


def measure_filling(folder: Path, sizes: Sequence[int], rounds: int) -> tuple[float, float]:
    """Print the table of answers; growth of the day's summary, and start less imports in s."""
    with ExitStack() as stack:
        asked = []
        for size in sizes:
            home = folder / str(size)
            with running(home) as platform:
                deployment, _ = make_deployment(platform)
            fill(home, deployment, size)
            asked.append(questions(stack.enter_context(running(home)), deployment))
        found = answers(asked, rounds)
    print(
        "\n| ms with so many predictions |", *(f"{size:,} |" for size in sizes), "last : before |"
    )
    print("|---|" + "---:|" * (len(sizes) + 1))
    for name, times in found.items():
        cells = " | ".join(f"{one:.1f}" for one in times)
        print(f"| {name} | {cells} | {times[-1] / times[-2]:.2f} |")
    started, imported = start_s(folder / str(sizes[-1]), rounds=3)
    print(f"\nfirst answer after {started:.2f} s, of which imports {imported:.2f} s")
    day = found["summary of a day"]
    return day[-1] / day[-2], started - imported


def main() -> int:
    """Measure, print the tables and the figures; 0 where the goals hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a minute: up to 10^5 predictions")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        per_s = measure_ingest(Path(folder), quick=quick)
        sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
        growth, start = measure_filling(Path(folder), sizes, rounds=5 if quick else 10)
    goals = Goals()
    goals.at_least("PF1", "durable predictions of 32 clients", per_s, GOAL_PER_S, "/s")
    what = "a day's summary with ten times the predictions"
    goals.at_most("PF2", what, growth, GOAL_GROWTH, " x")
    goals.at_most("PF3", "first answer, less what importing costs", start, GOAL_START_S, " s")
    goals.show()
    return 0 if goals.held else 1


if __name__ == "__main__":
    sys.exit(main())
