"""One step in a process of its own: `python -m benchmarks.gpu.step NAME FOLDER DEVICE SECONDS`."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.gpu import card, measured, memory, network, tuned, workers
from benchmarks.gpu.rows import Fact, Row, tell
from benchmarks.serving import workload

Found = Iterator[Row | Fact]


def main() -> None:
    """Run the step and print what it finds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=STEPS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("device")
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    # Ended for being late, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{given.name} was ended"))
    for found in STEPS[given.name](given.folder, given.device, given.seconds):
        tell(found)


def _export(folder: Path, _device: str, _seconds: float) -> Found:
    network.make(folder)
    sizes = [
        f"{name} {(folder / name).stat().st_size >> 20} MB"
        for name in (network.EXPORTED, network.ONE_BY_ONE, network.SCRIPT)
    ]
    yield Fact("the model is exported", ", ".join(sizes))


def _memory(folder: Path, device: str, seconds: float) -> Found:
    # Recordings have their memory for good; what is looked at here is that of other runs.
    plain = network.without_graphs(folder)
    request, encoded = network.request(plain, network.EXPORTED, device, "fp32"), _photos(folder)
    with workers.pooled(request, encoded[0]) as (pool, log):
        yield from _sandboxed(pool)
        ballast = functools.partial(card.Ballast, device)
        yield from memory.starved(pool, log, ballast, encoded, seconds)


def _kernel(folder: Path, device: str, seconds: float, *, file: str) -> Found:
    clients = (1, 8) if device == "cpu" else (1, 8, 16, 32)
    yield from measured.kernel(folder, file, device, clients, seconds)


def _kernel_plain(folder: Path, device: str, seconds: float) -> Found:
    for row in _kernel(network.without_graphs(folder), device, seconds, file=network.EXPORTED):
        yield dataclasses.replace(row, what=f"{measured.KERNEL}, no CUDA graphs")


def _raw(folder: Path, device: str, seconds: float) -> Found:
    request = network.request(folder, network.EXPORTED, device)
    yield measured.one_thread(request, _photos(folder), seconds)


def _alone(_folder: Path, device: str, seconds: float) -> Found:
    yield from measured.alone(device, (1,) if device == "cpu" else (1, 8, 64), seconds / 2)


def _pool(
    folder: Path, device: str, seconds: float, *,
    file: str = network.EXPORTED, precision: str = "auto", count: int = 1,
) -> Found:  # fmt: skip
    request, encoded = network.request(folder, file, device, precision), _photos(folder)
    with workers.pooled(request, encoded[0], workers=count) as (pool, _):
        yield from _sandboxed(pool)
        what = f"pool, {count} worker{'s' if count > 1 else ''}"
        if file == network.SCRIPT:
            what += ", TorchScript"
        clients = (8,) if device == "cpu" else (16, 64) if count > 1 else (1, 16, 64)
        yield from workers.behind(pool, what, encoded, clients, seconds)


def _pool_plain(folder: Path, device: str, seconds: float) -> Found:
    for found in _pool(network.without_graphs(folder), device, seconds):
        yield dataclasses.replace(found, what=f"{found.what}, no CUDA graphs")


def _tuned(folder: Path, device: str, seconds: float, **tuning: float) -> Found:
    """One worker with other threads, where its own processor time may be the limit."""
    told = ", ".join(f"{name} {value:g}" for name, value in tuning.items())
    request, encoded = network.request(folder, network.EXPORTED, device), _photos(folder)
    manifest = tuned.manifest(folder, network.MANIFEST, told.replace(" ", "-"), **tuning)
    request = dataclasses.replace(request, manifest=manifest)
    with workers.pooled(request, encoded[0], module=tuned.MODULE) as (pool, _):
        yield from workers.behind(pool, f"pool, {told}", encoded, (1, 64), seconds)


def _sandboxed(pool: Any) -> Found:
    model = pool.model
    found = f"{model.runtime}, sandbox {model.sandbox}, batches of {model.batch} at most"
    yield Fact("workers are confined", found, model.sandbox == "full")


def _photos(folder: Path) -> list[bytes]:
    return workload.photos(folder)


STEPS: dict[str, Callable[[Path, str, float], Found]] = {
    "export": _export,
    "memory": _memory,
    "kernel": functools.partial(_kernel, file=network.EXPORTED),
    "kernel-single": functools.partial(_kernel, file=network.ONE_BY_ONE),
    "raw": _raw,
    "pool": _pool,
    "pool-2": functools.partial(_pool, count=2),
    "pool-4": functools.partial(_pool, count=4),
    "pool-fp32": functools.partial(_pool, precision="fp32"),
    "pool-script": functools.partial(_pool, file=network.SCRIPT),
    "kernel-plain": _kernel_plain,
    "pool-plain": _pool_plain,
    "decoders-2": functools.partial(_tuned, decoders=2),
    "decoders-4": functools.partial(_tuned, decoders=4),
    "switch": functools.partial(_tuned, switch_s=0.0005),
    "alone": _alone,
}

if __name__ == "__main__":
    main()
