"""Broken links, dead kernels and wrong doors, with requests under way."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.launch import link
from picsellia_jupyter.launch.tunnel import Tunnel
from tests.launch.cutting import Cutter
from tests.launch.tunnelled import BEARER, SERVE, serving_kernel


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[JupyterServer]:
    # It looks for dead kernels every half second instead of every three.
    sooner = "--KernelRestarter.time_to_dead=0.5"
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), sooner) as server:
        yield server


@pytest.fixture
def kernel_id(server: JupyterServer) -> Iterator[str]:
    with serving_kernel(server) as kernel_id:
        yield kernel_id


@pytest.fixture
def tunnel(server: JupyterServer, kernel_id: str) -> Iterator[Tunnel]:
    with Tunnel(server, kernel_id) as tunnel:
        tunnel.wait(20)
        yield tunnel


class Load:
    """Clients that ask one request after the other, each with a key of its own."""

    def __init__(self, address: str, clients: int, wait_s: float) -> None:
        self.answers: list[httpx.Response] = []
        self._address = address
        self._wait_s = wait_s
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(clients)]
        for thread in self._threads:
            thread.start()

    def more(self, count: int) -> None:
        """Wait for so many more answers."""
        with self._changed:
            goal = len(self.answers) + count
            assert self._changed.wait_for(lambda: len(self.answers) >= goal, 30)

    def end(self) -> list[httpx.Response]:
        """Let each client have its answer; all of them."""
        self._ended.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a request hangs"
        return self.answers

    def _ask(self, number: int) -> None:
        method = "POST" if number % 2 else "GET"
        with httpx.Client(
            base_url=self._address, headers=BEARER, trust_env=False, timeout=60
        ) as client:
            while not self._ended.is_set():
                path = f"/count?key={uuid.uuid4().hex}&wait={self._wait_s}"
                reply = client.request(method, path)
                with self._changed:
                    self.answers.append(reply)
                    self._changed.notify_all()


def ask(tunnel: Tunnel, path: str = "/told") -> httpx.Response:
    return httpx.get(f"{tunnel.address}{path}", headers=BEARER, trust_env=False, timeout=60)


def trouble_of(tunnel: Tunnel, trouble: Trouble) -> LinkError:
    """Wait until the tunnel has this trouble."""
    with tunnel._changed:
        assert tunnel._changed.wait_for(
            lambda: tunnel.state.error and tunnel.state.error.trouble is trouble, 30
        )
        assert tunnel.state.error
        return tunnel.state.error


def test_requests_survive_thirty_cuts_and_none_runs_twice(server: JupyterServer, kernel_id: str):
    cutter = Cutter(int(server.url.rpartition(":")[2]))
    through = JupyterServer(f"http://127.0.0.1:{cutter.port}", server.token)
    with contextlib.closing(cutter), Tunnel(through, kernel_id) as tunnel:
        tunnel.wait(20)
        load = Load(tunnel.address, clients=6, wait_s=0.03)
        for number in range(30):
            load.more(6)
            if number % 3:
                cutter.cut()
            else:
                tunnel._loop.call_soon_threadsafe(tunnel._link._connect_anew)
        answers = load.end()
        twice = ask(tunnel, "/twice").json()["twice"]

    assert {reply.status_code for reply in answers} == {200}
    assert twice == []


def test_a_large_body_survives_cuts(server: JupyterServer, kernel_id: str):
    cutter = Cutter(int(server.url.rpartition(":")[2]))
    through = JupyterServer(f"http://127.0.0.1:{cutter.port}", server.token)
    body = os.urandom(24 * 1024 * 1024)
    received = bytearray()
    with contextlib.closing(cutter), Tunnel(through, kernel_id) as tunnel:
        tunnel.wait(20)
        pieces = memoryview(body)

        def upload() -> Iterator[bytes]:
            for start in range(0, len(body), 4 * 1024 * 1024):
                yield bytes(pieces[start : start + 4 * 1024 * 1024])
                cutter.cut()

        with httpx.stream(
            "POST", f"{tunnel.address}/back", content=upload(), headers=BEARER, trust_env=False,
            timeout=60,
        ) as reply:  # fmt: skip
            for piece in reply.iter_bytes(4 * 1024 * 1024):
                received += piece
                cutter.cut()

    assert received == body


def test_a_killed_kernel_is_told_to_whoever_waits_and_the_next_one_serves(
    server: JupyterServer, kernel_id: str, tunnel: Tunnel
):
    jupyter = JupyterClient(server)
    pid = int(jupyter.execute(kernel_id, "import os", "os.getpid()", timeout_s=30))
    load = Load(tunnel.address, clients=4, wait_s=0.2)
    load.more(4)

    os.kill(pid, signal.SIGKILL)
    error = trouble_of(tunnel, Trouble.EMPTY)
    answers = load.end()
    refused = [reply for reply in answers if reply.status_code != 200]

    assert refused
    assert {reply.status_code for reply in refused} == {503}
    assert refused[0].json()["error"] == "LinkError"
    assert refused[0].json()["message"].startswith(f"The kernel {kernel_id} of {server.url} ")
    assert refused[0].headers["retry-after"] == "1"
    assert error.fact.endswith(" runs but serves nothing; it may have been restarted.")
    assert error.remedy == "Deploy again."

    jupyter.execute(kernel_id, SERVE, "1", timeout_s=60)
    tunnel.wait(30)
    assert ask(tunnel).status_code == 200


def test_what_was_queued_for_a_dead_kernel_does_not_run_in_the_next_one(
    server: JupyterServer, kernel_id: str, tunnel: Tunnel
):
    jupyter = JupyterClient(server)
    headers = {"Authorization": f"token {TOKEN}"}
    pid = int(jupyter.execute(kernel_id, "import os", "os.getpid()", timeout_s=30))
    os.kill(pid, signal.SIGSTOP)
    replies: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: replies.append(ask(tunnel, "/count?key=queued")))
    waiting.start()
    os.kill(pid, signal.SIGKILL)
    waiting.join(30)

    jupyter.execute(kernel_id, SERVE, "1", timeout_s=60)
    tunnel.wait(30)

    assert replies[0].status_code == 503
    assert ask(tunnel, "/count?key=queued").json()["count"] == 1
    url = f"{server.url}/api/kernels/{kernel_id}/restart"
    httpx.post(url, headers=headers, trust_env=False, timeout=60).raise_for_status()
    assert trouble_of(tunnel, Trouble.EMPTY)


def test_a_link_that_does_not_come_back_is_told_to_whoever_waits(
    server: JupyterServer, kernel_id: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "_PATIENCE_S", dict.fromkeys(link._PATIENCE_S, 0.5))
    cutter = Cutter(int(server.url.rpartition(":")[2]))
    through = JupyterServer(f"http://127.0.0.1:{cutter.port}", server.token)
    with Tunnel(through, kernel_id) as tunnel:
        tunnel.wait(20)
        replies: list[httpx.Response] = []
        waiting = threading.Thread(target=lambda: replies.append(ask(tunnel, "/forever")))
        waiting.start()
        while not tunnel._link._exchanges:
            ask(tunnel)
        cutter.close()
        waiting.join(30)
        replies.append(ask(tunnel))

    assert [reply.status_code for reply in replies] == [503, 503]
    assert replies[1].json()["message"].startswith(f"The Jupyter server at {through.url} does not")
    assert replies[1].json()["detail"].endswith("It is being tried again.")


def test_a_request_that_is_not_answered_in_time_is_ended(
    tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(link, "DEADLINE_S", 0.3)

    reply = ask(tunnel, "/forever")

    assert reply.status_code == 504
    assert reply.json()["error"] == "DeadlineError"
    monkeypatch.undo()
    assert ask(tunnel, "/left?beyond=0").json() == {"left": 1}


def test_a_body_of_200_mebibytes_piles_up_nowhere(
    server: JupyterServer, kernel_id: str, tunnel: Tunnel
):
    execute = JupyterClient(server).execute
    peak = "__import__('resource').getrusage(0).ru_maxrss"
    before_kib = int(execute(kernel_id, "", peak, timeout_s=30))
    piece = os.urandom(2**20)

    reply = httpx.post(
        f"{tunnel.address}/sink", content=(piece for _ in range(200)), headers=BEARER,
        timeout=60, trust_env=False,
    )  # fmt: skip
    with httpx.stream(
        "GET", f"{tunnel.address}/source?mebibytes=200", headers=BEARER, timeout=60,
        trust_env=False,
    ) as source:  # fmt: skip
        received = sum(map(len, source.iter_raw()))

    assert reply.json()["length"] == received == 200 * 2**20
    after_kib = int(execute(kernel_id, "", peak, timeout_s=30))
    assert after_kib - before_kib < 100 * 1024


def test_a_kernel_that_is_gone_is_named(server: JupyterServer, kernel_id: str, tunnel: Tunnel):
    JupyterClient(server).delete_kernel(kernel_id)

    error = trouble_of(tunnel, Trouble.GONE)
    reply = ask(tunnel)

    assert error.fact == f"The Jupyter server at {server.url} has no kernel {kernel_id} any more."
    assert error.remedy == "It was ended or culled: deploy again."
    assert reply.status_code == 503
    assert (reply.json()["message"], reply.json()["detail"]) == (error.fact, error.remedy)
    assert str(tunnel.state).startswith("lost since ")
    assert str(tunnel.state).endswith(str(error))


def test_a_kernel_that_serves_anew_is_found_out_by_the_next_request(
    server: JupyterServer, kernel_id: str, tunnel: Tunnel
):
    known = tunnel._link.welcome
    JupyterClient(server).execute(kernel_id, SERVE, "1", timeout_s=60)

    refused = ask(tunnel)
    with tunnel._changed:
        assert tunnel._changed.wait_for(lambda: tunnel._link.welcome != known, 30)

    assert refused.status_code == 503
    assert refused.json()["message"].startswith("The request was for an earlier start of this")
    assert ask(tunnel).status_code == 200


def test_a_kernel_that_its_server_gave_up_is_named(tmp_path: Path):
    options = ("--KernelRestarter.restart_limit=0", "--KernelRestarter.time_to_dead=0.5")
    with jupyter_server(tmp_path, *options) as server, serving_kernel(server) as kernel_id:
        pid = int(
            JupyterClient(server).execute(kernel_id, "import os", "os.getpid()", timeout_s=30)
        )
        with Tunnel(server, kernel_id) as tunnel:
            tunnel.wait(20)
            os.kill(pid, signal.SIGKILL)

            error = trouble_of(tunnel, Trouble.GONE)

    assert error.fact == f"The Jupyter server at {server.url} has no kernel {kernel_id} any more."


def test_a_tunnel_goes_on_with_a_new_token_and_to_a_new_kernel_at_the_same_address(
    server: JupyterServer, kernel_id: str
):
    with Tunnel(JupyterServer(server.url, "expired"), kernel_id) as tunnel:
        assert trouble_of(tunnel, Trouble.UNAUTHORIZED)

        tunnel.lead_to(server, kernel_id)
        tunnel.wait(20)
        assert ask(tunnel, "/count?key=a").json()["count"] == 1

        JupyterClient(server).delete_kernel(kernel_id)
        assert trouble_of(tunnel, Trouble.GONE)
        with serving_kernel(server) as another:
            tunnel.lead_to(server, another)
            tunnel.wait(20)
            assert ask(tunnel, "/count?key=a").json()["count"] == 1
            assert another in str(tunnel.state)


def test_a_closed_tunnel_answers_who_waits(tunnel: Tunnel):
    replies: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: replies.append(ask(tunnel, "/forever")))
    waiting.start()
    while not tunnel._link._exchanges:
        ask(tunnel)

    tunnel.close()
    waiting.join(30)

    assert replies[0].status_code == 503
    assert replies[0].json()["message"].endswith(" was closed.")
    assert replies[0].json()["detail"] == "Deploy or attach again."
    with pytest.raises(httpx.ConnectError):
        ask(tunnel)


@pytest.mark.parametrize(
    ("headers", "message", "detail"),
    [
        ({"Host": "evil.example"}, "The Host header is not this server's.", "Ask it as http://"),
        ({"Origin": "http://evil.example"}, "Web pages may not ask this server.", "Use the SDK."),
    ],
)
def test_the_listener_refuses_web_pages(
    tunnel: Tunnel, headers: dict[str, str], message: str, detail: str
):
    reply = httpx.post(
        f"{tunnel.address}/told", headers={**BEARER, **headers}, content=b"x" * 3_000_000,
        trust_env=False,
    )  # fmt: skip

    assert reply.status_code == 403
    assert reply.json()["message"] == message
    assert reply.json()["detail"].startswith(detail)


def test_the_address_is_a_port_of_ones_choice(server: JupyterServer, tunnel: Tunnel):
    port = int(tunnel.address.rpartition(":")[2])

    with pytest.raises(ConflictError) as caught:
        Tunnel(server, "any", port=port)
    assert str(caught.value) == (
        f"Port {port} is in use on this machine. Choose another one, or none at all."
    )
