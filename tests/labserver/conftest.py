"""A real Jupyter server with the extension, and a kernel of it with a tiny front."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient
from tests.jupyter_servers import RunningServer
from tests.labserver.kinds import Kind, Proxied, extended


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    """With a token, a prefix as JupyterHub has, and no way in for the unknown."""
    folder = tmp_path_factory.mktemp("jupyter") / "one"
    options = ("--ServerApp.base_url=/user/me/", "--ServerApp.allow_unauthenticated_access=False")
    with extended(folder, Kind.TOKEN, *options) as running:
        yield running


@pytest.fixture(scope="module")
def proxied(server) -> Iterator[Proxied]:
    """A kernel of that server in which a front serves."""
    kernel_id = server.request("POST", "/api/kernels", {}).raise_for_status().json()["id"]
    code = f"from tests.labserver import front\naddress = front.serve({kernel_id!r})"
    told = JupyterClient(server.at).execute(kernel_id, code, "address", timeout_s=60)
    with Proxied.of(server, kernel_id, told.strip("'")) as found:
        yield found
