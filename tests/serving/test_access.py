"""Who may ask the front for what."""

import asyncio
import dataclasses
import json
import socket
import threading
import time
import uuid

import httpx
import pytest

from tests.serving import fakes


def test_a_login_takes_a_body_without_a_content_type(serving):
    body = json.dumps({"api_token": "api-token-canary", "deployment_id": fakes.DEPLOYMENT})
    reply = httpx.post(f"{serving.program.address}/api/login", content=body.encode())
    assert reply.status_code == 200
    assert set(reply.json()) == {"jwt", "expires"}


@pytest.mark.parametrize(("asked", "lifetime_s"), [({}, 3600), ({"lifetime_s": 86400}, 86400)])
def test_a_token_is_good_for_an_hour_or_for_as_long_as_it_was_asked_for(serving, asked, lifetime_s):
    body = {"api_token": "api-token-canary", "deployment_id": fakes.DEPLOYMENT, **asked}
    reply = httpx.post(f"{serving.program.address}/api/login", json=body).json()
    assert reply["expires"] - time.time() == pytest.approx(lifetime_s, abs=30)
    headers = {"Authorization": f"Bearer {reply['jwt']}"}
    assert httpx.get(f"{serving.program.address}/metrics", headers=headers).status_code == 200


@pytest.mark.parametrize("lifetime", [0, -1, 30 * 86400 + 1, 1.5, True, "1", None])
def test_a_token_for_ever_is_refused(serving, lifetime):
    body = {
        "api_token": "api-token-canary", "deployment_id": fakes.DEPLOYMENT, "lifetime_s": lifetime,
    }  # fmt: skip
    reply = httpx.post(f"{serving.program.address}/api/login", json=body)
    assert reply.status_code == 400
    assert reply.json()["message"] == f"lifetime_s is {lifetime!r}."
    assert "seconds up to 2592000" in reply.json()["detail"]


def test_a_login_for_another_deployment_is_refused(serving):
    assert serving.login(deployment=str(uuid.uuid4())).status_code == 404


def test_a_token_that_only_the_platform_knows_is_asked_for_there(own):
    listener = socket.create_server(("127.0.0.1", 0))
    asked = []

    def answer(status):
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
            asked.append(received)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    keeper = own.program._front._server.config.app._keeper
    host = f"http://127.0.0.1:{listener.getsockname()[1]}"
    keeper._job = dataclasses.replace(keeper._job, host=host)
    with listener:
        for status, wanted in (("200 OK", 200), ("401 Unauthorized", 401)):
            answering = threading.Thread(target=answer, args=(status,))
            answering.start()
            assert own.login("another-token").status_code == wanted
            answering.join()
    assert asked[0].startswith(f"GET /api/deployment/{fakes.DEPLOYMENT} ".encode())
    assert b"Bearer another-token" in asked[0]


def test_the_platform_is_not_asked_about_what_is_no_id(serving):
    reply = serving.login("another-token", deployment="../home/ping")

    assert reply.status_code == 401
    assert reply.json()["message"] == "deployment_id is no UUID."


def test_a_wrong_token_is_not_taken_while_the_platform_is_away(serving):
    reply = serving.login("wrong")
    assert reply.status_code == 502
    assert "cannot be asked" in reply.json()["message"]


PATHS = [
    "/",
    "/control/status",
    "/control/attach",
    "/control/flush",
    "/control/stop",
    "/control/nothing",
    "/docs",
    f"/api/deployments/{fakes.DEPLOYMENT}/predict",
    f"/api/deployments/{fakes.DEPLOYMENT}/running",
    f"/api/v2/deployments/{fakes.DEPLOYMENT}/predict",
    "/metrics",
    "/v2",
    "/v2/health",
    "/v2/health/live/",
    "/v2/repository/index",
    "/v2/models/stats",
    "/v2/models/photos",
    "/v2/models/photos/infer",
    "/v2/models/tiny/versions/0/infer",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "XGET"]


def test_every_path_and_method_is_closed_without_its_token(serving):
    serving.predict()
    wrong = {
        "none": {},
        "bare": {"Authorization": "Bearer"},
        "api token": {"Authorization": "Bearer api-token-canary"},
        "basic": {"Authorization": "Basic front-token-canary"},
        "forged": {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."},
    }
    with httpx.Client(base_url=serving.program.address) as client:
        for path in PATHS:
            control = path.startswith("/control/")
            crossed = serving.jwt if control else "front-token-canary"
            tokens = {**wrong, "crossed": {"Authorization": f"Bearer {crossed}"}}
            for method in METHODS:
                for name, headers in tokens.items():
                    reply = client.request(method, path, headers=headers)
                    # The parser refuses a method that is not HTTP's before anybody sees it.
                    wanted = 400 if method == "XGET" else 401
                    assert reply.status_code == wanted, (method, path, name)
    assert serving.status()["state"] == "ready"


def test_a_token_that_was_handed_out_for_another_deployment_opens_no_tensors(serving):
    keeper = serving.program._front._server.config.app._keeper
    jwt, _ = asyncio.run(keeper.login("api-token-canary", str(uuid.uuid4())))
    headers = {"Authorization": f"Bearer {jwt}"}
    for path in ("/v2/models/photos", "/v2/models/photos/config", "/v2/models/stats"):
        assert httpx.get(f"{serving.program.address}{path}", headers=headers).status_code == 404
    for path in ("/v2/models/photos/infer", "/v2/repository/index"):
        assert httpx.post(f"{serving.program.address}{path}", headers=headers).status_code == 404


def test_a_token_of_another_deployment_is_refused(serving):
    serving.predict()
    reply = httpx.post(
        f"{serving.program.address}/api/deployments/{uuid.uuid4()}/predict",
        headers={"Authorization": f"Bearer {serving.jwt}"},
        files={"media": ("a.jpg", fakes.picture())},
    )
    assert reply.status_code == 401


def test_a_token_of_an_earlier_start_is_refused(serving, start):
    serving.predict()
    other = start().attach()
    other.jwt = serving.jwt
    assert other.predict().status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
    ],
)
def test_a_web_page_cannot_drive_it_even_with_a_token(serving, headers):
    reply = serving.control.post("/control/stop", headers=headers)
    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers
    assert serving.status()["state"] == "ready"


def test_only_loopback_is_listened_on(serving):
    assert serving.program.address.startswith("http://127.0.0.1:")
