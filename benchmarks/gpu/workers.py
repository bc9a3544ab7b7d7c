"""Workers behind the queue, without HTTP: calls are made from one event loop, as the front does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.gpu import card, rows
from benchmarks.serving import servers

ANSWERED_S = 60.0
READY_S = 60.0


@dataclass(slots=True)
class Load:
    """What clients saw."""

    times: list[float] = field(default_factory=list)
    """Seconds of each answer."""
    sizes: list[int] = field(default_factory=list)
    """Of the batches that photos were in."""
    failures: list[Exception] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def batch(self) -> float:
        """Photos in a batch, in the mean over photos."""
        return statistics.mean(self.sizes) if self.sizes else 0.0

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return len(self.times) / self.wall_s


@contextlib.contextmanager
def pooled(
    request: Any, photo: bytes, *, workers: int = 1, module: str | None = None
) -> Iterator[tuple[Any, list[str]]]:
    """A pool that has the model in so many workers, and the lines that they print.

    Raises:
        RuntimeError: they are not all ready in time.
    """
    from picsellia_jupyter.serving.pool import Pool
    from picsellia_jupyter.serving.process import MODULE

    # A worker starts in the root folder.
    os.environ["PYTHONPATH"] = servers.python_path()
    lines: list[str] = []
    pool = Pool(
        request, lambda *_: None, lines.append, workers=workers, photo=photo,
        module=module or MODULE,
    )  # fmt: skip
    try:
        began = time.perf_counter()
        pool.start()
        pool.grow()
        while pool.numbers().ready < workers:
            if time.perf_counter() - began > READY_S:
                told = "\n".join(lines[-5:])
                raise RuntimeError(f"{pool.numbers().ready} of {workers} workers serve: {told}")
            time.sleep(0.05)
        yield pool, lines
    finally:
        pool.stop()


def load(pool: Any, encoded: Sequence[bytes], clients: int, seconds: float) -> Load:
    """A closed loop: each client waits for its answer before it sends again."""
    seen = Load()
    began = time.perf_counter()

    async def client(number: int) -> None:
        while (start := time.perf_counter()) - began < seconds:
            photo = encoded[(number + len(seen.times)) % len(encoded)]
            try:
                future = pool.submit(photo, "a.jpg", record=False, timeout_s=ANSWERED_S)
                reply = await asyncio.wrap_future(future)
            except Exception as error:  # noqa: BLE001 - they are counted
                seen.failures.append(error)
                await asyncio.sleep(0.01)
                continue
            seen.times.append(time.perf_counter() - start)
            seen.sizes.append(reply.timing.batch)

    async def together() -> None:
        await asyncio.gather(*(client(number) for number in range(clients)))

    asyncio.run(together())
    seen.wall_s = time.perf_counter() - began
    return seen


def behind(
    pool: Any, what: str, encoded: Sequence[bytes], clients: Sequence[int], seconds: float
) -> Iterator[rows.Row]:
    """The pool at every concurrency."""
    load(pool, encoded, 16, min(2.0, seconds))
    for count in clients:
        with card.sampling(pool.model.device) as samples:
            seen = load(pool, encoded, count, seconds)
        for error in seen.failures[:1]:
            print(f"{what}, {count} clients: {error}", file=sys.stderr)
        row = rows.timed(what, pool.model.precision, count, seen.times, seen.wall_s)
        yield replace(row, batch=seen.batch, busy=card.mean(samples), failed=len(seen.failures))
