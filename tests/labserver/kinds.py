"""Jupyter servers with the extension, by how they let people in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import httpx

from picsellia_jupyter.clients import introductions
from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.clients.labserver import LabServer, proxied_front
from tests.jupyter_servers import REPOSITORY, RunningServer, running_server
from tests.labserver.front import TOKEN

PASSWORD = "correct horse battery staple"
CONFIGURATION = REPOSITORY / "jupyter-config" / "jupyter_server_config.d"


class Kind(Enum):
    """How a server lets people in."""

    TOKEN = "token"
    PASSWORD = "password"
    OPEN = "open"


@contextmanager
def extended(folder: Path, kind: Kind, *options: str) -> Iterator[RunningServer]:
    """A server that finds the extension as one does where the wheel is installed."""
    (folder / "config").mkdir(parents=True)
    (folder / "config" / CONFIGURATION.name).symlink_to(CONFIGURATION)
    token = None if kind is Kind.TOKEN else ""
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(_settings(kind)))
    with running_server(folder, *options, token=token) as server:
        yield server


def _settings(kind: Kind) -> dict[str, dict[str, str]]:
    if kind is Kind.OPEN:
        return {"IdentityProvider": {"token": ""}}
    if kind is Kind.PASSWORD:
        from jupyter_server.auth.security import passwd

        return {"PasswordIdentityProvider": {"hashed_password": passwd(PASSWORD, "sha1")}}
    return {}


def extension(server: RunningServer) -> LabServer:
    """The extension, as a kernel of that server would find it."""
    told = introductions.read(server.process.pid, server.runtime)
    assert told is not None
    return LabServer(server.at.url, told.secret)


def start_front(server: RunningServer) -> tuple[str, str]:
    """A new kernel in which a tiny front serves: its id, and the front's address."""
    kernel_id = server.request("POST", "/api/kernels", {}).raise_for_status().json()["id"]
    return kernel_id, serve_front(server, kernel_id)


def serve_front(server: RunningServer, kernel_id: str) -> str:
    """Have a kernel serve; the front's address."""
    code = f"from tests.labserver import front\naddress = front.serve({kernel_id!r})"
    told = JupyterClient(server.at).execute(kernel_id, code, "address", timeout_s=60)
    return told.strip("'")


@dataclass(frozen=True)
class Proxied:
    """A kernel with a front, and a client that is let in."""

    server: RunningServer
    kernel_id: str
    address: str
    http: httpx.Client = field(repr=False)

    @classmethod
    @contextmanager
    def of(cls, server: RunningServer, kernel_id: str, address: str) -> Iterator[Proxied]:
        front = proxied_front(server.at, kernel_id, TOKEN)
        with httpx.Client(
            base_url=front.url, headers=front.headers, timeout=30, trust_env=False
        ) as http:
            yield cls(server, kernel_id, address, http)
