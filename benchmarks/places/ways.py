"""The ways to a kernel that serves `toy`."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.places import on_ray, toy
from benchmarks.places.servers import gatewayed_server, jupyter_server, kernel_gateway
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.launch.tunnel import Tunnel

DIRECT, TUNNEL, PROXY, RAY = "direct", "tunnel", "proxy", "Ray Serve, one replica"
KERNEL_GATEWAY, BEHIND_GATEWAY = "tunnel, Kernel Gateway", "tunnel, server behind a gateway"
_SERVE = "from benchmarks.places import toy; address = toy.serve()"
_EXTENSION = "picsellia_jupyter.labserver"
_LEASE = """
import os
from picsellia_jupyter.launch import leases, processes
leases.write(leases.Lease(
    kernel_id={kernel_id!r}, pid=os.getpid(), started=processes.started(os.getpid()),
    address=address, front_token={token!r}, deployment_id=None, title="toy", place="local",
    idle_s=3600.0, version="0", job={{}},
))
"""


@dataclass(frozen=True, slots=True)
class Way:
    """An address, and what its requests must bear."""

    name: str
    url: str
    server: JupyterServer
    kernel_id: str
    headers: dict[str, str] = field(repr=False)


@contextlib.contextmanager
def ways(folder: Path) -> Iterator[list[Way]]:
    """All that can be had, each ready to be used."""
    with contextlib.ExitStack() as stack:
        homes = [folder / name for name in ("near", "remote", "far")]
        for home in homes:
            home.mkdir()
        extended: tuple[str, ...] = ()
        if _has_extension():
            extended = (f"--ServerApp.jpserver_extensions={{'{_EXTENSION}': True}}",)
        server = stack.enter_context(jupyter_server(homes[0], *extended))
        remote = stack.enter_context(kernel_gateway(homes[1]))
        behind = stack.enter_context(gatewayed_server(homes[2], remote))
        kernel_id, address = stack.enter_context(_serving(server))
        bearer = {"Authorization": f"Bearer {toy.TOKEN}"}
        found = [Way(DIRECT, address, server, kernel_id, bearer)]
        for name, one, same in (
            (TUNNEL, server, kernel_id),
            (KERNEL_GATEWAY, remote, None),
            (BEHIND_GATEWAY, behind, None),
        ):
            served = same or stack.enter_context(_serving(one))[0]
            tunnel = stack.enter_context(Tunnel(one, served))
            tunnel.wait(30)
            found.append(Way(name, tunnel.address, one, served, bearer))
        found += _proxies(server, kernel_id)
        if on_ray.installed():
            url = f"{stack.enter_context(on_ray.ingress())}/toy"
            found.append(Way(RAY, url, server, kernel_id, bearer))
        yield found


def _proxies(server: JupyterServer, kernel_id: str) -> list[Way]:
    """The Lab server extension's way, where this version has it."""
    if not _has_extension():
        return []
    lease = _LEASE.format(kernel_id=kernel_id, token=toy.TOKEN)
    JupyterClient(server).execute(kernel_id, lease, "1", timeout_s=30)
    url = f"{server.url}/picsellia/serving/{kernel_id}/"
    headers = {"Authorization": f"token {server.token}", "X-Front-Token": toy.TOKEN}
    reply = httpx.post(url, headers=headers, trust_env=False, timeout=30)
    return [Way(PROXY, url, server, kernel_id, headers)] if reply.is_success else []


def _has_extension() -> bool:
    return importlib.util.find_spec(_EXTENSION) is not None


@contextlib.contextmanager
def _serving(server: JupyterServer) -> Iterator[tuple[str, str]]:
    """A kernel that serves: its id, and its front's address."""
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60) as http:
        kernel_id = http.post("/api/kernels", json={}).raise_for_status().json()["id"]
        try:
            told = JupyterClient(server).execute(kernel_id, _SERVE, "address", timeout_s=60)
            yield kernel_id, told.strip("'")
        finally:
            http.delete(f"/api/kernels/{kernel_id}")
