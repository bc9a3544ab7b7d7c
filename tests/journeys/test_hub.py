"""A real JupyterHub: a model is served at a user's server, from outside and from a notebook there.

Runs where `jupyterhub` and `configurable-http-proxy` are installed; the base paths and variables
of a hub alone are tried everywhere (tests/labserver, tests/clients).
"""

from __future__ import annotations

import ast
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.session import Session
from tests.jupyter_servers import REPOSITORY

pytest.importorskip("jupyterhub")
pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(
        shutil.which("configurable-http-proxy") is None, reason="needs configurable-http-proxy"
    ),
]
USER = "lab"
"""Called as a page is, for what is typed to be read rightly."""
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{public}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.environment = {environment!r}
c.JupyterHub.services = [{{"name": "tests", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [{{
    "name": "tests", "services": ["tests"],
    "scopes": ["admin:users", "admin:servers", "access:servers"],
}}]
"""
INSIDE = """
from picsellia_jupyter import Session
from picsellia_jupyter.clients.labserver import own_client
client = own_client()
d = Session().deploy("digits-classifier", name="inside")
found = d.predict({images!r})
said = (type(client).__name__, len(found), d.record.serving.place, d.record.serving.kernel_id)
"""


@dataclass(frozen=True)
class Hub:
    url: str
    token: str

    def user_server(self) -> JupyterServer:
        """Start the user's server; it, with a token that opens it."""
        headers = {"Authorization": f"token {self.token}"}
        api = httpx.Client(base_url=f"{self.url}/hub/api", headers=headers, timeout=60)
        api.post(f"/users/{USER}").raise_for_status()
        api.post(f"/users/{USER}/server").raise_for_status()
        until = time.monotonic() + 60
        while not api.get(f"/users/{USER}").json()["servers"].get("", {}).get("ready"):
            assert time.monotonic() < until, "the user's server did not come up"
            time.sleep(0.2)
        return JupyterServer(f"{self.url}/user/{USER}", self.token)


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="module")
def hub(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder, token = tmp_path_factory.mktemp("hub"), secrets.token_hex(16)
    public, inner, api = free_ports(3)
    (folder / "data").mkdir()
    (folder / "data" / "kernels").symlink_to(REPOSITORY / "kernels")
    (folder / "config").mkdir()
    settings = {"ServerApp": {"jpserver_extensions": {"picsellia_jupyter.labserver": True}}}
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
    environment = {
        "PYTHONPATH": str(REPOSITORY),
        "PICSELLIA_JUPYTER_HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    config = folder / "jupyterhub_config.py"
    config.write_text(
        CONFIG.format(
            public=public, hub=inner, api=api, folder=folder, python=sys.executable,
            environment=environment, token=token,
        )
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=folder, env={**os.environ, "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16)},
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield _await(process, Hub(f"http://127.0.0.1:{public}", token), folder / "log")
    finally:
        process.terminate()
        process.wait(30)


def _await(process: subprocess.Popen[bytes], hub: Hub, log: Path) -> Hub:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{hub.url}/hub/api", timeout=5).is_success:
                return hub
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"JupyterHub did not come up:\n{log.read_text(errors='replace')[-4000:]}")


def test_a_users_server_is_a_place_and_its_notebooks_serve_there(
    home: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    server = hub.user_server()
    monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", server.token)
    images = [str(path) for path, _ in catalog.digits()[:4]]
    session = Session(home=home)

    # From outside, by the address as it stands in the browser.
    outside = session.deploy("digits-classifier", on=f"{server.url}/lab/tree/a.ipynb")
    assert not outside.predict(images).failures
    assert outside.record.serving is not None
    assert outside.record.serving.place == server.url
    outside.undeploy(delete=True)

    # From a notebook of that server, which knows the hub's token by its variables.
    client = JupyterClient(server)
    notebook = client.start_kernel("notebook", "python3")
    told = client.execute(notebook, INSIDE.format(images=images), "said", timeout_s=120)
    kind, count, place, kernel_id = ast.literal_eval(told)
    assert (kind, count, place) == ("JupyterClient", 4, "local")
    assert kernel_id in client.kernels()
    client.delete_kernel(notebook)
    # It outlives the notebook, and ends itself through its server.
    session.undeploy("inside", delete=True)
    until = time.monotonic() + 20
    while kernel_id in client.kernels():
        assert time.monotonic() < until, "the serving kernel lingers"
        time.sleep(0.1)
