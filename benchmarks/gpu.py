"""A backbone of ResNet-50's size on a GPU: alone, then behind the serving kernel's pool.

`python -m benchmarks.gpu [--device cuda:0] [--quick]`. It needs this repository's files, torch,
numpy, Pillow and typing_extensions, and no network; with simplejpeg JPEGs are decoded faster.
Without a web server: calls are made to the pool, from one event loop, as the front does.

- *alone*: the model on tensors that are on the device already, batch 1 to 64; no decoding.
- *one thread*: the engine, photo by photo: decode, copy, run, read.
- *pool*: a worker in its sandbox, with batching, at 1 to 64 clients; the device's utilisation is
  what nvidia-smi samples meanwhile.
- *out of memory*: another process takes the device's memory until a full batch does not fit.
  Every photo must be answered, and the batches be large again once the memory is back.

`--device cpu --quick` tries the script itself where there is no GPU.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving import workload

SIDE = 224
LABELS = 1000
MANIFEST = {
    "format": 1,
    "input": {
        "width": SIDE, "height": SIDE, "resize": "stretch", "channels": "RGB",
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    },
    "head": "class_scores", "activation": "softmax",
}  # fmt: skip
CLIENTS = (1, 8, 32, 64)
ANSWERED_S = 60.0
_ROOT = str(Path(__file__).parents[1])
_BALLAST = """
import sys, torch
free, _ = torch.cuda.mem_get_info(sys.argv[1])
held = torch.empty(max(0, free - int(sys.argv[2])), dtype=torch.uint8, device=sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


# The model and the photos --------------------------------------------------------------------


def backbone() -> Any:
    """ResNet-50's layers (25.6 M parameters, 4.1 GFLOP), with random weights."""
    import torch
    from torch import nn

    class Bottleneck(nn.Module):  # type: ignore[misc]
        def __init__(self, before: int, width: int, stride: int) -> None:
            super().__init__()
            after = 4 * width
            self.body = nn.Sequential(
                *_conv(before, width, 1, 1), nn.ReLU(),
                *_conv(width, width, 3, stride), nn.ReLU(), *_conv(width, after, 1, 1),
            )  # fmt: skip
            same = before == after and stride == 1
            self.beside = nn.Identity() if same else nn.Sequential(*_conv(before, after, 1, stride))

        def forward(self, x: Any) -> Any:
            return torch.relu(self.body(x) + self.beside(x))

    torch.manual_seed(0)
    blocks, before = [], 64
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(count):
            blocks.append(Bottleneck(before, width, stride if index == 0 else 1))
            before = 4 * width
    stem = (*_conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    end = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, LABELS))
    return nn.Sequential(*stem, *blocks, *end).eval()


