"""A card whose memory another process takes while a worker serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu import workers
from benchmarks.gpu.network import SIDE
from benchmarks.gpu.rows import Fact
from benchmarks.gpu.workers import Load

RESTS_MB = (256, 128, 64)
"""What the worker is left, less each time, until a batch does not fit."""
CLIENTS = 64
_TOO_MANY = 400
"""Images of the tensor that does not fit: 241 MB, and gigabytes on its way through the model."""
_REFUSED = "fit into the memory of"


class Ballast(Protocol):
    """What takes the memory: `card.Ballast`."""

    def leave(self, size: int) -> int:
        """Take all memory but so many bytes; returns how many are free now."""

    def __enter__(self) -> Any: ...
    def __exit__(self, *_: object) -> None: ...


def starved(
    pool: Any,
    log: Sequence[str],
    ballast: Callable[[], Ballast],
    encoded: Sequence[bytes],
    seconds: float,
) -> Iterator[Fact]:
    """Take the card's memory, have the worker run out of it, and give it back.

    Args:
        pool: has one worker.
        log: the lines that it prints, still growing.
        ballast: takes the memory.
        encoded: photos.
        seconds: of each load.
    """
    worker = pool.worker_pid
    yield _answered("memory is free", workers.load(pool, encoded, CLIENTS, seconds))
    with ballast() as taken:
        for rest in RESTS_MB:
            yield _emptied(pool, taken, rest << 20)
            before = len(log)
            seen = workers.load(pool, encoded, CLIENTS, seconds)
            halvings = [line for line in list(log)[before:] if _REFUSED in line]
            yield _answered(f"{rest} MB are free", seen)
            if halvings:
                break
        seen = workers.load(pool, encoded, CLIENTS, seconds)
        yield _answered("as little is free as before", seen)
        yield _halved(pool, halvings, seen, rest)
    again = workers.load(pool, encoded, CLIENTS, seconds)
    yield _answered("memory is free again", again)
    ready, same = pool.numbers().ready == 1, pool.worker_pid == worker
    yield Fact("the same worker serves on", f"{pool.state[0].value}", ready and same)


def _emptied(pool: Any, taken: Ballast, rest: int) -> Fact:
    """Have torch give back what it holds in reserve, and take that too.

    The warm-up has left torch the memory of its largest batch. A tensor that does not fit makes
    torch give that back before it says OutOfMemoryError.
    """
    taken.leave(rest)
    said = _refusal(pool)
    free = taken.leave(rest)
    what = f"a tensor of {_TOO_MANY} images with {rest >> 20} MB free"
    return Fact(what, f"{said} {free >> 20} MB free then.", _REFUSED in said)


def _refusal(pool: Any) -> str:
    try:
        pool.submit_tensors({_input(pool): _tensor()}).result(workers.ANSWERED_S)
    except Exception as error:  # noqa: BLE001 - it is told
        return str(error).split(". ")[0] + "."
    return "It was answered."


def _input(pool: Any) -> str:
    return pool.model.inputs[0].name if pool.model.inputs else "images"


def _tensor() -> NDArray[np.float32]:
    return np.zeros((_TOO_MANY, 3, SIDE, SIDE), np.float32)


def _answered(what: str, seen: Load) -> Fact:
    largest = max(seen.sizes, default=0)
    found = (
        f"{len(seen.times)} answered, {len(seen.failures)} failed; {seen.per_s:.0f} img/s in "
        f"batches of {seen.batch:.1f}, {largest} at most"
    )
    if seen.failures:
        found += f": {seen.failures[0]}"
    return Fact(f"every photo is answered while {what}", found, not seen.failures)


def _halved(pool: Any, halvings: Sequence[str], seen: Load, rest: int) -> Fact:
    now = max(seen.sizes, default=0)
    found = f"{pool.model.batch} at the warm-up, {now} at last with {rest} MB free"
    if halvings:
        found += f'; the worker: "{halvings[-1]}"'
    holds = bool(halvings) and 0 < now < pool.model.batch
    return Fact("a real OutOfMemoryError halves the batch", found, holds)
