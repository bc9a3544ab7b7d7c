"""Starts servers, and reads what their processes use."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.serving import workload

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build" / "peers" / "bin" / "python"
"""An interpreter that has the peers; `make bench-peers` makes it."""
START_S = 90.0
OURS = "picsellia_jupyter"


@dataclass(frozen=True, slots=True)
class Server:
    """What is started, and with what."""

    name: str
    module: str
    options: tuple[str, ...] = ()
    package: str | None = None
    """What a peer needs; None for ours."""

    @property
    def python(self) -> str:
        """The interpreter that runs it."""
        return sys.executable if self.package is None else str(PEERS)


PEERS_HERE = "benchmarks.serving.peers"
SERVERS = (
    Server(OURS, "benchmarks.serving.kernel"),
    Server("FastAPI naive", f"{PEERS_HERE}.with_fastapi", ("--naive",), "fastapi"),
    Server("FastAPI threads", f"{PEERS_HERE}.with_fastapi", (), "fastapi"),
    Server("LitServe", f"{PEERS_HERE}.with_litserve", (), "litserve"),
    Server("LitServe batch 8", f"{PEERS_HERE}.with_litserve", ("--batch", "8"), "litserve"),
    Server("Ray Serve", f"{PEERS_HERE}.with_ray", (), "ray"),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    url: str
    """Where predictions are posted."""
    headers: dict[str, str]
    process: psutil.Process
    first_s: float
    """From its start to its first prediction."""
    workers: tuple[int, ...] = ()

    def tree(self) -> list[psutil.Process]:
        """Its processes, and those that they started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.process, *self.process.children(recursive=True)]
        return []

    def cpu_s(self) -> float:
        """Seconds of CPU that its processes have used."""
        total = 0.0
        for one in self.tree():
            with contextlib.suppress(psutil.Error):
                times = one.cpu_times()
                total += times.user + times.system
        return total

    def pss_mb(self) -> float:
        """Megabytes of memory, shared pages counted in shares."""
        total = 0
        for one in self.tree():
            with contextlib.suppress(psutil.Error):
                total += one.memory_full_info().pss
        return total / 2**20

    def predict(self, form: bytes, timeout_s: float = 60.0) -> httpx.Response:
        """One prediction."""
        return httpx.post(self.url, content=form, headers=self.headers, timeout=timeout_s)


def is_here(server: Server) -> bool:
    """Whether what it needs is installed."""
    if server.package is None:
        return True
    if not PEERS.exists():
        return False
    asked = f"import importlib.util as u, sys; sys.exit(u.find_spec({server.package!r}) is None)"
    return subprocess.run([server.python, "-c", asked], check=False).returncode == 0


@contextlib.contextmanager
def running(server: Server, folder: Path, extra: Sequence[str] = ()) -> Iterator[Running]:
    """Start a server, wait for its first prediction; end it and all of its processes."""
    began = time.perf_counter()
    log = (folder / "server.log").open("wb")
    ours = server.package is None
    port = _free_port()
    where = [str(folder)] if ours else [str(folder), str(port)]
    process = subprocess.Popen(
        [server.python, "-m", server.module, *where, *server.options, *extra],
        stdout=subprocess.PIPE if ours else log,
        stderr=log,
        cwd=ROOT,
        env={**os.environ, **_environment()},
        start_new_session=True,
    )
    known: list[psutil.Process] = []
    try:
        started = _ours(process, began, folder) if ours else _peer(process, port, began, folder)
        known = started.tree()
        yield started
        known = started.tree()
    finally:
        _end(process, known)
        log.close()


def python_path() -> str:
    """Where a process that starts in another folder finds this repository, and what we find."""
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


def _environment() -> dict[str, str]:
    return {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": python_path(),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "no_proxy": "127.0.0.1",
    }


def _ours(process: subprocess.Popen[bytes], began: float, folder: Path) -> Running:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"The serving kernel did not start: {_log(folder)}")
    said = json.loads(line)
    content = f"multipart/form-data; boundary={workload.BOUNDARY}"
    headers = {"Authorization": f"Bearer {said['token']}", "Content-Type": content}
    first = Running(said["address"] + said["path"], headers, psutil.Process(process.pid), 0.0)
    first.predict(workload.form(workload.photo(0))).raise_for_status()
    first_s = time.perf_counter() - began
    workers = tuple(json.loads(process.stdout.readline())["all"])
    return Running(first.url, headers, first.process, first_s, workers)


def _peer(process: subprocess.Popen[bytes], port: int, began: float, folder: Path) -> Running:
    headers = {"Content-Type": f"multipart/form-data; boundary={workload.BOUNDARY}"}
    url, form = f"http://127.0.0.1:{port}/predict", workload.form(workload.photo(0))
    seen = Running(url, headers, psutil.Process(process.pid), 0.0)
    while time.perf_counter() - began < START_S and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if seen.predict(form).status_code == 200:
                return Running(url, headers, seen.process, time.perf_counter() - began)
        time.sleep(0.02)
    raise RuntimeError(f"The server gave no prediction within {START_S:g} s: {_log(folder)}")


def _log(folder: Path) -> str:
    return (folder / "server.log").read_text(errors="replace")[-2000:]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _end(process: subprocess.Popen[bytes], known: list[psutil.Process]) -> None:
    """End what was started here, by process id; politely at first."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    for one in known:
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()
