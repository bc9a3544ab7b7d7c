"""A serving kernel of a real Jupyter server: started, asked, and looked for when it is gone."""

from __future__ import annotations

import ast
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.clients.processes import started
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.launch import leases
from picsellia_jupyter.launch.leases import Lease
from tests.jupyter_servers import RunningServer

FRONT_TOKEN = "front-token-canary"
WORKER = "picsellia_jupyter.serving.worker"


@dataclass
class Served:
    """One serving kernel, and what its predictions were answered with."""

    server: RunningServer
    kernel_id: str
    deployment: DeploymentRecord
    api_token: str
    image: Path
    acknowledged: int = 0
    sent: int = 0
    seen: dict[int, str] = field(default_factory=dict)
    """Worker processes, with when they began."""

    @classmethod
    def start(
        cls, server: RunningServer, job: dict[str, Any], deployment: DeploymentRecord, image: Path,
        *, code: str = "said = start(job)",
    ) -> Served:  # fmt: skip
        """Start a kernel that prepares the job and serves the deployment."""
        client = JupyterClient(server.at)
        kernel_id = client.start_kernel("Picsellia: faults", "picsellia-serving")
        job = {**job, "front_token": FRONT_TOKEN, "kernel_id": kernel_id}
        reply = client.execute(
            kernel_id,
            "import json\nfrom picsellia_jupyter.serving.kernel import start\n"
            f"job = json.loads({json.dumps(job)!r})\n{code}\nsaid = json.dumps(said)\n",
            "said",
            timeout_s=60,
        )
        address = json.loads(ast.literal_eval(reply))["address"]
        with _control(address) as front:
            wait_for(lambda: front.get("/control/status").json()["dry_run"])
            body = {"deployment_id": deployment.id}
            assert front.post("/control/attach", json=body).status_code == 200
        made = cls(server, kernel_id, deployment, job["token"], image)
        assert made.workers()
        return made

    @property
    def lease(self) -> Lease | None:
        return leases.read(self.kernel_id, self.server.runtime)

    @property
    def lease_files(self) -> list[str]:
        return [path.name for path in leases.files(self.server.runtime)]

    def workers(self) -> dict[int, str]:
        """The worker processes of this kernel that run; none while it is gone."""
        lease = self.lease
        found = _workers_of(lease.pid) if lease else {}
        self.seen.update(found)
        return found

    def survivors(self) -> list[int]:
        """Workers that were ever seen and run without their kernel."""
        own = self.workers()
        return [p for p, since in self.seen.items() if p not in own and started(p) == since]

    def predict(self, count: int = 1) -> None:
        """Have predictions made, and count those that are acknowledged."""
        lease = self.lease
        assert lease is not None
        with httpx.Client(base_url=lease.address, timeout=30) as front:
            login = {"api_token": self.api_token, "deployment_id": self.deployment.id}
            reply = front.post("/api/login", json=login)
            assert reply.status_code == 200, reply.text
            headers = {"Authorization": f"Bearer {reply.json()['jwt']}"}
            for _ in range(count):
                self.sent += 1
                reply = front.post(
                    f"/api/deployments/{self.deployment.id}/predict",
                    headers=headers,
                    data={"monitor": "True"},
                    files={"media": ("page.png", self.image.read_bytes())},
                )
                self.acknowledged += reply.status_code == 200 and reply.json()["monitored"]

    def flush(self) -> None:
        """Wait until what was acknowledged is recorded."""
        assert self.lease is not None
        with _control(self.lease.address) as front:
            assert front.post("/control/flush", json={"timeout_s": 20}).json()["pending"] == 0

    def back(self, before: Lease) -> Lease | None:
        """The lease of a process that serves the same deployment again."""
        lease = self.lease
        if lease is None or (lease.pid, lease.started) == (before.pid, before.started):
            return None
        try:
            ready = httpx.get(f"{lease.address}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return None
        return lease if ready and lease.deployment_id == self.deployment.id else None

    def await_back(self, before: Lease) -> float:
        """Wait until it serves again; the seconds that took."""
        began = time.monotonic()
        try:
            wait_for(lambda: self.back(before), within_s=40)
        except AssertionError as error:
            raise AssertionError(f"It is not back:\n{self.server.log()[-4000:]}") from error
        return time.monotonic() - began

    def restart(self) -> None:
        """Have Jupyter start the kernel anew, as its menu does."""
        reply = self.server.request("POST", f"/api/kernels/{self.kernel_id}/restart")
        assert reply.status_code == 200

    def delete(self) -> None:
        self.server.request("DELETE", f"/api/kernels/{self.kernel_id}")


def _workers_of(kernel: int) -> dict[int, str]:
    try:
        children = psutil.Process(kernel).children()
        lines = {child.pid: " ".join(child.cmdline()) for child in children}
    except psutil.Error:  # it ends just now; asked again, it is gone
        return {}
    began = {pid: started(pid) for pid, line in lines.items() if WORKER in line}
    return {pid: since for pid, since in began.items() if since}


def wait_for(condition: Callable[[], Any], *, within_s: float = 30.0) -> Any:
    """Poll until something is true; its value."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not true within {within_s:g} s")


def kill(lease: Lease, number: int) -> None:
    """Send a signal to the process of a lease, which runs."""
    assert lease.alive
    os.kill(lease.pid, number)


def _control(address: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {FRONT_TOKEN}"}
    return httpx.Client(base_url=address, headers=headers, timeout=30)
