"""A serving kernel's own front through the proxy, asked as `docs/serving.md` says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.clients.labserver import proxied_front
from tests.jupyter_servers import REPOSITORY
from tests.labserver.kinds import extension
from tests.launch.tunnelled import serving_kernel
from tests.serving import fakes

TEXT = (REPOSITORY / "docs" / "serving.md").read_text(encoding="utf-8")
REGISTER = """
from picsellia_jupyter.serving import kernel
from tests.labserver import front
front.register({kernel_id!r}, kernel._RUNNING[-1].address)
"""


@pytest.fixture(scope="module")
def kernel_id(server, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("model")
    code = f"from tests.launch import front; front.serve({str(folder)!r})"
    with serving_kernel(server.at, code) as started:
        client = JupyterClient(server.at)
        client.execute(started, REGISTER.format(kernel_id=started), "1", timeout_s=30)
        yield started


def test_the_example_with_curl_runs_as_it_stands(server, kernel_id, tmp_path):
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("needs bash and curl")
    [example] = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "photo.jpg").write_bytes(fakes.picture())
    environment = {
        "PATH": os.environ["PATH"],
        "JUPYTER_URL": server.at.url,
        "JUPYTER_TOKEN": server.at.token,
        "API_TOKEN": "api-token-canary",
        "KERNEL_ID": kernel_id,
        "DEPLOYMENT_ID": fakes.DEPLOYMENT,
    }

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", example],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["detection_classes"] == [0]


def test_a_refusal_that_does_not_wait_for_a_large_body_arrives(server, kernel_id):
    front = proxied_front(server.at, kernel_id, "a-wrong-token")
    path = f"{front.url}/api/deployments/{fakes.DEPLOYMENT}/predict"
    with httpx.Client(headers=front.headers, trust_env=False) as http:
        for _ in range(20):
            assert http.post(path, content=b"x" * 12 * 1024**2).status_code == 401


def test_no_token_is_written_to_the_servers_log(server, kernel_id):
    secret = str(extension(server)._http.headers["X-Picsellia-Secret"])
    front = proxied_front(server.at, kernel_id, "bearer-canary")
    for query in ({}, {"token": server.at.token}):
        reply = httpx.get(f"{front.url}/control/x", headers=front.headers, params=query)
        assert reply.status_code == (403 if query else 401)
    extension(server).kernels()

    log = server.log()

    assert "/control/x" in log
    tokens = (secret, server.at.token, "bearer-canary", "api-token-canary", "front-token-canary")
    assert [token for token in tokens if token in log] == []


def test_what_is_needed_for_it_does_not_show_its_tokens(server):
    front = proxied_front(server.at, "k", "token-canary")
    assert front.url == f"{server.at.url}/picsellia/serving/k"
    assert not any(token in repr(front) for token in ("token-canary", server.at.token))
