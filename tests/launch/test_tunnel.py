"""A tunnel to a kernel of a real Jupyter server, of a Kernel Gateway, and through a gateway."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator

import httpx
import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.launch.tunnel import Tunnel
from tests.launch import echo
from tests.launch.jupyter_servers import gatewayed_server, jupyter_server, kernel_gateway

SERVE = "from tests.launch import echo; echo.serve()"


@pytest.fixture(scope="module", params=["server", "gateway", "server behind a gateway"])
def server(request, tmp_path_factory) -> Iterator[JupyterServer]:
    with contextlib.ExitStack() as stack:
        home = tmp_path_factory.mktemp("jupyter")
        if request.param == "server":
            yield stack.enter_context(jupyter_server(home))
            return
        remote = stack.enter_context(kernel_gateway(home, "--KernelGatewayApp.list_kernels=True"))
        if request.param == "gateway":
            yield remote
        else:
            yield stack.enter_context(gatewayed_server(tmp_path_factory.mktemp("near"), remote))


@pytest.fixture(scope="module")
def kernel_id(server: JupyterServer) -> Iterator[str]:
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60) as http:
        kernel_id = http.post("/api/kernels", json={}).raise_for_status().json()["id"]
        JupyterClient(server).execute(kernel_id, SERVE, "1", timeout_s=60)
        yield kernel_id
        http.delete(f"/api/kernels/{kernel_id}")


@pytest.fixture(scope="module")
def tunnel(server: JupyterServer, kernel_id: str) -> Iterator[Tunnel]:
    with Tunnel(server, kernel_id) as tunnel:
        tunnel.wait(20)
        yield tunnel


@pytest.fixture(scope="module")
def client(tunnel: Tunnel) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=tunnel.address, headers=bearer(), timeout=60, trust_env=False
    ) as client:
        yield client


def bearer() -> dict[str, str]:
    return {"Authorization": f"Bearer {echo.TOKEN}"}


def test_a_request_arrives_as_it_was_sent_but_for_what_concerns_one_hop(client: httpx.Client):
    headers = {"Cookie": "a=b", "TE": "trailers", "X-Mine": b"\xe9", "Accept": "x/y"}

    told = client.post("/told/a%20b%2Fc?x=1&y=%C3%A9", content=b"abc", headers=headers).json()

    assert told["method"] == "POST"
    assert (told["path"], told["raw_path"]) == ("/told/a b/c", "/told/a%20b%2Fc")
    assert told["query"] == {"x": "1", "y": "é"}
    assert told["sha256"] == hashlib.sha256(b"abc").hexdigest()
    assert told["headers"]["host"] == "127.0.0.1:9"
    assert (told["headers"]["accept"], told["headers"]["x-mine"]) == ("x/y", "é")
    assert not {"cookie", "te", "connection", "origin"} & set(told["headers"])


def test_the_tunnel_is_no_proof_of_anything(tunnel: Tunnel):
    assert httpx.get(f"{tunnel.address}/told", trust_env=False).status_code == 401


@pytest.mark.parametrize("mebibytes", [0, 1, 12, 60])
def test_bodies_of_any_size_pass_both_ways(client: httpx.Client, mebibytes: int):
    body = os.urandom(mebibytes * 1024 * 1024 + 17)

    reply = client.post("/back", content=body)

    assert reply.status_code == 200
    assert hashlib.sha256(reply.content).digest() == hashlib.sha256(body).digest()
