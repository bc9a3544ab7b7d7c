"""A kernel that cannot reach its platform asks it through a notebook that is connected."""

import dataclasses
import hashlib
import http.server
import logging
import socket
import threading
import time

import httpx
import numpy as np
import psutil
import pytest

from picsellia_jupyter.clients.kernel import KernelClient
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.launch import relaying
from picsellia_jupyter.launch.relaying import Relay as Notebook
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.serving import exchanges
from picsellia_jupyter.serving.kernel import ServingProgram
from picsellia_jupyter.serving.relay import Relay
from picsellia_jupyter.wire.resources import job_from_json, job_to_json
from tests.faults.chaos import chaos_before
from tests.faults.monitoring import PNG, Client
from tests.serving import fakes
from tests.serving.conftest import Kernel

MINE = "33333333-3333-4333-8333-333333333333"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def here():
    """An address where nobody answers: what is had from it came through the relay."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def program(tmp_path, here):
    """A front that knows its platform by an address it cannot reach; it prepares nothing."""
    job = fakes.job(tmp_path / "cache", host=here, relayed=True)
    made = ServingProgram(job)
    made._front.start()
    yield made
    made.stop("the test is over")


@pytest.fixture
def connect(program):
    """Connect a notebook that reaches a platform: `connect(address)`."""
    made = []

    def begin(platform, **how):
        made.append(
            Notebook(program.address, platform, lambda: "front-token-canary", threads=2, **how)
        )
        return made[-1]

    yield begin
    for notebook in made:
        notebook.close()


@pytest.fixture
def through(program):
    """A client of the kernel's own, which knows the relay."""
    with httpx.Client(proxy=program._relay.address, trust_env=False, timeout=60) as client:
        yield client


