"""What the tests of the tunnel share: a kernel that serves `echo`, and what it is asked with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx

from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from tests.launch import echo

SERVE = "from tests.launch import echo; echo.serve()"
BEARER = {"Authorization": f"Bearer {echo.TOKEN}"}


@contextlib.contextmanager
def serving_kernel(server: JupyterServer, code: str = SERVE) -> Iterator[str]:
    """The id of a kernel that serves the app of `echo` over its control channel."""
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60) as http:
        kernel_id = http.post("/api/kernels", json={}).raise_for_status().json()["id"]
        try:
            JupyterClient(server).execute(kernel_id, code, "1", timeout_s=60)
            yield kernel_id
        finally:
            http.delete(f"/api/kernels/{kernel_id}")
