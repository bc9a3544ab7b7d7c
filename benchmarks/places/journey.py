"""From `%deploy` to the first prediction, and from `kill -9` to the next one.

The demo model is ONNX. The bare script that the first is compared with imports torch, as a
notebook does in which somebody works on a model, and loads the file as ONNX files are loaded,
by ONNX Runtime; it predicts nothing. Both are begun in a fresh process or kernel.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.places.servers import REPOSITORY, TOKEN, jupyter_server
from benchmarks.serving.goals import Goals
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session

MODEL = "digits-detector"
_BARE = "{imports}; import onnxruntime, sys; onnxruntime.InferenceSession(sys.argv[1])"


def judge(folder: Path, goals: Goals, rounds: int) -> None:
    """Measure both, and judge them.

    Args:
        folder: an empty one.
        goals: where they are told.
        rounds: of which the median counts.
    """
    model = catalog.ASSETS / f"{MODEL.replace('-', '_')}.onnx"
    bare = _median(rounds, lambda: _script(model, "import torch"))
    small = _median(rounds, lambda: _script(model, "pass"))
    with _session(folder) as (session, place):
        first = statistics.median(_first(session, "local") for _ in range(rounds))
        there = statistics.median(_first(session, place) for _ in range(rounds))
        back = [_back(session, place) for _ in range(rounds)]
    print(
        f"%deploy to first prediction: {first:.2f} s here, {there:.2f} s at a Jupyter server; "
        f"a bare script with torch and ONNX Runtime {bare:.2f} s, without torch {small:.2f} s"
    )
    goals.at_most("P8", "%deploy to first prediction beside a bare script", first / bare, 2.0, " x")
    goals.at_most("P9", "back after kill -9", max(back), 6.0, " s")


@contextmanager
def _session(folder: Path) -> Iterator[tuple[Session, str]]:
    """A session with the demo models, and the address of a Jupyter server with our kernelspec."""
    home, server_home = folder / "home", folder / "server"
    (server_home / "data").mkdir(parents=True)
    (server_home / "data" / "kernels").symlink_to(REPOSITORY / "kernels")
    os.environ["PICSELLIA_PLACE_TOKEN"] = TOKEN
    try:
        with jupyter_server(server_home) as server:
            session = Session(home=home)
            seed(session)
            yield session, server.url
    finally:
        local_platform.stop(home)


def _median(rounds: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(rounds))


def _script(model: Path, imports: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _BARE.format(imports=imports), model], check=True)
    return time.perf_counter() - began


def _first(session: Session, place: str) -> float:
    page = catalog.pages()[0]
    began = time.perf_counter()
    d = session.deploy(MODEL, on=place)
    d.predict(page)
    took = time.perf_counter() - began
    d.undeploy(delete=True)
    return took


def _back(session: Session, place: str) -> float:
    page = catalog.pages()[0]
    d = session.deploy(MODEL, on=place)
    d.predict(page)
    assert d.record.serving is not None
    assert d.record.serving.pid is not None
    os.kill(d.record.serving.pid, signal.SIGKILL)
    began = time.perf_counter()
    d.predict(page)
    took = time.perf_counter() - began
    d.undeploy(delete=True)
    return took
