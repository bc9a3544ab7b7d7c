"""Who is let in: every route, with every method, without what it asks for."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import httpx
import pytest

from picsellia_jupyter import labserver
from tests.jupyter_servers import RunningServer
from tests.labserver.front import TOKEN
from tests.labserver.kinds import PASSWORD, Kind, Proxied, extended, extension

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE")
PROXY = "picsellia/serving/{kernel}/seen"
DESK = (
    "picsellia/start",
    "picsellia/kernels",
    "picsellia/kernels/{kernel}",
    "picsellia/kernels/{kernel}/execute",
)
PANEL = (
    "picsellia/api/overview",
    "picsellia/api/registry",
    "picsellia/api/versions/a-version/files",
    "picsellia/api/deployments/a-deployment/log",
    "picsellia/api/deployments/a-deployment/stop",
)
FOREIGN = "http://elsewhere.test"
MARK = "<mark-of-the-request>"
WRONG = {
    "no token": ({}, {}),
    "a wrong token": ({"Authorization": "token wrong"}, {}),
    "the token in the query": ({}, {"token": "TOKEN"}),
    "the token there too": ({"Authorization": "token TOKEN"}, {"token": "TOKEN"}),
    "the front's token alone": ({"Authorization": f"Bearer {TOKEN}"}, {}),
    "a foreign page": ({"Authorization": "token TOKEN", "Origin": FOREIGN}, {}),
    "no page at all": ({"Authorization": "token TOKEN", "Origin": "null"}, {}),
    "another host": ({"Authorization": "token TOKEN", "Host": "elsewhere.test"}, {}),
}


def test_every_route_of_the_extension_is_walked_here():
    walked = [path.format(kernel="a-kernel") for path in (PROXY, *DESK, *PANEL)]
    patterns = [pattern for pattern, _, _ in labserver.routes("secret")]
    assert [sum(bool(re.fullmatch(one, path)) for path in walked) for one in patterns] == [1] * 10
    assert len(walked) == 10


@pytest.mark.parametrize(("method", "how"), list(product(METHODS, WRONG)))
def test_nobody_is_let_in_without_what_is_asked_for(proxied, method, how):
    token = proxied.server.at.token
    headers, query = (
        {name: value.replace("TOKEN", token) for name, value in given.items()}
        for given in WRONG[how]
    )
    for path in (PROXY, *PANEL):
        reply = _ask(proxied, method, path, {"X-Probe": MARK, **headers}, query | {"q": MARK})
        _assert_refused(reply, token)


@pytest.mark.parametrize(("method", "path"), list(product(METHODS, DESK)))
def test_the_secrets_routes_let_nobody_in_without_it(proxied, method, path):
    token, secret = proxied.server.at.token, _secret(proxied)
    for headers in (
        {},
        {"Authorization": f"token {token}"},
        {"X-Picsellia-Secret": "wrong"},
        {"X-Picsellia-Secret": ""},
        {"X-Picsellia-Secret": token},
        {"Authorization": f"token {secret}"},
        {"X-Picsellia-Secret": secret, "Origin": FOREIGN},
        {"X-Picsellia-Secret": secret, "Host": "elsewhere.test"},
    ):
        reply = _ask(proxied, method, path, headers, {"secret": secret, "token": token})
        _assert_refused(reply, token, secret)


def test_the_secret_opens_nothing_else(proxied):
    headers = {"X-Picsellia-Secret": _secret(proxied)}
    for path in ("api/kernels", "api/contents", PROXY):
        assert _ask(proxied, "GET", path, headers, {}).status_code == 403


def test_the_server_names_no_route_of_ours_as_open(server):
    log = server.log()
    assert "picsellia_jupyter.labserver | extension was successfully loaded" in log
    # Other extensions of this environment may leave theirs open.
    _, _, listed = log.partition("endpoints without @allow_unauthenticated")
    open_ones = [line for line in listed.splitlines()[1:] if line.lstrip().startswith("- ")]
    assert [line for line in open_ones if "picsellia" in line.partition("for")[2]] == []


@pytest.mark.parametrize(
    "path",
    ["..%2f", "a/../b", "%2e%2e/api", "a%5cb", "a%00b", "a%0d%0aX-Evil:%201", "a%2fb"],
)
def test_a_path_that_could_mean_another_place_is_refused(proxied, path):
    status, body = _raw(proxied, f"/user/me/picsellia/serving/{proxied.kernel_id}/{path}")
    assert status == 400
    assert "could" not in body
    assert "an encoded slash" in json.loads(body)["message"]


@pytest.mark.parametrize(
    "target",
    [
        "http://example.test/user/me/picsellia/serving/{kernel}/seen",
        "//example.test/user/me/picsellia/serving/{kernel}/seen",
        "/user/me/picsellia/serving/{kernel}@example.test/seen",
        "/user/me/picsellia/serving/127.0.0.1:80/seen",
        "/user/me/picsellia/serving/..%2f..%2fetc/seen",
        "/user/me/picsellia/serving/{kernel}%00/seen",
    ],
)
def test_nothing_but_a_registered_kernel_is_asked(proxied, target):
    status, body = _raw(proxied, target.format(kernel=proxied.kernel_id))
    assert status in (400, 404)
    assert '"target"' not in body  # which the front would say


def test_a_body_of_unknown_length_is_refused_where_it_could_be_taken_for_a_request(proxied):
    reply = proxied.http.request("DELETE", "/seen", content=iter([b"GET / HTTP/1.1\r\n\r\n"]))
    assert reply.status_code == 400
    assert "unknown length" in reply.json()["message"]


def test_a_stranger_is_refused_before_the_body_is_read(proxied):
    head = (
        f"POST /user/me/picsellia/serving/{proxied.kernel_id}/seen HTTP/1.1\r\n"
        f"Host: {_host(proxied)}\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(_host(proxied).split(":"), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("kind", [Kind.PASSWORD, Kind.OPEN], ids=lambda kind: kind.value)
def test_a_page_with_a_cookie_must_send_the_xsrf_token_too(tmp_path, kind):
    with extended(tmp_path / "one", kind) as server, _browser(server, kind) as http:
        kernel_id = extension(server).start_kernel("a title", None)
        address = f"{server.at.url}/picsellia/serving/{kernel_id}/seen"
        xsrf = {"X-XSRFToken": http.cookies["_xsrf"]}
        for method in METHODS[:7]:
            assert http.request(method, address).status_code == 403
            assert http.request(method, address, headers=xsrf | {"Origin": FOREIGN}).is_error
            # Let in, and told that nothing serves there yet.
            assert http.request(method, address, headers=xsrf).status_code == 503
        panel = f"{server.at.url}/picsellia/api/overview"
        assert http.get(panel).status_code == 403
        assert http.get(panel, headers=xsrf | {"Origin": FOREIGN}).status_code == 403
        assert http.get(panel, headers=xsrf).json()["connected"] is False
        stop = f"{server.at.url}/picsellia/api/deployments/a-deployment/stop"
        assert http.post(stop).status_code == 403


@contextmanager
def _browser(server: RunningServer, kind: Kind) -> Iterator[httpx.Client]:
    """What has been let in by the login page."""
    with httpx.Client(trust_env=False) as http:
        page = f"{server.at.url}/login"
        http.get(page)
        if kind is Kind.PASSWORD:
            form = {"password": PASSWORD, "_xsrf": http.cookies["_xsrf"]}
            assert http.post(page, data=form).status_code == 302
        yield http


def test_a_page_that_the_servers_owner_has_named_is_let_in_with_a_token(tmp_path):
    friend = "http://friend.test"
    option = "--ServerApp.allow_origin_pat=https?://(friend|pal)[.]test"
    with extended(tmp_path / "one", Kind.TOKEN, option) as server:
        kernel_id = extension(server).start_kernel("a title", None)
        address = f"{server.at.url}/picsellia/serving/{kernel_id}/seen"
        known = {"Authorization": f"token {server.at.token}"}
        own = httpx.get(address, headers=known | {"Origin": friend}, trust_env=False)
        assert own.status_code == 503
        assert own.headers["Access-Control-Allow-Origin"] == friend
        for foreign in (FOREIGN, f"{friend}.evil.test", "null"):
            reply = httpx.get(address, headers=known | {"Origin": foreign}, trust_env=False)
            assert reply.status_code == 403
            assert "Access-Control-Allow-Origin" not in reply.headers
        assert httpx.get(address, headers={"Origin": friend}, trust_env=False).status_code == 403


def _ask(proxied: Proxied, method: str, path: str, headers: dict, query: dict) -> httpx.Response:
    url = f"{proxied.server.at.url}/{path.format(kernel=proxied.kernel_id)}"
    # A client of its own keeps no cookies; without certificates it is made in no time.
    with httpx.Client(trust_env=False, timeout=10, verify=False) as http:
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        return http.request(method, url, headers=headers, params=query, content=body)


def _assert_refused(reply: httpx.Response, *secrets: str) -> None:
    assert reply.status_code in (403, 405), reply.status_code
    assert reply.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert FOREIGN not in str(reply.headers)
    said = reply.text + str(reply.headers)
    assert not any(secret in said for secret in (*secrets, MARK, "%3Cmark"))
    if reply.request.method != "HEAD":
        assert reply.json()["detail"]


def _raw(proxied: Proxied, target: str) -> tuple[int, str]:
    """Ask for a target that no client library would send."""
    head = (
        f"GET {target} HTTP/1.1\r\nHost: {_host(proxied)}\r\nConnection: close\r\n"
        f"Authorization: token {proxied.server.at.token}\r\n\r\n"
    )
    with socket.create_connection(_host(proxied).split(":"), timeout=10) as connection:
        connection.sendall(head.encode())
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    start, _, body = reply.decode().partition("\r\n\r\n")
    return int(start.split()[1]), body


def _host(proxied: Proxied) -> str:
    url = httpx.URL(proxied.server.at.url)
    return f"{url.host}:{url.port}"


def _secret(proxied: Proxied) -> str:
    return str(extension(proxied.server)._http.headers["X-Picsellia-Secret"])
