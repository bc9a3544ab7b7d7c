"""What a machine can do without any server: `python -m benchmarks.serving.limit FOLDER SECONDS`.

Processes that loop over the engine, each in one thread. With `--plain`, they are what a user
would write instead: Pillow, three passes of floats, and the model in torch.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from typing_extensions import Self

from benchmarks.serving import workload

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Limit:
    """What the processes did together."""

    per_s: float
    p50_ms: float
    """Of one photo, in one of them."""
    cpu_ms: float
    """Of one photo."""


class Loops:
    """The processes, started once and warm; what they do is measured when it is asked for."""

    def __init__(self, folder: Path, seconds: float, *, plain: bool = False) -> None:
        """Start them, and do not wait until they are warm."""
        command = [sys.executable, "-m", "benchmarks.serving.limit", str(folder), str(seconds)]
        self._running = [
            subprocess.Popen(
                command + ["--plain"] * plain,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                text=True,
            )
            for _ in range(PROCESSES)
        ]

    def __enter__(self) -> Self:
        """Wait until they are warm."""
        for process in self._running:
            _line(process)
        return self

    def __exit__(self, *_: object) -> None:
        """End them."""
        for process in self._running:
            process.communicate()

    def measure(self) -> Limit:
        """Have them loop for their seconds."""
        for process in self._running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found = [json.loads(_line(process)) for process in self._running]
        count = sum(one["count"] for one in found)
        return Limit(
            per_s=sum(one["count"] / one["wall_s"] for one in found),
            p50_ms=float(np.mean([one["p50_ms"] for one in found])),
            cpu_ms=sum(one["cpu_s"] for one in found) / count * 1e3,
        )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def pss_mb(folder: Path) -> float:
    """Megabytes of one process that holds the engine, and has had many photos."""
    command = [sys.executable, "-m", "benchmarks.serving.limit", str(folder), "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        used = psutil.Process(process.pid).memory_full_info().pss
        process.communicate()
    return float(used) / 2**20


def answer(found: Any) -> bytes:
    """A prediction as the servers spell it."""
    return json.dumps(
        {
            "detection_classes": found.classes.tolist(),
            "detection_scores": found.scores.tolist(),
            "detection_boxes": found.boxes_xyxy.tolist(),
        }
    ).encode()


def engine_of(folder: Path) -> Any:
    """Our engine, which every server runs; it is as after many photos once it has had a few."""
    from picsellia_jupyter.serving.engine import Engine
    from picsellia_jupyter.serving.resampling import Torch

    engine = Engine.load(workload.request(folder))
    engine._torch = Torch(after=20)
    return engine


def with_engine(folder: Path) -> Callable[[bytes], bytes]:
    """What a server does with a photo."""
    engine = engine_of(folder)
    return lambda photo: answer(engine.predict(photo, "photo.jpg", record=False).found)


def with_torch_and_pillow(folder: Path) -> Callable[[bytes], bytes]:
    """What a script does without any library of ours, but for reading the boxes."""
    import io

    import torch
    from PIL import Image

    from picsellia_jupyter.domain.predictions import ImageSize
    from picsellia_jupyter.serving import conventions, heads, manifest, pixels, runtimes

    torch.set_num_threads(1)
    model = torch.export.load(folder / "model.pt2").module()
    request = workload.request(folder)
    settled = conventions.settle(
        manifest.read(request.manifest), request.kind, request.labels, runtimes.load(request.model)
    )
    head, side = heads.head_of(settled), workload.SIDE
    spot = pixels.place(ImageSize(640, 480), settled.input)

    def predict(photo: bytes) -> bytes:
        image = Image.open(io.BytesIO(photo)).convert("RGB")
        resized = image.resize((side, side), Image.Resampling.BILINEAR)
        values = np.asarray(resized, dtype=np.float32) / np.float32(255)
        batch = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)[None]))
        with torch.inference_mode():
            boxes, scores = model(batch)
        outputs: dict[str, Any] = {"boxes": boxes.numpy(), "scores": scores.numpy()}
        return answer(head(outputs, spot))

    return predict


def main() -> None:
    """Loop over the photos, and say what came of it as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    predict = (with_torch_and_pillow if given.plain else with_engine)(given.folder)
    photos = workload.photos(given.folder)
    for photo in photos:
        predict(photo)
    for thread in threading.enumerate():
        if thread.name == "import torch":
            thread.join()
    print("warm", flush=True)
    for _ in sys.stdin:
        print(json.dumps(_loop(predict, photos, given.seconds)), flush=True)


def _loop(
    predict: Callable[[bytes], bytes], photos: list[bytes], seconds: float
) -> Mapping[str, float]:
    times, cpu, began = [], time.process_time(), time.perf_counter()
    for photo in itertools.cycle(photos):
        start = time.perf_counter()
        predict(photo)
        times.append(time.perf_counter() - start)
        if time.perf_counter() - began > seconds:
            break
    wall, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    p50_ms = float(np.median(times)) * 1e3
    return {"count": len(times), "wall_s": wall, "cpu_s": cpu_s, "p50_ms": p50_ms}


if __name__ == "__main__":
    main()
