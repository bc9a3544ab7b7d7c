"""The serving kernel's own front through a tunnel, asked by the official SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from picsellia.sdk.connection import JwtServiceConnection

from benchmarks.places.servers import jupyter_server
from picsellia_jupyter.launch.tunnel import Tunnel
from tests.launch.tunnelled import serving_kernel
from tests.serving import fakes

ROUTE = f"/api/deployments/{fakes.DEPLOYMENT}/predict"
LOGIN = {"api_token": "api-token-canary", "deployment_id": fakes.DEPLOYMENT}


@pytest.fixture(scope="module")
def tunnel(tmp_path_factory) -> Iterator[Tunnel]:
    folder = tmp_path_factory.mktemp("model")
    code = f"from tests.launch import front; front.serve({str(folder)!r})"
    with (
        jupyter_server(tmp_path_factory.mktemp("jupyter")) as server,
        serving_kernel(server, code) as kernel_id,
        Tunnel(server, kernel_id) as tunnel,
    ):
        tunnel.wait(20)
        yield tunnel


def test_the_sdk_logs_in_and_predicts(tunnel: Tunnel):
    sdk = JwtServiceConnection(tunnel.address, LOGIN, "/api/login")
    photo = fakes.picture(width=640, height=480)

    reply = sdk.post(
        ROUTE, data={"monitor": "True", "postprocess": "True"}, files={"media": ("a.jpg", photo)}
    )

    assert reply.status_code == 200, reply.text
    assert reply.json()["detection_classes"] == [0]


def test_a_batch_is_answered_line_by_line(tunnel: Tunnel):
    token = httpx.post(f"{tunnel.address}/api/login", json=LOGIN, trust_env=False).json()["jwt"]
    photos = [("media", (f"{n}.jpg", fakes.picture())) for n in range(40)]

    reply = httpx.post(
        f"{tunnel.address}{ROUTE}/batch", headers={"Authorization": f"Bearer {token}"},
        data={"monitor": "False"}, files=photos, timeout=60, trust_env=False,
    )  # fmt: skip

    *lines, end = map(json.loads, reply.text.splitlines())
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert {line["status"] for line in lines} == {200}
    assert end == {"images": 40, "failed": 0, "error": None}


@pytest.mark.parametrize("token", ["none", "front-token", "api-token-canary"])
def test_the_front_asks_for_its_token_as_ever(tunnel: Tunnel, token: str):
    headers = {"Authorization": f"Bearer {token}"}

    for path in ("/control/status", ROUTE, "/metrics"):
        reply = httpx.get(f"{tunnel.address}{path}", headers=headers, trust_env=False)
        assert reply.status_code == 401
        assert reply.json()["message"] == "The token is missing, wrong or expired."

    headers = {"Authorization": "Bearer front-token-canary"}
    reply = httpx.get(f"{tunnel.address}/control/status", headers=headers, trust_env=False)
    assert reply.json()["state"] == "ready"


def test_a_kernel_that_is_told_to_serve_answers_through_its_jupyter_server_by_itself(
    tmp_path_factory,
):
    """Nobody serves at its platform's address: the front is there before the model is."""
    job = fakes.job(tmp_path_factory.mktemp("cache"))
    code = f"from picsellia_jupyter.serving.kernel import start; start({job!r})"
    with (
        jupyter_server(tmp_path_factory.mktemp("jupyter")) as server,
        serving_kernel(server, code) as kernel_id,
        Tunnel(server, kernel_id) as tunnel,
    ):
        tunnel.wait(20)
        reply = httpx.get(f"{tunnel.address}/health/live", trust_env=False)

    assert reply.json() == {"live": True}
