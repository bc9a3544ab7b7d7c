"""A real Jupyter server on loopback with folders of its own, and our kernelspec."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from picsellia_jupyter.clients.jupyter import JupyterServer

REPOSITORY = Path(__file__).parents[1]
START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class RunningServer:
    """A server that answers."""

    at: JupyterServer
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def runtime(self) -> Path:
        """Where connection files and leases lie."""
        return self.folder / "runtime"

    def log(self) -> str:
        return (self.folder / "jupyter.log").read_text(errors="replace")

    def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"token {self.at.token}"}
        return httpx.request(method, self.at.url + path, json=body, headers=headers, timeout=30)

    def kill(self) -> None:
        """End it as a crash would: its kernels are left alone."""
        self.process.kill()
        self.process.wait(timeout=15)


@contextmanager
def running_server(
    folder: Path, *options: str, token: str | None = None
) -> Iterator[RunningServer]:
    """Start a server, wait until it answers, and end it with all its kernels.

    Args:
        folder: for everything it writes.
        options: more of them.
        token: any by default; the empty one leaves the server to a password, or open.
    """
    token = secrets.token_hex(16) if token is None else token
    (folder / "root").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "data" / "kernels").symlink_to(REPOSITORY / "kernels")
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={folder / 'root'}", *options),
    ]
    with (folder / "jupyter.log").open("wb") as log:
        process = subprocess.Popen(command, env=_environment(folder, token), stdout=log, stderr=log)
    try:
        yield RunningServer(_await_up(process, folder, token), folder, process)
    finally:
        _end(process)


def _environment(folder: Path, token: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PICSELLIA_", "JUPYTER", "JPY_"))
    }
    return kept | {
        "PYTHONPATH": str(REPOSITORY),
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PICSELLIA_JUPYTER_HOME": str(folder / "home"),
    }


def _await_up(process: subprocess.Popen[bytes], folder: Path, token: str) -> JupyterServer:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            record = folder / "runtime" / f"jpserver-{process.pid}.json"
            url = str(json.loads(record.read_text())["url"]).rstrip("/")
            if httpx.get(f"{url}/api", timeout=5).is_success:
                return JupyterServer(url, token)
        except (OSError, ValueError, httpx.TransportError):
            pass
        time.sleep(0.05)
    log = (folder / "jupyter.log").read_text(errors="replace")
    raise AssertionError(f"Jupyter did not come up (exit code {process.poll()}):\n{log[-4000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, left = psutil.wait_procs([psutil.Process(process.pid), *children], timeout=20)
    for straggler in left:
        straggler.kill()
    process.wait(timeout=10)
