"""What recording costs whoever predicts: `python -m benchmarks.outbox [--quick]`.

- *Caller*: what `with monitor(image) as m: m.detections = …` adds to a user's own server, with a
  local platform that records at the same time; goal: at most 1 ms at the 99th percentile.
- *Rows*: predictions with an image of 20 kB that one outbox makes durable a second; goal: at
  least 1,000.
- *Outage*: a serving kernel that is asked for one prediction after another, with its platform
  there and stopped, in turns; goal: the 99th percentile rises by a fifth at most.
"""

from __future__ import annotations

import argparse
import collections
import io
import os
import platform as machine
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import picsellia_jupyter
from benchmarks.serving.goals import Goals
from picsellia_jupyter.clients.endpoint import Endpoint
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.recording.outbox import Outbox
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.session import Session

CALLER_MS, ROWS_PER_S, OUTAGE = 1.0, 1000.0, 1.2
PACE_S = 0.02
"""Between two images of the own server: 50 a second."""
LOOP = 10_000
"""Steps of a loop that takes about as long as the block does in warm caches."""
WINDOW = 512
"""Predictions on their way to the disk at once; of the own server half as many at most."""
IMAGE_BYTES = 20_000
FOUND = [([10, 20, 110, 220], 0.9, 0), ([300, 200, 400, 300], 0.5, 1)]


def main() -> int:
    """Measure and show; the status is 1 where a goal is missed."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--quick", action="store_true", help="a tenth of everything")
    asked.add_argument("--only", choices=("caller", "rows", "outage"))
    args = asked.parse_args()
    scale = 10 if args.quick else 1
    print(f"{machine.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    goals = Goals()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            if args.only in (None, "rows"):
                rows(home / "rows", 20_000 // scale, goals)
            if args.only != "rows":
                seed(Session(home=home))
            if args.only in (None, "caller"):
                caller(Session(home=home), 2_000 // scale, goals)
            if args.only in (None, "outage"):
                outage(Session(home=home), home, 2_000 // scale, goals)
        finally:
            local_platform.stop(home)
    goals.show()
    return 0 if goals.held else 1


def caller(session: Session, count: int, goals: Goals) -> None:
    """What the block costs beside the model, for each form of an image."""
    deployed = session.deploy("digits-detector", strategy="monitoring")
    pixels = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).resize((160, 120)).resize((640, 480)).save(encoded, "JPEG")
    with picsellia_jupyter.monitor(deployed.record.id, session=session) as monitor:
        forms: Sequence[tuple[str, Any]] = (("JPEG bytes", encoded.getvalue()), ("array", pixels))
        for name, image in forms:
            seen = [_beside_nothing(monitor, image) for _ in range(count)]
            wall, busy, idle = (np.percentile(one, (50, 99)) for one in zip(*seen, strict=True))
            half, most = wall
            print(
                f"caller, {name} of 640 x 480: p50 {half:.3f} ms, p99 {most:.3f} ms; of this "
                f"processor time p50 {busy[0]:.3f} ms, p99 {busy[1]:.3f} ms; "
                f"a short loop instead: p50 {idle[0]:.3f} ms, p99 {idle[1]:.3f} ms"
            )
            goals.at_most("caller", f"p99 with {name}, ms", float(most), CALLER_MS, " ms")
        print(f"caller: {monitor!r}")


def _beside_nothing(monitor: Any, image: Any) -> tuple[float, float, float]:
    """`_one` and `_nothing`; a machine that cannot keep up is given time first."""
    if monitor.counts.waiting > WINDOW // 2:
        monitor.flush(60)
    return (*_one(monitor, image), _nothing())


def _one(monitor: Any, image: Any) -> tuple[float, float]:
    """Milliseconds on the clock, and of this thread's processor time."""
    time.sleep(PACE_S)
    began, busy = time.perf_counter(), time.thread_time()
    with monitor(image) as m:
        m.detections = FOUND
    return (time.perf_counter() - began) * 1e3, (time.thread_time() - busy) * 1e3


def _nothing() -> float:
    """A piece of Python that waits for nothing: what the machine itself adds."""
    time.sleep(PACE_S)
    began = time.perf_counter()
    sum(range(LOOP))
    return (time.perf_counter() - began) * 1e3


def rows(folder: Path, count: int, goals: Goals) -> None:
    """How many an outbox makes durable a second, while nothing is taken out."""
    image = os.urandom(IMAGE_BYTES)
    found = Detections(np.zeros(1, int), np.ones(1, np.float32), np.ones((1, 4), np.float32))
    outbox = Outbox(folder)
    waiting: collections.deque[Future[int]] = collections.deque()
    began = time.perf_counter()
    for _ in range(count):
        mine = str(uuid.uuid4())
        predicted = PredictedImage("a.jpg", ImageSize(640, 480), found, 0.01, mine)
        waiting.append(outbox.put(Record(predicted, image, "image/jpeg", 1.0)))
        if len(waiting) >= WINDOW:
            waiting.popleft().result(60)
    for one in waiting:
        one.result(60)
    per_s = count / (time.perf_counter() - began)
    outbox.close()
    print(f"rows: {per_s:,.0f} durable predictions of {IMAGE_BYTES / 1e3:.0f} kB a second")
    goals.at_least("rows", "durable predictions a second", per_s, ROWS_PER_S, "/s")


def outage(session: Session, home: Path, count: int, goals: Goals) -> None:
    """The times of single predictions with the platform there and away, in turns."""
    deployed = session.deploy("digits-classifier", workers=1)
    serving = deployed.record.serving
    assert serving is not None
    endpoint = Endpoint(serving.address, session.platform.token, deployed.record.id)
    photo = next(path for path, _ in catalog.digits()).read_bytes()
    ask: Callable[[], object] = lambda: endpoint.predict(photo, "a.png")  # noqa: E731
    try:
        _times(ask, 50)
        there, away = list[float](), list[float]()
        for _ in range(4):
            there += _times(ask, count // 4)
            local_platform.stop(home)
            away += _times(ask, count // 4)
            local_platform.start(home)
    finally:
        session.undeploy(deployed.record.id)
    online, offline = (np.percentile(times, (50, 99)) for times in (there, away))
    print(f"online: p50 {online[0]:.2f} ms, p99 {online[1]:.2f} ms")
    print(f"outage: p50 {offline[0]:.2f} ms, p99 {offline[1]:.2f} ms")
    goals.at_most("outage", "p99 beside online", float(offline[1] / online[1]), OUTAGE, " x")


def _times(ask: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1e3)
    return took


if __name__ == "__main__":
    raise SystemExit(main())