class Asked:
    """A small platform that counts what it is asked."""

    def __init__(self):
        self.paths = []
        asked = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                asked.paths.append(self.path)
                if self.path == "/elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "http://127.0.0.1:1/secret")
                else:
                    self.send_response(200)
                size = int(self.path[1:]) if self.path[1:].isdigit() else 0
                self.send_header("Content-Length", str(size))
                self.end_headers()
                for at in range(0, size, MIB):
                    self.wfile.write(piece(at)[: size - at])

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def piece(at):
    return hashlib.sha256(str(at).encode()).digest() * (MIB // 32)


@pytest.fixture
def asked():
    made = Asked()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_kernel_records_a_prediction_in_a_platform_it_cannot_reach(
    program, here, platform, connect
):
    known = Client.of(platform)
    with chaos_before(platform.host, known_as=here) as door:
        notebook = connect(door.host)
        client = KernelClient.connect(here, platform.token, relay=program._relay.address)
        nothing = Detections(
            np.zeros(0, int), np.zeros(0, np.float32), np.zeros((0, 4), np.float32)
        )
        predicted = PredictedImage("a.png", ImageSize(1, 1), nothing, 0.01, MINE)
        record = Record(predicted, PNG, "image/png", time.time())
        said = client.monitor(known.deployment, record)
    assert said == MINE
    headers = {"Authorization": f"Bearer {platform.token}"}
    there = httpx.get(f"{platform.host}/api/deployment/{known.deployment}", headers=headers)
    assert there.json()["inferences"] == 1
    fakes.wait_for(lambda: notebook.performed >= 4)


def test_a_large_file_comes_whole_and_is_never_held_whole(through, here, asked, connect, long):
    size = (200 if long else 48) * MIB + 17
    connect(asked.host)
    own, most = psutil.Process(), 0
    before, digest = own.memory_info().rss, hashlib.sha256()
    with through.stream("GET", f"{here}/{size}") as reply:
        for chunk in reply.iter_bytes():
            digest.update(chunk)
            most = max(most, own.memory_info().rss - before)
    expected = hashlib.sha256()
    for at in range(0, size, MIB):
        expected.update(piece(at)[: size - at])
    assert digest.hexdigest() == expected.hexdigest()
    assert most < 32 * MIB


def test_with_nobody_connected_a_request_fails_soon(through, here):
    began = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        through.get(f"{here}/x")
    assert time.monotonic() - began < exchanges.TAKEN_S


def test_of_several_notebooks_one_performs_each_request(through, here, asked, connect):
    notebooks = [connect(asked.host) for _ in range(2)]
    replies = [through.get(f"{here}/{number}") for number in range(40)]
    assert [len(reply.content) for reply in replies] == list(range(40))
    assert asked.paths == [f"/{number}" for number in range(40)]
    fakes.wait_for(lambda: sum(notebook.performed for notebook in notebooks) == 40)


def test_a_notebook_that_died_while_it_waited_is_given_nothing(
    program, through, here, asked, connect
):
    relay = program._relay
    waits = httpx.Client(headers={"Authorization": "Bearer front-token-canary"}, timeout=0.3)
    with waits, pytest.raises(httpx.ReadTimeout):
        waits.get(f"{program.address}/control/relay/next", params={"wait_s": 20})
    fakes.wait_for(lambda: relay.exchanges._asking == 0)
    connect(asked.host)
    assert len(through.get(f"{here}/9").content) == 9


def test_a_notebook_that_died_behind_a_tunnel_is_given_one_request_and_then_passed_over(
    program, through, here, asked, connect, monkeypatch
):
    """Through a tunnel nobody is told that it has gone: it seems to wait on."""
    monkeypatch.setattr(exchanges, "CONFIRM_S", 0.2)
    given = []
    waits = [threading.Thread(target=lambda: given.append(taken(program))) for _ in range(3)]
    for thread in waits:
        thread.start()
    fakes.wait_for(lambda: program._relay.exchanges._asking == 3)
    late = []
    asker = threading.Thread(target=lambda: late.append(through.get(f"{here}/9")))
    asker.start()
    fakes.wait_for(lambda: given)
    first = given[0].id
    for thread in waits:
        thread.join(5)
    connect(asked.host)
    asker.join(10)
    assert len(late[0].content) == 9
    assert asked.paths == ["/9"]
    # The others were let go at once, and what was given to the first is not its own any more.
    assert [one for one in given if one is not None] == given[:1]
    headers = {"Authorization": "Bearer front-token-canary"}
    body = httpx.get(f"{program.address}/control/relay/{first}/body", headers=headers)
    assert body.status_code == 404


def taken(program):
    """What a notebook is given that then says nothing."""
    found = program._relay.exchanges.take(20, threading.Event(), "dead")
    return found and dataclasses.replace(found)


def test_what_waits_for_the_platform_is_tried_when_a_notebook_comes_and_not_each_time(
    program, asked, connect, monkeypatch
):
    tried = []
    monkeypatch.setattr(program.service, "flush", tried.append)
    monkeypatch.setattr(relaying, "WAIT_S", 0.05)
    first = connect(asked.host)
    fakes.wait_for(lambda: len(tried) == 1)
    connect(asked.host)
    fakes.wait_for(lambda: len(tried) == 2)
    before = program._relay.exchanges._asked
    fakes.wait_for(lambda: program._relay.exchanges._asked > before)
    first.close()
    assert tried == [0.0, 0.0]


def test_a_kernel_that_ends_does_not_wait_for_notebooks_that_wait_for_it(program, asked, connect):
    connect(asked.host)
    fakes.wait_for(lambda: program._relay.exchanges._asking == 2)
    began = time.monotonic()
    program.stop("the test is over")
    assert time.monotonic() - began < 4


def test_a_notebook_that_dies_with_a_request_fails_it_and_the_next_one_is_performed(
    program, through, here, asked, connect, monkeypatch
):
    monkeypatch.setattr(exchanges, "STEP_S", 0.3)
    errors = []
    asker = threading.Thread(target=lambda: errors.append(_error(through, f"{here}/7")))
    asker.start()
    headers = {"Authorization": "Bearer front-token-canary"}
    taken = httpx.get(
        f"{program.address}/control/relay/next", params={"wait_s": 5}, headers=headers
    )
    asker.join(10)
    assert isinstance(errors[0], httpx.RemoteProtocolError)
    late = httpx.post(
        f"{program.address}/control/relay/{taken.json()['id']}/head",
        json={"status": 200, "headers": []}, headers=headers,
    )  # fmt: skip
    assert late.status_code == 404
    connect(asked.host)
    assert len(through.get(f"{here}/7").content) == 7
    assert asked.paths == ["/7"]


def _error(client, url):
    try:
        return client.get(url)
    except httpx.HTTPError as error:
        return error


def test_a_platform_that_does_not_answer_the_notebook_is_one_that_does_not_answer(
    through, here, connect
):
    connect(here)
    with pytest.raises(httpx.RemoteProtocolError):
        through.get(f"{here}/x")


def test_it_leads_to_one_platform_only_and_follows_no_redirect(through, here, asked, connect):
    connect(asked.host)
    assert through.get("http://127.0.0.1:1/x").status_code == 403
    assert through.get(f"{here}/elsewhere", follow_redirects=False).status_code == 302
    assert asked.paths == ["/elsewhere"]


def test_only_a_local_platform_is_relayed():
    with pytest.raises(InvalidInputError, match=r"https://app\.picsellia\.com cannot be relayed"):
        Relay("https://app.picsellia.com")


@pytest.mark.parametrize("relayed", [True, False])
def test_a_job_says_whether_it_is_relayed(tmp_path, relayed):
    job = job_from_json(fakes.job(tmp_path, relayed=relayed))
    assert job_from_json(job_to_json(job)).relayed is relayed


def test_only_who_knows_its_secret_may_use_it(program, here):
    address = f"http://127.0.0.1:{program._relay._server.server_address[1]}"
    with httpx.Client(proxy=address, trust_env=False) as stranger:
        assert stranger.get(f"{here}/x").status_code == 407
    assert program._relay.address not in repr(program._relay)


@pytest.mark.parametrize("path", ["next", "0/body", "0/head", "0"])
def test_only_the_owner_of_the_kernel_may_fetch_requests(program, path):
    for base in ("/control/relay", f"/api/deployments/{fakes.DEPLOYMENT}/relay"):
        method = "GET" if path in ("next", "0/body") else "POST"
        assert httpx.request(method, f"{program.address}{base}/{path}").status_code == 401


def test_a_notebook_that_found_the_deployment_again_relays_with_its_token(tmp_path, here, asked):
    from tests.serving import models

    fake = fakes.store(
        fakes.FakePlatform(), models.onnx_detector(tmp_path / "model-latest"), models.DETECTOR
    )
    program = ServingProgram(fakes.job(tmp_path / "cache", host=here, relayed=True), lambda: fake)
    kernel = Kernel(program, fake)
    program.start()
    notebook = None
    try:
        kernel.attach()
        notebook = Notebook(
            program.address, asked.host, lambda: kernel.login().json()["jwt"],
            deployment_id=fakes.DEPLOYMENT, threads=1,
        )  # fmt: skip
        with httpx.Client(proxy=program._relay.address, trust_env=False) as through:
            assert len(through.get(f"{here}/5").content) == 5
    finally:
        if notebook:
            notebook.close()
        kernel.close()


def test_no_token_is_logged(program, through, here, asked, connect, caplog):
    caplog.set_level(logging.DEBUG)
    connect(asked.host)
    through.get(f"{here}/3", headers={"Authorization": "Bearer token-canary"})
    assert "canary" not in caplog.text
