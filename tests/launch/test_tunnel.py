"""A tunnel to a kernel of a real Jupyter server, of a Kernel Gateway, and through a gateway."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from picsellia.sdk.connection import JwtServiceConnection

from benchmarks.places.bystander import Bystander
from benchmarks.places.servers import gatewayed_server, jupyter_server, kernel_gateway
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.launch.tunnel import Tunnel
from tests.launch import echo
from tests.launch.tunnelled import BEARER, SERVE, serving_kernel

WITHOUT_SHORTCUT = f"""
from picsellia_jupyter.serving import tunnel
tunnel._skip_status = lambda kernel: None
{SERVE}
"""


@pytest.fixture(scope="module", params=["server", "gateway", "server behind a gateway"])
def server(request, tmp_path_factory) -> Iterator[JupyterServer]:
    with contextlib.ExitStack() as stack:
        home = tmp_path_factory.mktemp("jupyter")
        if request.param == "server":
            yield stack.enter_context(jupyter_server(home))
            return
        remote = stack.enter_context(kernel_gateway(home))
        if request.param == "gateway":
            yield remote
        else:
            yield stack.enter_context(gatewayed_server(tmp_path_factory.mktemp("near"), remote))


@pytest.fixture(scope="module")
def kernel_id(server: JupyterServer) -> Iterator[str]:
    with serving_kernel(server) as kernel_id:
        yield kernel_id


@pytest.fixture(scope="module")
def tunnel(server: JupyterServer, kernel_id: str) -> Iterator[Tunnel]:
    with Tunnel(server, kernel_id) as tunnel:
        tunnel.wait(20)
        yield tunnel


@pytest.fixture(scope="module")
def client(tunnel: Tunnel) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=tunnel.address, headers=BEARER, timeout=60, trust_env=False
    ) as client:
        yield client


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_a_request_arrives_as_it_was_sent_but_for_what_concerns_one_hop(client: httpx.Client):
    headers = {"Cookie": "a=b", "TE": "trailers", "X-Mine": b"\xe9", "Accept": "x/y"}

    told = client.post("/told/a%20b%2Fc?x=1&y=%C3%A9", content=b"abc", headers=headers).json()

    assert told["method"] == "POST"
    assert (told["path"], told["raw_path"]) == ("/told/a b/c", "/told/a%20b%2Fc")
    assert told["query"] == {"x": "1", "y": "é"}
    assert told["sha256"] == digest(b"abc")
    assert told["headers"]["host"] == "127.0.0.1:9"
    assert (told["headers"]["accept"], told["headers"]["x-mine"]) == ("x/y", "é")
    assert not {"cookie", "te", "connection", "origin"} & set(told["headers"])


def test_a_form_arrives_from_httpx_and_from_the_official_sdk_alike(
    tunnel: Tunnel, client: httpx.Client
):
    photo = os.urandom(80_000)
    files = {"media": ("photo.jpg", photo)}

    by_httpx = client.post("/told", data={"tags": "a"}, files=files).json()
    sdk = JwtServiceConnection(tunnel.address, {"api_token": "x"}, "/api/login")
    by_sdk = sdk.post("/told", data={"tags": "a"}, files=files).json()

    for told in (by_httpx, by_sdk):
        assert told["headers"]["content-type"].startswith("multipart/form-data; boundary=")
        assert told["length"] == int(told["headers"]["content-length"]) > len(photo)


def test_the_tunnel_is_no_proof_of_anything(tunnel: Tunnel):
    assert httpx.get(f"{tunnel.address}/told", trust_env=False).status_code == 401


@pytest.mark.parametrize("mebibytes", [0, 1, 12, 60])
def test_bodies_of_any_size_pass_both_ways(client: httpx.Client, mebibytes: int):
    body = os.urandom(mebibytes * 1024 * 1024 + 17)

    reply = client.post("/back", content=body)

    assert reply.status_code == 200
    assert digest(reply.content) == digest(body)


def test_a_body_of_unknown_length_and_a_reply_of_unknown_length_pass(client: httpx.Client):
    pieces = [os.urandom(700_000) for _ in range(5)]

    reply = client.post("/stream", content=iter(pieces))

    assert digest(reply.content) == digest(b"".join(pieces))


def test_lines_arrive_one_by_one(client: httpx.Client):
    with client.stream("GET", "/lines") as reply:
        lines = reply.iter_lines()
        seen = []
        for _ in range(3):
            # The next one is not made before this one arrived.
            seen.append(next(lines))
            client.get("/next")

    assert reply.headers["content-type"] == "application/x-ndjson"
    assert seen == ["0", "1", "2"]


def test_a_head_request_has_the_headers_alone(client: httpx.Client):
    reply = client.head("/told")

    assert int(reply.headers["content-length"]) > 0
    assert reply.content == b""


def test_sixty_four_requests_at_once_are_each_answered_with_their_own(tunnel: Tunnel):
    def ask(number: int) -> bool:
        body = bytes([number]) * 50_000
        reply = httpx.post(
            f"{tunnel.address}/back", content=body, headers=BEARER, trust_env=False, timeout=60
        )
        return reply.content == body

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(ask, range(64)))


def test_others_on_the_kernel_see_nothing_of_it(
    server: JupyterServer, kernel_id: str, client: httpx.Client
):
    bystander = Bystander(server, kernel_id)
    bystander.frames()

    for _ in range(20):
        client.post("/told", content=b"x" * 80_000).raise_for_status()

    # What its own joining had the kernel say may come late.
    heard = [one["parent_header"].get("msg_type") for one in bystander.frames()]
    assert [kind for kind in heard if kind != "kernel_info_request"] == []
    bystander.close()


def test_a_request_is_answered_while_a_cell_runs(
    server: JupyterServer, kernel_id: str, client: httpx.Client, tmp_path: Path
):
    began, end = tmp_path / "began", tmp_path / "end"
    os.mkfifo(began)
    os.mkfifo(end)
    cell = f"open({str(began)!r}, 'w').close(); open({str(end)!r}).close()"
    run = threading.Thread(
        target=JupyterClient(server).execute, args=(kernel_id, cell, "1"), kwargs={"timeout_s": 60}
    )
    run.start()
    began.open().close()

    reply = client.get("/told")

    assert run.is_alive()
    end.open("w").close()
    run.join(30)
    assert reply.status_code == 200


def test_a_client_that_goes_away_is_told_to_the_app(client: httpx.Client):
    before = client.get("/left").json()["left"]

    with pytest.raises(httpx.ReadTimeout):
        client.get("/forever", timeout=0.3)

    assert client.get(f"/left?beyond={before}").json()["left"] == before + 1


def test_a_failure_of_the_app_is_told_without_its_text(client: httpx.Client):
    reply = client.get("/fails")

    assert reply.status_code == 500
    assert reply.json() == {
        "message": "The serving kernel made a mistake.",
        "detail": "Its log says which.",
        "error": "ServingError",
    }


def test_a_reply_that_breaks_off_does_not_look_whole(client: httpx.Client):
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        client.get("/fails?late=1")


def test_a_tunnel_works_where_the_short_way_through_ipykernel_is_closed(server: JupyterServer):
    with serving_kernel(server, WITHOUT_SHORTCUT) as kernel_id, Tunnel(server, kernel_id) as tunnel:
        tunnel.wait(20)
        reply = httpx.post(
            f"{tunnel.address}/back", content=b"abc", headers=BEARER, trust_env=False
        )

    assert reply.content == b"abc"
    assert tunnel.front_address == echo.ADDRESS
