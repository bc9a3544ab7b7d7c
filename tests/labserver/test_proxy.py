"""The proxy passes requests and replies as they come, and hides nothing that went wrong."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.launch import leases
from tests.labserver.front import LINES, TOKEN
from tests.labserver.kinds import Proxied, serve_front, start_front

MIB = 1024**2


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_arrives_with_its_path_query_and_body(proxied, method):
    body = b"" if method in ("GET", "OPTIONS") else b"a body"
    path = "/api/deployments/a%20b/predict?index=1&name=%C3%A9&empty="

    seen = proxied.http.request(method, path, content=body).raise_for_status().json()

    assert (seen["method"], seen["target"]) == (method, path)
    assert seen["sha256"] == hashlib.sha256(body).hexdigest()


def test_a_head_request_is_answered_with_headers_alone(proxied):
    reply = proxied.http.head("/seen")
    assert (reply.status_code, reply.content) == (200, b"")
    assert int(reply.headers["Content-Length"]) > 0


def test_a_front_sees_its_own_authorization_and_nothing_of_jupyters(proxied):
    sent = {
        "Cookie": "_xsrf=1; username-127-0-0-1=x",
        "X-XSRFToken": "1",
        "Referer": "http://127.0.0.1/lab",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "elsewhere.test",
        "Forwarded": "for=10.0.0.1",
        "X-Real-IP": "10.0.0.1",
        "X-Picsellia-Secret": "s",
        "Prefer": "wait=2.5",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "a-client",
        "Content-Type": "image/png",
    }

    seen = proxied.http.post("/seen", headers=sent, content=b"x").json()["headers"]

    assert seen == {
        "host": proxied.address.removeprefix("http://"),
        "authorization": f"Bearer {TOKEN}",
        "prefer": "wait=2.5",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "a-client",
        "content-type": "image/png",
        "content-length": "1",
    }
    assert proxied.server.at.token not in json.dumps(seen)


def test_60_mib_pass_in_both_directions_without_being_held(proxied):
    piece = bytes(range(256)) * 4096
    body = [piece] * 60
    _await_memory(proxied)  # what is imported once
    before = _peak_memory(proxied.server.process.pid)

    seen = proxied.http.post("/seen", content=iter(body)).json()
    with proxied.http.stream("GET", "/large") as reply:
        got = hashlib.sha256()
        for chunk in reply.iter_raw():
            got.update(chunk)

    assert seen["bytes"] == 60 * MIB
    assert seen["sha256"] == hashlib.sha256(b"".join(body)).hexdigest()
    assert got.hexdigest() == hashlib.sha256(b"\xa5" * 60 * MIB).hexdigest()
    assert _peak_memory(proxied.server.process.pid) - before < 24 * MIB


def test_a_reply_comes_line_by_line(proxied):
    with proxied.http.stream("POST", "/stream") as reply:
        pieces = reply.iter_raw()
        assert next(pieces) == LINES[0]
        # The front says the second line only after this: nothing was held back.
        assert proxied.http.get("/go").is_success
        assert b"".join(pieces) == LINES[1]


def test_a_body_arrives_while_it_is_being_sent(proxied):
    def body():
        yield b"first"
        assert proxied.http.get("/begun").is_success
        yield b", second"

    assert proxied.http.post("/upload", content=body()).content == b"first, second"


@pytest.mark.parametrize("path", ["/dies-with-a-length", "/dies-in-chunks"])
def test_a_front_that_dies_while_it_answers_is_never_a_clean_short_end(proxied, path):
    with pytest.raises(httpx.RemoteProtocolError):
        proxied.http.get(path)


@pytest.mark.parametrize(
    ("path", "fact"),
    [
        ("/dies", "The serving kernel broke off before it answered."),
        ("/redirect", "leads elsewhere"),
        ("/endless", "has no length"),
    ],
)
def test_a_reply_that_cannot_be_passed_is_a_bad_gateway(proxied, path, fact):
    reply = proxied.http.post(path, content=b"x" * MIB)
    assert reply.status_code == 502
    assert fact in reply.json()["message"]
    assert reply.json()["detail"]
    assert "Location" not in reply.headers


def test_an_answer_before_the_body_was_read_arrives(proxied):
    reply = proxied.http.post("/too-much", content=b"x" * 8 * MIB)
    assert (reply.status_code, reply.content) == (413, b"no more")


def test_a_page_of_a_front_cannot_do_anything_in_a_browser(proxied):
    reply = proxied.http.get("/page", headers={"Origin": _origin(proxied)})

    assert reply.text == "<script>alert(1)</script>"
    assert reply.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert not {"Set-Cookie", "Clear-Site-Data", "Refresh"} & set(reply.headers)
    assert reply.headers.get("Access-Control-Allow-Origin") != "*"


def test_a_kernel_that_serves_nothing_is_not_ready_and_another_is_unknown(proxied):
    idle = proxied.server.request("POST", "/api/kernels", {}).json()["id"]
    base = f"{proxied.server.at.url}/picsellia/serving"

    serves_nothing = proxied.http.post(f"{base}/{idle}/seen", content=b"x" * 4 * MIB)
    unknown = proxied.http.post(f"{base}/no-such-kernel/seen", content=b"x" * 4 * MIB)

    assert serves_nothing.status_code == 503
    assert serves_nothing.headers["Retry-After"] == "1"
    assert "no front that answers" in serves_nothing.json()["message"]
    assert unknown.status_code == 404
    assert unknown.json()["message"] == "This Jupyter server has no serving kernel of this id."
    assert "no-such-kernel" not in unknown.text


def test_a_front_that_is_gone_is_not_ready_and_one_elsewhere_is_not_asked(proxied):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}"
    expected = {gone: 503}
    elsewhere = ("http://localhost:80", "http://127.0.0.1:80@example.test", "http://127.0.0.1:0")
    expected |= dict.fromkeys((*elsewhere, "http://10.0.0.1:80", "http://127.0.0.1:99999"), 502)
    try:
        for address, status in expected.items():
            _register(proxied, address)
            assert proxied.http.get("/seen").status_code == status, address
    finally:
        _register(proxied, proxied.address)
    assert proxied.http.get("/seen").is_success


def test_a_killed_kernel_breaks_off_what_it_answers_and_is_not_ready_until_it_serves_again(server):
    kernel_id, address = start_front(server)
    with Proxied.of(server, kernel_id, address) as proxied:
        with proxied.http.stream("POST", "/stream") as reply:
            pieces = reply.iter_raw()
            assert next(pieces) == LINES[0]
            os.kill(leases.read(kernel_id, server.runtime).pid, signal.SIGKILL)
            with pytest.raises(httpx.RemoteProtocolError):
                next(pieces)
        assert proxied.http.get("/seen").status_code == 503
        # Jupyter starts it anew under the same id; it serves at another port.
        again = serve_front(server, kernel_id)
        assert again != address
        assert proxied.http.get("/seen").is_success


def test_a_kernel_that_is_asked_counts_as_active(proxied):
    path = f"/api/kernels/{proxied.kernel_id}"
    before = proxied.server.request("GET", path).json()["last_activity"]
    proxied.http.get("/seen")
    assert proxied.server.request("GET", path).json()["last_activity"] > before


def test_a_client_that_goes_away_frees_its_place(proxied):
    for _ in range(140):  # more than there are places
        with proxied.http.stream("GET", "/large") as reply:
            next(reply.iter_raw())
    assert proxied.http.get("/seen").is_success


def _origin(proxied) -> str:
    url = httpx.URL(proxied.server.at.url)
    return f"http://{url.host}:{url.port}"


def _register(proxied, address: str) -> None:
    code = f"from tests.labserver import front\nfront.register({proxied.kernel_id!r}, {address!r})"
    JupyterClient(proxied.server.at).execute(proxied.kernel_id, code, "1", timeout_s=30)


def _await_memory(proxied) -> None:
    proxied.http.post("/seen", content=b"x" * MIB).raise_for_status()


def _peak_memory(pid: int) -> int:
    """The most memory a process has had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
