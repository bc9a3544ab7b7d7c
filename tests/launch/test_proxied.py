"""Large bodies through a tunnel to a kernel whose Jupyter server has our extension, and not."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator

import httpx
import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.launch.proxied import FROM_BYTES
from picsellia_jupyter.launch.tunnel import Tunnel
from tests.jupyter_servers import RunningServer, running_server
from tests.labserver.kinds import Kind, extended
from tests.launch.tunnelled import BEARER, SERVE, serving_kernel

LARGE = b"\xa5" * (FROM_BYTES + 1)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    """With the extension, below a path as JupyterHub's servers are."""
    folder = tmp_path_factory.mktemp("jupyter") / "one"
    with extended(folder, Kind.TOKEN, "--ServerApp.base_url=/user/me/") as running:
        yield running


@contextlib.contextmanager
def tunnelled(server: JupyterServer, *, leased: bool) -> Iterator[tuple[Tunnel, httpx.Client]]:
    """A tunnel to a kernel that serves `echo`, which has a lease or not; a client of it."""
    with serving_kernel(server, SERVE) as kernel_id, Tunnel(server, kernel_id) as tunnel:
        if leased:
            code = f"from tests.labserver import front; address = front.serve({kernel_id!r})"
            JupyterClient(server).execute(kernel_id, code, "address", timeout_s=30)
        tunnel.wait(20)
        with httpx.Client(
            base_url=tunnel.address, headers=BEARER, trust_env=False, timeout=60
        ) as client:
            yield tunnel, client


@pytest.fixture(scope="module")
def leased(server: RunningServer) -> Iterator[tuple[Tunnel, httpx.Client]]:
    with tunnelled(server.at, leased=True) as found:
        yield found


def test_a_body_over_4_mib_goes_through_the_proxy_and_a_small_one_does_not(leased):
    tunnel, client = leased
    before = tunnel.proxied

    small = client.post("/told/small?a=1", content=LARGE[:-1]).json()
    assert tunnel.proxied == before
    assert small["path"] == "/told/small"

    large = client.post("/told/big?a=%20b", content=LARGE, headers={"X-Secret": "no"}).json()
    assert tunnel.proxied == before + 1
    assert (large["method"], large["target"]) == ("POST", "/told/big?a=%20b")
    assert (large["bytes"], large["sha256"]) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
    # What the front sees is for the front; the way's own tokens stay on the way.
    assert large["headers"]["authorization"] == BEARER["Authorization"]
    assert not {"x-secret", "expect", "x-picsellia-authorization"} & set(large["headers"])


def test_a_body_of_unknown_length_is_collected_to_see_whether_it_is_large(leased):
    tunnel, client = leased
    before = tunnel.proxied

    def pieces(size):
        for start in range(0, size, 100_000):
            yield LARGE[start : min(start + 100_000, size)]

    assert "path" in client.post("/told", content=pieces(300_000)).json()
    assert tunnel.proxied == before
    large = client.post("/told", content=pieces(len(LARGE))).json()
    assert tunnel.proxied == before + 1
    assert large["sha256"] == hashlib.sha256(LARGE).hexdigest()


def test_a_reply_comes_back_as_it_is_streamed(leased):
    tunnel, client = leased
    body = LARGE + b"end"
    before = tunnel.proxied

    # The front of the kernel answers with what it is sent, while it is being sent.
    reply = client.post("/upload", content=body)

    assert tunnel.proxied == before + 1
    assert reply.content == body


def test_a_front_that_dies_over_a_large_body_is_a_503_that_may_be_tried_again(leased):
    _, client = leased
    reply = client.post("/dies", content=LARGE)

    assert reply.status_code in (502, 503)
    assert reply.json()["message"]


def test_a_reply_that_breaks_off_does_not_look_whole(leased):
    _, client = leased
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/dies-with-a-length", content=LARGE)


def test_where_the_kernel_has_no_lease_a_large_body_goes_through_the_tunnel(server):
    with tunnelled(server.at, leased=False) as (tunnel, client):
        told = client.post("/told", content=LARGE).json()

    assert tunnel.proxied == 0
    assert (told["path"], told["length"]) == ("/told", len(LARGE))


def test_where_there_is_no_extension_a_large_body_goes_through_the_tunnel(tmp_path):
    config = tmp_path / "plain" / "config" / "jupyter_server_config.json"
    config.parent.mkdir(parents=True)
    without = {"ServerApp": {"jpserver_extensions": {"picsellia_jupyter.labserver": False}}}
    config.write_text(json.dumps(without))
    with (
        running_server(tmp_path / "plain") as plain,
        tunnelled(plain.at, leased=True) as (tunnel, client),
    ):
        for _ in range(2):
            told = client.post("/told", content=LARGE).json()
            assert told["sha256"] == hashlib.sha256(LARGE).hexdigest()
        assert "path" in told
        assert tunnel.proxied == 0
        # It is not asked for again and again.
        assert json.dumps(plain.log()).count("/health/live") <= 1
