"""Starting serving kernels with the extension's secret, on servers that give a kernel no token."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys

import httpx
import pytest

from picsellia_jupyter.clients import introductions, private_files, processes
from picsellia_jupyter.domain.errors import ServingError
from tests.labserver.kinds import Kind, extended, extension
from tests.serving import fakes

IN_A_KERNEL = """
from picsellia_jupyter.clients.labserver import own_extension
extension = own_extension()
started = extension.start_kernel("Picsellia: a title", "picsellia-serving")
told = extension.execute(started, "answer = 6 * 7", "answer", timeout_s=60)
spec = extension.kernel_name(started)
"""


@pytest.fixture(scope="module", params=list(Kind), ids=lambda kind: kind.value)
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jupyter") / "one"
    with extended(folder, request.param, "--ServerApp.base_url=/user/me/") as running:
        _assert_kind(running, request.param)
        yield running


def _assert_kind(server, kind: Kind) -> None:
    (record,) = server.runtime.glob("jpserver-*.json")
    asked = httpx.get(f"{server.at.url}/api/kernels", trust_env=False).status_code
    assert bool(json.loads(record.read_text())["token"]) == (kind is Kind.TOKEN)
    assert asked == (200 if kind is Kind.OPEN else 403)


def test_a_notebooks_kernel_finds_the_extension_starts_a_kernel_and_tells_it(server):
    outside = extension(server)
    notebook = outside.start_kernel("a notebook", None)

    found = outside.execute(notebook, IN_A_KERNEL, "(started, told, spec)", timeout_s=60)

    started, told, spec = ast.literal_eval(found)
    assert (told, spec) == ("42", "picsellia-serving")
    running = {kernel.id: kernel for kernel in outside.running()}
    assert set(outside.kernels()) == {notebook, started}
    assert running[started].spec == "picsellia-serving"
    assert outside.alive(started)
    assert outside.delete_kernel(started) is True
    assert not outside.alive(started)
    assert outside.delete_kernel(started) is False
    outside.delete_kernel(notebook)


IN_A_NOTEBOOK = """
from picsellia_jupyter.launch.kernels import start_kernel
kernel = start_kernel("Picsellia: a title")
told = kernel.execute("answer = 6 * 7", "answer", timeout_s=60)
"""
ENDS_ITSELF = """
import threading
from picsellia_jupyter.serving.ending import end_process
threading.Timer(0.2, end_process, [{kernel!r}]).start()
"""


def test_a_notebook_starts_serving_kernels_whatever_lets_people_in_and_they_end_themselves(server):
    outside = extension(server)
    notebook = outside.start_kernel("a notebook", None)
    found = outside.execute(notebook, IN_A_NOTEBOOK, "(kernel.kernel_id, told)", timeout_s=60)
    kernel_id, told = ast.literal_eval(found)
    assert told == "42"

    ends = ENDS_ITSELF.format(kernel=kernel_id)
    code = f"kernel.execute({ends!r}, '1', timeout_s=30)"
    outside.execute(notebook, code, "1", timeout_s=60)

    fakes.wait_for(lambda: kernel_id not in outside.kernels(), within_s=20)
    assert outside.delete_kernel(kernel_id) is False  # ended, not started anew
    outside.delete_kernel(notebook)


def test_a_started_kernel_is_a_session_with_its_title(tmp_path):
    with extended(tmp_path / "one", Kind.TOKEN) as server:
        started = extension(server).start_kernel("Picsellia: <b>digits</b> 3", None)
        (session,) = server.request("GET", "/api/sessions").json()
        assert (session["name"], session["type"]) == ("Picsellia: <b>digits</b> 3", "console")
        assert session["kernel"]["id"] == started

        own = server.request("POST", "/api/kernels", {}).json()["id"]
        _assert_not_ours(extension(server), own)
        assert server.request("GET", f"/api/kernels/{own}").is_success


def _assert_not_ours(desk, kernel_id: str) -> None:
    """A user's own kernel is neither ended nor used."""
    assert desk.delete_kernel(kernel_id) is False
    with pytest.raises(ServingError, match="no serving kernel of this id"):
        desk.execute(kernel_id, "1", "1", timeout_s=10)


