"""Figures: the model alone, the engine in one thread, and the whole serving kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.gpu import card, network
from benchmarks.gpu.rows import Row, timed
from benchmarks.serving import load, servers

KERNEL, ONE_BY_ONE, RAW = "kernel", "kernel, one by one", "raw"


def alone(device: str, batches: Sequence[int], seconds: float) -> Iterator[Row]:
    """The model on tensors of the card, channels last."""
    import torch

    types = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    for precision, dtype in types.items():
        if device == "cpu" and precision == "fp16":
            continue
        model = network.backbone().to(device, dtype, memory_format=torch.channels_last)
        for batch in batches:
            images = torch.rand(batch, 3, network.SIDE, network.SIDE).to(
                device, dtype, memory_format=torch.channels_last
            )
            with torch.inference_mode():
                times, wall = _looped(lambda: model(images), _waiter(device), seconds)  # noqa: B023
            row = timed("model alone", precision, batch, times, wall)
            yield replace(row, per_s=row.per_s * batch, batch=float(batch))


def one_thread(request: Any, encoded: Sequence[bytes], seconds: float) -> Row:
    """The engine, photo by photo, as a worker has it but with nothing around it."""
    from picsellia_jupyter.serving.engine import Engine

    engine = Engine.load(request)
    turns = iter(list(encoded) * 100_000)
    run: Callable[[], object] = lambda: engine.predict(next(turns), "a", record=False)  # noqa: E731
    times, wall = _looped(run, lambda: None, seconds)
    return timed(RAW, engine.loaded.precision, 1, times, wall)


def kernel(
    folder: Path, file: str, device: str, clients: Sequence[int], seconds: float
) -> Iterator[Row]:
    """The whole of it over HTTP: tokens, sandbox, metrics, recorder."""
    options = (f"--model={file}", f"--device={device}", f"--classes={network.CLASSES}")
    server = servers.Server(servers.OURS, "benchmarks.serving.kernel", options)
    name = ONE_BY_ONE if file == network.ONE_BY_ONE else KERNEL
    with servers.running(server, folder) as running:
        load.step(running, folder, 16, min(2.0, seconds))
        for count in clients:
            with card.sampling(device) as samples:
                seen = load.step(running, folder, count, seconds)
            yield Row(
                name, "auto", count, seen.per_s, seen.p50_ms, seen.p99_ms,
                busy=card.mean(samples), failed=seen.failed,
            )  # fmt: skip


def _waiter(device: str) -> Callable[[], None]:
    import torch

    return (lambda: None) if device == "cpu" else torch.cuda.synchronize


def _looped(
    run: Callable[[], object], wait: Callable[[], None], seconds: float
) -> tuple[list[float], float]:
    for _ in range(3):
        run()
    wait()
    times, began = [], time.perf_counter()
    while (start := time.perf_counter()) - began < seconds:
        run()
        wait()
        times.append(time.perf_counter() - start)
    return times, time.perf_counter() - began
