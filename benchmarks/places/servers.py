"""Real Jupyter servers and kernel gateways, each a process of its own on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from picsellia_jupyter.clients.jupyter import JupyterServer

TOKEN = "a-token-of-these-servers"
REPOSITORY = Path(__file__).parents[2]


@contextlib.contextmanager
def jupyter_server(
    home: Path, *options: str, tls: ssl.SSLContext | None = None
) -> Iterator[JupyterServer]:
    """A Jupyter server with a token."""
    options = (
        f"--ServerApp.root_dir={home}",
        "--ServerApp.ip=127.0.0.1",
        "--no-browser",
        "--allow-root",
        *options,
    )
    port = "--ServerApp.port={port}"
    with _running(home, "jupyter_server", port, *options, tls=tls) as server:
        yield server


@contextlib.contextmanager
def kernel_gateway(home: Path, *options: str) -> Iterator[JupyterServer]:
    """A Jupyter Kernel Gateway with a token: kernels and nothing else."""
    options = (
        f"--KernelGatewayApp.auth_token={TOKEN}",
        "--KernelGatewayApp.ip=127.0.0.1",
        *options,
    )
    port = "--KernelGatewayApp.port={port}"
    with _running(home, "kernel_gateway", port, *options) as server:
        yield server


@contextlib.contextmanager
def gatewayed_server(home: Path, remote: JupyterServer) -> Iterator[JupyterServer]:
    """A Jupyter server that has all its kernels elsewhere."""
    options = (f"--GatewayClient.url={remote.url}", f"--GatewayClient.auth_token={remote.token}")
    with jupyter_server(home, *options) as server:
        yield server


@contextlib.contextmanager
def _running(
    home: Path, module: str, port: str, *options: str, tls: ssl.SSLContext | None = None
) -> Iterator[JupyterServer]:
    number = _free_port()
    command = [sys.executable, "-m", module, port.format(port=number), *options]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=_environment(home), stdout=log, stderr=log)
    try:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{number}"
        _await_answer(url, process, tls)
        yield JupyterServer(url, TOKEN)
    finally:
        process.terminate()
        process.wait(20)


def _environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_TOKEN": TOKEN,
        "PICSELLIA_JUPYTER_HOME": str(home / "picsellia"),
        "PYTHONPATH": str(REPOSITORY),
    }


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _await_answer(url: str, process: subprocess.Popen[bytes], tls: ssl.SSLContext | None) -> None:
    deadline = time.monotonic() + 60
    headers = {"Authorization": f"token {TOKEN}"}
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with contextlib.suppress(httpx.TransportError):
            reply = httpx.get(f"{url}/api", headers=headers, trust_env=False, verify=tls or True)
            if reply.is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(json.dumps({"no answer from": url}))
