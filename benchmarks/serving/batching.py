"""Workload B: what batching does on a simulated accelerator, behind pool and worker.

Without HTTP: calls are made to the pool of the serving kernel from one event loop, which is where
its front makes them.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import numpy as np

from benchmarks.serving import device, servers
from benchmarks.serving.goals import Goals
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.pool import Pool

CLIENTS = (1, 2, 4, 8, 16, 32)
PHOTO = b"a photo that nobody decodes"


def measure(seconds: float, goals: Goals) -> None:
    """Print the table, and hold it against G5."""
    # Workers start in an empty folder; what they run here is no installed module.
    os.environ["PYTHONPATH"] = str(servers.ROOT)
    request = LoadRequest(Path("nowhere"), None, InferenceType.CLASSIFICATION)
    pool = Pool(request, lambda *_: None, lambda _: None, workers=1, module=device.MODULE)
    pool.start()
    print(
        "\n| simulated accelerator | c | req/s | x ideal | p50 ms | p99 ms |\n|---|" + "---:|" * 5
    )
    try:
        asyncio.run(_closed(pool, 8, 0.5))
        for clients in CLIENTS:
            per_s, p50, p99 = asyncio.run(_closed(pool, clients, seconds))
            ratio = per_s / device.ideal_per_s(clients)
            print(f"| pool | {clients} | {per_s:.0f} | {ratio:.2f} | {p50:.1f} | {p99:.1f} |")
            if clients > 1:
                bound = 0.93 if clients >= 16 else 0.85
                goals.at_least("G5", f"x ideal at c={clients}", ratio, bound)
            else:
                over = p50 - (device.CALL_S + device.IMAGE_S) * 1e3
                goals.at_most("G5", "p50 at c=1 less the ideal's", over, 1.0, " ms")
    finally:
        pool.stop()


async def _closed(pool: Pool, clients: int, seconds: float) -> tuple[float, float, float]:
    times: list[float] = []
    began = time.perf_counter()

    async def client() -> None:
        while (start := time.perf_counter()) - began < seconds:
            await pool.awaiter.result(pool.submit(PHOTO, "a.jpg", record=False))
            times.append(time.perf_counter() - start)

    await asyncio.gather(*(client() for _ in range(clients)))
    wall = time.perf_counter() - began
    p50, p99 = np.percentile(times, (50, 99)) * 1e3
    return len(times) / wall, float(p50), float(p99)
