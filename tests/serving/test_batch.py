"""Many images in one request, over real HTTP."""

import json
import socket
import threading
import time
from concurrent.futures import Future

import httpx
import pytest

from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving import batch
from tests.serving import fakes

ROUTE = f"/api/deployments/{fakes.DEPLOYMENT}/predict/batch"


def head_of(kernel, **headers):
    return {"Authorization": f"Bearer {kernel.login().json()['jwt']}", **headers}


def post(kernel, images, data=None, **headers):
    """The lines of the answer, the last one apart."""
    reply = httpx.post(
        kernel.program.address + ROUTE,
        headers=head_of(kernel, **headers),
        data=data or {},
        files=[("media", (f"{i}.jpg", image)) for i, image in enumerate(images)],
        timeout=60,
    )
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/x-ndjson"
    *lines, end = map(json.loads, reply.text.splitlines())
    return sorted(lines, key=lambda line: line["index"]), end


def test_every_image_is_answered_by_its_place_and_name(serving):
    lines, end = post(serving, [fakes.picture()] * 40, {"monitor": "False"})
    assert [line["index"] for line in lines] == list(range(40))
    assert [line["filename"] for line in lines] == [f"{i}.jpg" for i in range(40)]
    assert {line["status"] for line in lines} == {200}
    assert lines[7]["prediction"]["filename"] == "7.jpg"
    assert lines[7]["prediction"]["detection_classes"] == [0]
    assert end == {"images": 40, "failed": 0, "error": None}


def test_a_bad_image_fails_alone(serving):
    images = [fakes.picture()] * 8
    images[3] = b"no image"
    images[5] = bytes(34 * 1024 * 1024)
    lines, end = post(serving, images, {"monitor": "False"})
    assert [line["status"] for line in lines] == [200, 200, 200, 400, 200, 413, 200, 200]
    assert lines[3]["error"] == {
        "message": "'3.jpg' cannot be read as an image (unknown format).",
        "detail": "Send a whole JPEG, PNG, WEBP, BMP or TIFF file.",
        "error": "InvalidImageError",
    }
    assert (end["images"], end["failed"]) == (8, 2)


def test_fields_hold_for_every_image_and_each_is_recorded(serving):
    post(serving, [fakes.picture()] * 3, {"tags": ["a", "b"], "source": "camera"})
    serving.service.flush(5)
    assert len(serving.platform.recorded) == 3
    assert {extra["tags"] for *_, extra in serving.platform.recorded} == {("a", "b")}


def test_a_full_queue_is_waited_for(serving, monkeypatch):
    submit, refused = serving.service._pool.submit, []

    def sometimes_full(*args, **how):
        if len(refused) < 20:
            refused.append(args)
            raise QueueFullError("64 images wait for the model already.", "Send fewer.")
        return submit(*args, **how)

    monkeypatch.setattr(serving.service._pool, "submit", sometimes_full)
    lines, _ = post(serving, [fakes.picture()] * 6, {"monitor": "False"})
    assert {line["status"] for line in lines} == {200}
    assert len(refused) == 20


@pytest.fixture
def stuck(serving, monkeypatch):
    """A kernel whose model never answers; what was queued."""
    queued = []

    def submit(_image, _name, *, record):
        queued.append(Future())
        return queued[-1]

    monkeypatch.setattr(serving.service._pool, "submit", submit)
    return queued


def test_an_image_that_is_not_answered_in_time_fails_alone(serving, stuck):
    lines, end = post(serving, [fakes.picture()] * 2, {"monitor": "False"}, Prefer="wait=0.2")
    assert [line["status"] for line in lines] == [504, 504]
    assert lines[0]["error"]["error"] == "DeadlineError"
    assert end["failed"] == 2


def test_images_are_read_no_faster_than_they_are_predicted_on(serving, stuck):
    received = {}
    images = [fakes.picture()] * 100
    thread = threading.Thread(
        target=lambda: received.update(
            got=post(serving, images, {"monitor": "False"}, Prefer="wait=30")
        )
    )
    thread.start()
    fakes.wait_for(lambda: len(stuck) >= batch.IN_FLIGHT)
    time.sleep(0.2)
    assert len(stuck) == batch.IN_FLIGHT
    while thread.is_alive():
        for reply in stuck:
            if not reply.done():
                reply.set_exception(InvalidImageError("none", ""))
        time.sleep(0.01)
    assert received["got"][1] == {"images": 100, "failed": 100, "error": None}


def test_what_is_queued_for_a_client_that_went_away_is_given_up(serving, stuck):
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            serving.program.address + ROUTE,
            headers=head_of(serving),
            data={"monitor": "False"},
            files=[("media", ("a.jpg", fakes.picture()))] * 5,
            timeout=0.5,
        )
    fakes.wait_for(lambda: len(stuck) == 5 and all(reply.cancelled() for reply in stuck))


def test_results_come_while_images_are_still_sent(serving):
    host, port = serving.program.address.removeprefix("http://").split(":")
    request = httpx.Request(
        "POST",
        serving.program.address + ROUTE,
        headers=head_of(serving),
        files=[("media", ("a.jpg", fakes.picture())), ("media", ("b.jpg", fakes.picture()))],
    )
    body = request.read()
    half = body.rindex(b"Content-Disposition")
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"POST {ROUTE} HTTP/1.1\r\n{head}\r\n".encode() + body[:half])
        seen = b""
        while b'"a.jpg"' not in seen:
            seen += connection.recv(65536)
        connection.sendall(body[half:])
        while b'"images":2' not in seen:
            seen += connection.recv(65536)
    assert b'"b.jpg"' in seen


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        ("application/json", b"{}", "The body is no multipart form."),
        ("multipart/form-data; boundary=x", b"", "ends in the middle"),
        ("multipart/form-data; boundary=x", b"nonsense", "does not begin with its boundary"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", "no file part 'media'"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\n\r\n--x--',
            "'other' is no image",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="monitor"\r\n\r\nperhaps\r\n'
            b'--x\r\nContent-Disposition: form-data; name="media"; filename="a"\r\n\r\n\r\n--x--',
            "monitor is 'perhaps'",
        ),
    ],
)
def test_a_request_that_is_broken_from_the_start_is_refused(serving, content_type, body, told):
    reply = httpx.post(
        serving.program.address + ROUTE,
        headers=head_of(serving, **{"Content-Type": content_type}),
        content=body,
    )
    assert reply.status_code == 400
    assert told in reply.json()["message"]


def test_a_form_that_breaks_later_says_so_at_the_end(serving):
    request = httpx.Request(
        "POST", "http://h", files=[("media", ("a.jpg", fakes.picture()))], data={}
    )
    content_type, body = request.headers["content-type"], request.read()
    reply = httpx.post(
        serving.program.address + ROUTE,
        headers=head_of(serving, **{"Content-Type": content_type}),
        content=body[:-4] + b"\r\nContent-Disposition: nonsense\r\n\r\n",
    )
    first, end = map(json.loads, reply.text.splitlines())
    assert (first["index"], first["status"]) == (0, 200)
    assert (end["images"], end["failed"]) == (1, 0)
    assert "cannot be read" in end["error"]["message"]


def test_a_token_of_another_deployment_is_refused(serving):
    reply = httpx.post(
        f"{serving.program.address}/api/deployments/other/predict/batch",
        headers=head_of(serving),
        files=[("media", ("a.jpg", fakes.picture()))],
    )
    assert reply.status_code == 401
