"""What must not go wrong: a corrupt photo, an end under load, too much load, a slow platform."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil

from benchmarks import platform as local
from benchmarks.serving import load, servers, workload
from benchmarks.serving.goals import Goals
from benchmarks.serving.servers import Running, Server

GONE_S = 3.0


def corrupt(server: Server, folder: Path, goals: Goals) -> None:
    """One corrupt photo among eight that come together."""
    photo = workload.photos(folder)[0]
    forms = [workload.form(photo, monitor=False)] * 7
    broken = workload.form(photo[: len(photo) // 3], monitor=False)
    with servers.running(server, folder) as running, ThreadPoolExecutor(8) as threads:
        rounds = []
        for _ in range(5):
            answers = list(threads.map(lambda form: _timed(running, form), [*forms, broken]))
            rounds.append((answers[-1], sum(code != 200 for code, _ in answers[:-1])))
    codes = {code for (code, _), _ in rounds}
    goals.at_most("G8", "other photos that failed", sum(bad for _, bad in rounds), 0)
    goals.at_most("G8", f"answer to the corrupt one ({codes})", _median(rounds), 50, " ms")
    goals.at_least("G8", "its status", min(codes), 400)
    goals.at_most("G8", "its status", max(codes), 499)


def _median(rounds: list[tuple[tuple[int, float], int]]) -> float:
    return float(np.median([took * 1e3 for (_, took), _ in rounds]))


def _timed(running: Running, form: bytes) -> tuple[int, float]:
    began = time.perf_counter()
    try:
        status = running.predict(form).status_code
    except httpx.HTTPError:
        status = 0
    return status, time.perf_counter() - began


def endings(server: Server, folder: Path, goals: Goals) -> None:
    """SIGTERM answers what is in flight; neither that nor SIGKILL leaves a process behind."""
    form = workload.form(workload.photos(folder)[0])
    with servers.running(server, folder) as running, ThreadPoolExecutor(8) as threads:
        left = running.tree()
        asked = [threads.submit(_timed, running, form) for _ in range(8)]
        time.sleep(0.02)
        began = time.perf_counter()
        os.kill(running.process.pid, signal.SIGTERM)
        answered = [one.result()[0] for one in asked]
        share = sum(code == 200 for code in answered) / len(answered)
        goals.at_least("G9", "SIGTERM: share of 8 in flight answered", share, 1.0)
        gone_s = _gone_s(left, began)
        goals.at_most("G9", "SIGTERM: until no process is left", gone_s, 10.0, " s")
    with servers.running(server, folder) as running:
        left, began = running.tree(), time.perf_counter()
        os.kill(running.process.pid, signal.SIGKILL)
        gone_s = _gone_s(left, began)
        goals.at_most("G9", "SIGKILL: until no process is left", gone_s, GONE_S, " s")


def _gone_s(processes: list[psutil.Process], began: float) -> float:
    while any(map(_lives, processes)) and time.perf_counter() - began < 20:
        time.sleep(0.01)
    return time.perf_counter() - began


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def overload(server: Server, folder: Path, seconds: float, goals: Goals) -> None:
    """Twice as many requests as it can answer, sent whatever it answers."""
    bodies = [(folder / f"{number}.unmonitored").read_bytes() for number in range(workload.PHOTOS)]
    with servers.running(server, folder) as running:
        load.step(running, folder, 32, 7, "unmonitored")
        peak = load.step(running, folder, 32, seconds, "unmonitored").per_s
        before = running.pss_mb()
        said = asyncio.run(load.open_loop(running, bodies, 2 * peak, seconds))
        after = running.pss_mb()
    good = sum(status == 200 for status, _ in said) / seconds
    refused = [took * 1e3 for status, took in said if status in (429, 503)]
    goals.at_least("G11", "goodput over the peak, at twice the load", good / peak, 0.9)
    took = float(np.percentile(refused, 95)) if refused else 0.0
    goals.at_most("G11", f"{len(refused)} refusals, p95", took, 50, " ms")
    goals.at_most("G11", "memory after over before", after / before, 1.1)
    other = sum(status not in (200, 429, 503) for status, _ in said)
    goals.at_most("G11", "other answers", other, 0)


def logging(server: Server, folder: Path, seconds: float, goals: Goals) -> None:
    """Predictions recorded in a real local platform, beside none recorded at all."""
    with tempfile.TemporaryDirectory() as home, local.running(Path(home)) as platform:
        deployment, _ = local.make_deployment(platform)
        where = ("--platform", platform.host, platform.token, deployment)
        with servers.running(server, folder, where) as running:
            load.step(running, folder, 8, 7, "unmonitored")
            off, on = [], []
            for _ in range(2):
                off.append(load.step(running, folder, 8, seconds, "unmonitored").per_s)
                on.append(load.step(running, folder, 8, seconds, "form").per_s)
            ratio = sum(on) / sum(off)
            goals.at_least("G13", "throughput with durable logging over without", ratio, 0.97)
            lost = _lost(running, platform, deployment)
            goals.at_most("G13", "predictions lost", lost, 0)


def _lost(running: Running, platform: local.Running, deployment: str) -> int:
    flush = running.url.removesuffix("predict") + "flush"
    asked: Callable[[], httpx.Response] = lambda: httpx.post(  # noqa: E731
        flush, json={"timeout_s": 20}, headers={"Authorization": running.headers["Authorization"]},
        timeout=30,
    )  # fmt: skip
    end = time.perf_counter() + 120
    while (backlog := asked().raise_for_status().json())["pending"]:
        if time.perf_counter() > end:
            return int(backlog["pending"])
    del platform, deployment
    return int(backlog["failed"])
