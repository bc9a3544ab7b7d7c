"""What must not go wrong: a corrupt photo, an end under load, too much load, a slow platform."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
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
    """Start a server, and send it one corrupt photo among eight that come together."""
    with servers.running(server, folder) as running:
        corrupt_one(running, folder, goals)


def corrupt_one(running: Running, folder: Path, goals: Goals) -> None:
    """One corrupt photo among eight that come together."""
    photo = workload.photos(folder)[0]
    whole = workload.form(photo, monitor=False)
    broken = workload.form(photo[: len(photo) // 3], monitor=False)
    rounds = [asyncio.run(_together(running, [whole] * 7 + [broken])) for _ in range(9)]
    codes = {answers[-1][0] for answers in rounds}
    others = sum(status != 200 for answers in rounds for status, _ in answers[:-1])
    took = float(np.median([answers[-1][1] for answers in rounds])) * 1e3
    goals.at_most("G8", "other photos that failed", others, 0)
    goals.at_most("G8", f"answer {codes} to the corrupt one, sent last", took, 50, " ms")
    goals.at_least("G8", "its status", min(codes), 400)
    goals.at_most("G8", "its status", max(codes), 499)


async def _together(
    running: Running, forms: Sequence[bytes], once_sent: Callable[[], None] = lambda: None
) -> list[tuple[int, float]]:
    """Send all of them at once; status and seconds of each, status 0 where there is no answer."""
    connections = [load.Connection(running) for _ in forms]
    for connection in connections:
        await connection.open()
    asked = [
        asyncio.create_task(connection.ask(load.spelt(running, form)))
        for connection, form in zip(connections, forms, strict=True)
    ]
    await asyncio.sleep(0.02)
    once_sent()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for connection in connections:
        connection.close()
    return [(0, 0.0) if isinstance(answer, BaseException) else answer for answer in answers]


def endings(server: Server, folder: Path, goals: Goals) -> None:
    """SIGTERM answers what is in flight; neither that nor SIGKILL leaves a process behind."""
    forms = [workload.form(workload.photos(folder)[0])] * 16
    with servers.running(server, folder) as running:
        left, pid = running.tree(), running.process.pid
        term = functools.partial(os.kill, pid, signal.SIGTERM)
        answers = asyncio.run(_together(running, forms, term))
        began = time.perf_counter()
        share = sum(status == 200 for status, _ in answers) / len(answers)
        goals.at_least("G9", "SIGTERM: share of 16 in flight answered", share, 1.0)
        gone_s = _gone_s(left, began)
        goals.at_most("G9", "SIGTERM: until no process is left", gone_s, GONE_S, " s")
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
        said, wall = asyncio.run(load.open_loop(running, bodies, 2 * peak, seconds))
        after = running.pss_mb()
        peak = max(peak, load.step(running, folder, 32, seconds, "unmonitored").per_s)
    good = sum(status == 200 for status, _ in said) / wall
    refused = [took * 1e3 for status, took in said if status in (429, 503)]
    goals.reasons["G11"] = (
        "a refusal that has read its photo, as HTTP has it, costs the front a part of what an "
        "answer does, and the load's own client shares the cores"
    )
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
            off, on, slow = [], [], 0
            for _ in range(2):
                off.append(load.step(running, folder, 8, seconds, "unmonitored").per_s)
                on.append(load.step(running, folder, 8, 3 * seconds, "form").per_s)
                slow += _backlog(running, 0.0)["pending"]
                backlog = _backlog(running, 120.0)
            ratio = sum(on) / sum(off)
            goals.reasons["G13"] = (
                "a photo of 57 kB is written, synced and sent to a platform that runs on the same "
                "cores; with all of them busy each of these takes predictions away"
            )
            goals.at_least("G13", "throughput with durable logging over without", ratio, 0.97)
            goals.at_most("G13", "predictions lost", backlog["pending"] + backlog["failed"], 0)
            share = slow / (sum(on) * 3 * seconds)
            print(f"\nlogging: {share:.0%} of the predictions were still to be recorded at the end")


def _backlog(running: Running, within_s: float) -> dict[str, int]:
    """What is not recorded after so many seconds."""
    headers = {"Authorization": running.headers["Authorization"]}
    asked = httpx.post(
        running.url.removesuffix("predict") + "flush",
        json={"timeout_s": within_s},
        headers=headers,
        timeout=within_s + 10,
    )
    said: dict[str, int] = asked.raise_for_status().json()
    return said