def test_code_that_raises_takes_too_long_or_ends_the_kernel_is_told(server):
    desk = extension(server)
    kernel = desk.start_kernel("a title", None)
    with pytest.raises(ServingError, match="ZeroDivisionError"):
        desk.execute(kernel, "1 / 0", "1", timeout_s=30)
    with pytest.raises(ServingError, match=r"lacks a package.*pip install"):
        desk.execute(kernel, "import no_such_package", "1", timeout_s=30)
    with pytest.raises(ServingError, match=r"died or fell silent.*then deploy again"):
        desk.execute(kernel, "while True: pass", "1", timeout_s=0.5)
    desk.delete_kernel(kernel)
    kernel = desk.start_kernel("a title", None)
    with pytest.raises(ServingError, match=r"died or fell silent.*then deploy again"):
        desk.execute(kernel, "import os; os._exit(1)", "1", timeout_s=60)
    desk.delete_kernel(kernel)


@pytest.mark.parametrize(
    ("path", "body", "status", "fact"),
    [
        ("start", {}, 400, "title must have 1 to 200 characters"),
        ("start", {"title": "x" * 201}, 400, "title must have 1 to 200 characters"),
        ("start", {"title": "x", "spec": "../../etc"}, 404, "no such kernelspec"),
        ("start", {"title": "x", "spec": 7}, 404, "no such kernelspec"),
        ("start", [], 400, "cannot be read"),
        ("start", "{", 400, "cannot be read"),
        ("kernels/{kernel}/execute", {"code": "1"}, 400, "Code and expression must be text"),
        ("kernels/{kernel}/execute", {"code": "1", "expression": "1", "timeout_s": 1e9}, 400,
         "timeout_s above 0, at most 600"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(server, path, body, status, fact):
    desk = extension(server)
    kernel = desk.start_kernel("a title", None) if "{" in path else ""
    content = body if isinstance(body, str) else json.dumps(body)

    reply = desk._http.post(f"/{path.format(kernel=kernel)}", content=content)

    assert (reply.status_code, fact in reply.json()["message"]) == (status, True)
    assert reply.json()["detail"]
    if kernel:
        desk.delete_kernel(kernel)


def test_the_secret_is_its_users_alone_and_goes_with_the_server(tmp_path):
    with extended(tmp_path / "one", Kind.PASSWORD) as server:
        path = introductions.path_of(server.process.pid, server.runtime)
        desk = extension(server)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert desk._http.headers["X-Picsellia-Secret"] not in server.log()
        assert desk.usable()
    assert not path.exists()
    assert not desk.usable()
    with pytest.raises(ServingError, match=r"does not answer.*still running"):
        desk.kernels()


def test_what_a_dead_server_left_is_not_believed_and_the_next_one_removes_it(tmp_path):
    folder = tmp_path / "one"
    runtime = folder / "runtime"
    runtime.mkdir(parents=True)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = introductions.path_of(dead.pid, runtime)
    private_files.create(left, {"pid": dead.pid, "started": "x", "secret": "s"})

    assert introductions.read(dead.pid, runtime) is None
    with extended(folder, Kind.TOKEN):
        assert not left.exists()


def test_a_number_that_another_process_has_now_is_not_believed(tmp_path):
    path, pid = introductions.path_of(os.getpid(), tmp_path), os.getpid()
    content = {"pid": pid, "started": processes.started(pid), "secret": "s"}
    private_files.create(path, content)
    assert introductions.read(pid, tmp_path).secret == "s"
    assert "s" not in repr(introductions.read(pid, tmp_path)).split("secret")[1:]

    path.chmod(0o644)
    assert introductions.read(pid, tmp_path) is None
    path.unlink()
    private_files.create(path, content | {"started": "earlier"})
    assert introductions.read(pid, tmp_path) is None


def test_a_server_without_a_secret_refuses(server):
    reply = httpx.get(f"{server.at.url}/picsellia/kernels", trust_env=False)
    assert reply.status_code == 403
    assert reply.json()["message"] == "The Jupyter server does not let this request in."
