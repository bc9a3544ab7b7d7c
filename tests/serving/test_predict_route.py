"""What the predict route takes and how long it waits, over real HTTP."""

import asyncio
import socket
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace

import httpx
import pytest

from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving import auth, deadline
from picsellia_jupyter.serving.auth import Gatekeeper
from picsellia_jupyter.wire.resources import job_from_json
from tests.serving import fakes


def post(kernel, content, content_type="image/jpeg", query="", **headers):
    kernel.jwt = kernel.login().json()["jwt"]
    return httpx.post(
        f"{kernel.program.address}/api/deployments/{fakes.DEPLOYMENT}/predict{query}",
        headers={"Authorization": f"Bearer {kernel.jwt}", "Content-Type": content_type, **headers},
        content=content,
        timeout=20,
    )


@pytest.fixture
def stuck(serving, monkeypatch):
    """A kernel whose model never answers; what was queued."""
    queued = []

    def submit(_image, _name, *, record):
        queued.append(Future())
        return queued[-1]

    monkeypatch.setattr(serving.service._pool, "submit", submit)
    return queued


def test_an_image_alone_is_a_body_too(serving):
    said = post(serving, fakes.picture(), query="?filename=up/page.jpg&tags=a&tags=b&monitor=True")
    assert (said.json()["filename"], said.json()["detection_classes"]) == ("page.jpg", [0])
    serving.service.flush(5)
    [(_, image, _, extra)] = serving.platform.recorded
    assert image == fakes.picture()
    assert extra["tags"] == ("a", "b")


def test_fields_in_the_query_are_checked_like_those_of_a_form(serving):
    said = post(serving, fakes.picture(), query="?monitor=perhaps")
    assert (said.status_code, said.json()["message"]) == (400, "monitor is 'perhaps'.")


def test_an_unusual_form_is_read_as_well(serving):
    body = (
        b"--x\r\nContent-Disposition: form-data; name=media; filename=a.jpg\r\n\r\n"
        + fakes.picture()
        + b"\r\n--x--\r\n"
    )
    said = post(serving, body, "multipart/form-data; boundary=x")
    assert (said.status_code, said.json()["filename"]) == (200, "a.jpg")


def test_a_reply_is_due_by_the_deadline_that_the_client_prefers(serving, stuck):
    said = post(serving, fakes.picture(), query="?monitor=False", Prefer="wait=0.3")
    assert said.status_code == 504
    assert said.json() == {
        "message": "There was no answer within 0.3 s.",
        "detail": "Send the image again, or give it more time: Prefer: wait=SECONDS.",
        "error": "DeadlineError",
    }
    fakes.wait_for(stuck[0].cancelled)


def test_a_body_that_never_ends_is_given_up_by_the_deadline(serving):
    serving.predict()
    host, port = serving.program.address.removeprefix("http://").split(":")
    head = (
        f"POST /api/deployments/{fakes.DEPLOYMENT}/predict HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Authorization: Bearer {serving.jwt}\r\nContent-Type: image/jpeg\r\n"
        "Content-Length: 1000\r\nPrefer: wait=0.2\r\n\r\nfirst bytes"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 504")


def test_work_whose_client_went_away_is_not_begun(serving, stuck):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{serving.program.address}/api/deployments/{fakes.DEPLOYMENT}/predict?monitor=False",
            headers={
                "Authorization": f"Bearer {serving.login().json()['jwt']}",
                "Content-Type": "image/jpeg",
            },
            content=fakes.picture(),
            timeout=0.5,
        )
    fakes.wait_for(stuck[0].cancelled)


def test_a_full_queue_says_when_to_come_again(serving, monkeypatch):
    def full(*_args, **_how):
        raise QueueFullError("64 images wait for the model already.", "Send fewer.")

    monkeypatch.setattr(serving.service._pool, "submit", full)
    said = post(serving, fakes.picture())
    assert (said.status_code, said.headers["retry-after"]) == (429, "1")


def test_replies_that_nobody_waits_for_leave_nothing_behind(serving, stuck):
    threads = [
        threading.Thread(
            target=post, args=(serving, fakes.picture()), kwargs={"Prefer": "wait=0.2"}
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert serving.service._recorder._room.taken == 0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"wait=10", 10),
        (b'respond-async, Wait="2.5"', 2.5),
        (b"wait=0", 0.001),
        (b"wait=999999", deadline.LONGEST_S),
        (b"wait=soon", deadline.DEFAULT_S),
        (b"await=3", deadline.DEFAULT_S),
        (b"return=minimal", deadline.DEFAULT_S),
    ],
)
def test_a_deadline_is_read_from_the_preference(said, seconds):
    assert deadline.of_request({"headers": [(b"prefer", said)]}) == seconds


def test_a_verified_token_is_remembered_no_longer_than_it_is_valid(tmp_path, monkeypatch):
    keeper = Gatekeeper(job_from_json(fakes.job(tmp_path)))
    now = [time.time()]
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda: now[0]))
    token, expires = asyncio.run(keeper.login("api-token-canary", fakes.DEPLOYMENT))
    assert keeper.deployment_of(token) == fakes.DEPLOYMENT
    monkeypatch.setattr(keeper, "_claims", lambda _token: None)
    now[0] = expires - 1
    assert keeper.deployment_of(token) == fakes.DEPLOYMENT
    now[0] = expires
    assert keeper.deployment_of(token) is None