def _conv(before: int, after: int, side: int, stride: int) -> tuple[Any, Any]:
    from torch import nn

    conv = nn.Conv2d(before, after, side, stride, side // 2, bias=False)
    return conv, nn.BatchNorm2d(after)


def export(folder: Path) -> dict[str, Path]:
    """The model as `torch.export` archive and as TorchScript, and its serving.json."""
    import torch

    (folder / "serving.json").write_text(json.dumps(MANIFEST))
    model, images = backbone(), torch.zeros(2, 3, SIDE, SIDE)
    shapes = ({0: torch.export.Dim("batch", min=1, max=1024)},)
    made = {"torch.export": folder / "model.pt2", "TorchScript": folder / "model.pt"}
    torch.export.save(
        torch.export.export(model, (images,), dynamic_shapes=shapes), made["torch.export"]
    )
    with torch.no_grad():
        torch.jit.save(torch.jit.trace(model, images), str(made["TorchScript"]))
    return made


def photos(count: int) -> list[bytes]:
    """JPEGs of 640 x 480, about 60 kB."""
    return [workload.photo(number) for number in range(count)]


# What is seen --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    precision: str
    n: int
    """Batch, or clients."""
    per_s: float
    p50_ms: float
    p99_ms: float
    batch: float
    """Photos in a batch, in the mean."""
    busy: str = ""
    """The device's utilisation."""
    failed: int = 0

    def __str__(self) -> str:
        return (
            f"| {self.what} | {self.precision} | {self.n} | {self.per_s:.0f} | {self.p50_ms:.2f} "
            f"| {self.p99_ms:.2f} | {self.batch:.1f} | {self.busy} | {self.failed} |"
        )


HEAD = (
    "| what | precision | batch or clients | img/s | p50 ms | p99 ms | mean batch | GPU | failed |"
)


def _row(
    what: str, precision: str, n: int, times: Sequence[float], wall: float, **more: Any
) -> Row:
    p50, p99 = np.percentile(times, (50, 99)) * 1e3 if times else (0.0, 0.0)
    return Row(
        what, precision, n, len(times) / wall, float(p50), float(p99), **{"batch": 1.0, **more}
    )


def alone(device: str, batches: Sequence[int], seconds: float) -> Iterator[Row]:
    """The model on tensors of the device, channels last."""
    import torch

    types = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
    for precision, dtype in types.items():
        if device == "cpu" and precision == "fp16":
            continue
        model = backbone().to(device, dtype, memory_format=torch.channels_last)
        for batch in batches:
            images = torch.rand(batch, 3, SIDE, SIDE).to(
                device, dtype, memory_format=torch.channels_last
            )
            with torch.inference_mode():
                times, wall = _looped(lambda: model(images), _waiter(device), seconds)  # noqa: B023
            row = _row("model alone", precision, batch, times, wall)
            yield replace(row, per_s=row.per_s * batch, batch=batch)


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


def one_thread(request: Any, encoded: list[bytes], seconds: float) -> Row:
    """The engine, photo by photo."""
    from picsellia_jupyter.serving.engine import Engine

    engine = Engine.load(request)
    turns = iter(encoded * 100_000)
    run: Callable[[], object] = lambda: engine.predict(next(turns), "a", record=False)  # noqa: E731
    times, wall = _looped(run, lambda: None, seconds)
    return _row("one thread", request.precision, 1, times, wall)


# The pool ------------------------------------------------------------------------------------


@contextlib.contextmanager
def pooled(request: Any) -> Iterator[Any]:
    """A pool of one worker that has the model."""
    from picsellia_jupyter.serving.pool import Pool

    # A worker starts in the root folder.
    os.environ["PYTHONPATH"] = _ROOT
    lines: list[str] = []
    pool = Pool(request, lambda *_: None, lines.append, workers=1, photo=photos(1)[0])
    try:
        began = time.perf_counter()
        model = pool.start()
        print(
            f"{request.model.name} as {request.precision}: {model.runtime} on {model.device}, "
            f"{model.precision}, batches of {model.batch} at most, sandbox {model.sandbox}, "
            f"{model.memory_bytes / 2**20:.0f} MB, ready after {time.perf_counter() - began:.1f} s",
            file=sys.stderr,
        )
        yield pool
    finally:
        pool.stop()


def load(pool: Any, encoded: list[bytes], clients: int, seconds: float) -> tuple[Any, ...]:
    """A closed loop: times, sizes of batches, failures, seconds."""
    times: list[float] = []
    sizes: list[int] = []
    failures: list[Exception] = []
    began = time.perf_counter()

    async def client(number: int) -> None:
        while (start := time.perf_counter()) - began < seconds:
            photo = encoded[(number + len(times)) % len(encoded)]
            try:
                future = pool.submit(photo, "a.jpg", record=False, timeout_s=ANSWERED_S)
                reply = await asyncio.wrap_future(future)
            except Exception as error:  # noqa: BLE001 - they are counted
                failures.append(error)
                await asyncio.sleep(0.01)
                continue
            times.append(time.perf_counter() - start)
            sizes.append(reply.timing.batch)

    async def together() -> None:
        await asyncio.gather(*(client(number) for number in range(clients)))

    asyncio.run(together())
    return times, sizes, failures, time.perf_counter() - began


def behind_pool(
    pool: Any, what: str, precision: str, encoded: list[bytes], seconds: float, device: str
) -> Iterator[Row]:
    """The pool at every concurrency."""
    load(pool, encoded, 16, min(2.0, seconds))
    for clients in CLIENTS:
        with sampling(device) as samples:
            times, sizes, failures, wall = load(pool, encoded, clients, seconds)
        if failures:
            print(f"{what}, {clients} clients: {failures[0]}", file=sys.stderr)
        mean = statistics.mean(sizes) if sizes else 0.0
        row = _row(what, precision, clients, times, wall, batch=mean, failed=len(failures))
        yield replace(row, busy=f"{statistics.mean(samples):.0f} %" if samples else "-")


@contextlib.contextmanager
def sampling(device: str) -> Iterator[list[float]]:
    """The device's utilisation in percent, five times a second."""
    samples: list[float] = []
    if device == "cpu":
        yield samples
        return
    index = device.partition(":")[2] or "0"
    command = [
        "nvidia-smi", "-i", index, "--query-gpu=utilization.gpu",
        "--format=csv,noheader,nounits", "-lms", "200",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield samples
        finally:
            process.terminate()
            said = process.stdout.read() if process.stdout else ""
            samples.extend(float(line) for line in said.split() if line.isdigit())


# Out of memory -------------------------------------------------------------------------------


def starved(pool: Any, encoded: list[bytes], device: str, seconds: float) -> bool:
    """Take the device's memory away and give it back; whether every photo was answered."""
    print("\n| device memory | img/s | mean batch | largest | failed | free MB |")
    print("|---|" + "---:|" * 5)
    failed = [_starved(pool, encoded, device, seconds, "free")]
    for left_mb in (512, 64, 8):
        with _ballast(device, left_mb << 20):
            told = f"{left_mb} MB left"
            failed.append(_starved(pool, encoded, device, seconds, told))
    failed.append(_starved(pool, encoded, device, seconds, "free again"))
    return not any(failed)


def _starved(pool: Any, encoded: list[bytes], device: str, seconds: float, what: str) -> int:
    import torch

    before = pool.numbers()
    times, sizes, failures, wall = load(pool, encoded, 64, seconds)
    free = torch.cuda.mem_get_info(device)[0] / 2**20
    mean, largest = (statistics.mean(sizes), max(sizes)) if sizes else (0.0, 0)
    print(
        f"| {what} | {len(times) / wall:.0f} | {mean:.1f} | {largest} "
        f"| {len(failures)} | {free:.0f} |"
    )
    for error in failures[:1]:
        print(f"{what}: {error}", file=sys.stderr)
    if pool.numbers().ready != before.ready:
        print(f"{what}: a worker is gone: {pool.state}", file=sys.stderr)
    return len(failures)


@contextlib.contextmanager
def _ballast(device: str, left: int) -> Iterator[None]:
    command = [sys.executable, "-c", _BALLAST, device, str(left)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield
        finally:
            process.communicate()


# All of it -----------------------------------------------------------------------------------


def main() -> int:
    """Measure, and print one table; 0 where every photo was answered."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--quick", action="store_true", help="half a second a step")
    given = parser.parse_args()
    device, seconds = given.device, 0.5 if given.quick else 2.0
    name = torch.cuda.get_device_name(device) if device != "cpu" else "CPU"
    print(f"{name}, torch {torch.__version__}, {os.cpu_count()} cores", flush=True)
    encoded, rows, answered = photos(32), list[Row](), True
    with tempfile.TemporaryDirectory(prefix="gpu") as folder:
        made = export(Path(folder))
        rows += alone(device, (1,) if device == "cpu" else (1, 8, 64), seconds / 2)
        rows.append(one_thread(_request(made["torch.export"], device, "fp32"), encoded, seconds))
        for form, precision in _runs(device, quick=given.quick):
            with pooled(_request(made[form], device, precision)) as pool:
                rows += behind_pool(pool, f"pool, {form}", precision, encoded, seconds, device)
                if device != "cpu" and (form, precision) == ("torch.export", "fp32"):
                    answered = starved(pool, encoded, device, seconds)
    print(f"\n{HEAD}\n|---|---|{'---:|' * 7}")
    print("\n".join(map(str, rows)))
    failed, behind = sum(row.failed for row in rows), [r for r in rows if r.what[:4] == "pool"]
    best = max(behind, key=lambda row: row.per_s)
    print(
        f"{best.per_s:.0f} img/s behind the pool ({best.precision}, {best.n} clients), "
        f"{failed} failed; out of memory: {'all answered' if answered else 'some FAILED'}"
    )
    return 0 if answered and not failed else 1


def _runs(device: str, *, quick: bool) -> Iterator[tuple[str, str]]:
    yield "torch.export", "fp32"
    if device != "cpu":
        yield "torch.export", "fp16"
        yield "torch.export", "bf16"
    if not quick or device == "cpu":
        yield "TorchScript", "fp32"


def _request(model: Path, device: str, precision: str) -> Any:
    from picsellia_jupyter.domain.registry import InferenceType
    from picsellia_jupyter.serving.messages import LoadRequest

    told = model.with_name("serving.json")
    return LoadRequest(model, told, InferenceType.CLASSIFICATION, LABELS, device, precision)


if __name__ == "__main__":
    raise SystemExit(main())
