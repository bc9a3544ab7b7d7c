"""The Jupyter client against a real Jupyter server, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.clients import jupyter
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.domain.errors import ServingError

TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    home = tmp_path_factory.mktemp("jupyter")
    runtime = home / "runtime"
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_TOKEN": TOKEN,
    }
    command = [sys.executable, "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1"]
    command += [
        "--ServerApp.port=0",
        "--no-browser",
        "--allow-root",
        f"--ServerApp.root_dir={home}",
    ]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield JupyterServer(_address(runtime, process), TOKEN)
    finally:
        process.terminate()
        process.wait(20)


def _address(runtime: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the Jupyter server ended"
        for info in runtime.glob("jpserver-*.json"):
            url = json.loads(info.read_text())["url"].rstrip("/")
            try:
                if httpx.get(f"{url}/api", trust_env=False).is_success:
                    return url
            except httpx.TransportError:
                pass
        time.sleep(0.1)
    raise TimeoutError("no Jupyter server")


@pytest.fixture
def kernel(server: JupyterServer) -> Iterator[tuple[JupyterClient, str]]:
    client = JupyterClient(server)
    kernel_id = client.start_kernel("Picsellia: pets:0", None)
    yield client, kernel_id
    client.delete_kernel(kernel_id)


def test_code_runs_unseen_in_a_kernel_and_gives_a_value(kernel: tuple[JupyterClient, str]):
    client, kernel_id = kernel

    assert client.execute(kernel_id, "x = 6 * 7", "x", timeout_s=60) == "42"
    assert client.execute(kernel_id, "", "len(In)", timeout_s=60) == "1"


def test_a_kernel_shows_under_its_title(server: JupyterServer, kernel: tuple[JupyterClient, str]):
    reply = httpx.get(
        f"{server.url}/api/sessions",
        headers={"Authorization": f"token {TOKEN}"},
        trust_env=False,
    )

    assert [session["name"] for session in reply.json()] == ["Picsellia: pets:0"]


def test_code_that_raises_is_an_error_with_its_words(kernel: tuple[JupyterClient, str]):
    client, kernel_id = kernel

    with pytest.raises(ServingError, match="ValueError: too big"):
        client.execute(kernel_id, "raise ValueError('too big')", "1", timeout_s=60)


def test_a_package_that_is_missing_there_is_named(kernel: tuple[JupyterClient, str]):
    client, kernel_id = kernel

    with pytest.raises(ServingError, match=r"lacks a package.*no_such_thing") as caught:
        client.execute(kernel_id, "import no_such_thing", "1", timeout_s=60)

    assert "pip install" in caught.value.remedy


def test_a_kernel_that_dies_while_it_runs_code_is_an_error(kernel: tuple[JupyterClient, str]):
    client, kernel_id = kernel
    client.execute(kernel_id, "", "1", timeout_s=60)

    with pytest.raises(ServingError, match="died or fell silent"):
        client.execute(kernel_id, "import os; os._exit(1)", "1", timeout_s=5)


def test_a_deleted_kernel_is_not_alive_and_can_be_deleted_again(server: JupyterServer):
    client = JupyterClient(server)
    kernel_id = client.start_kernel("Picsellia: pets:0", None)
    assert client.alive(kernel_id)

    client.delete_kernel(kernel_id)
    client.delete_kernel(kernel_id)

    assert not client.alive(kernel_id)


def test_a_wrong_token_is_not_usable(server: JupyterServer):
    assert JupyterClient(server).usable()
    assert not JupyterClient(JupyterServer(server.url, "wrong")).usable()
    assert not JupyterClient(JupyterServer("http://127.0.0.1:1", TOKEN)).usable()


def test_the_token_does_not_show(server: JupyterServer):
    assert TOKEN not in repr(server)


def test_a_process_without_a_jupyter_server_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))

    assert jupyter.own_server() is None


def test_ones_own_server_is_the_one_that_is_the_parent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    info = {"url": "http://127.0.0.1:8888/lab/", "token": "t"}
    (tmp_path / f"jpserver-{os.getppid()}.json").write_text(json.dumps(info))

    assert jupyter.own_server() == JupyterServer("http://127.0.0.1:8888/lab", "t")


def test_ones_own_server_of_jupyterhub_is_entered_with_the_hubs_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/me/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "of-the-hub")
    info = {"url": "http://127.0.0.1:8888/user/me/", "base_url": "/user/me/", "token": ""}
    record = tmp_path / f"jpserver-{os.getppid()}.json"
    record.write_text(json.dumps(info))

    assert jupyter.own_server() == JupyterServer("http://127.0.0.1:8888/user/me", "of-the-hub")
    # Another server under the same parent is none of the hub's.
    record.write_text(json.dumps(info | {"base_url": "/"}))
    assert jupyter.own_server() is None


def test_a_program_that_a_cell_runs_has_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", "4711")
    info = {"url": "http://127.0.0.1:8888/", "token": "t"}
    (tmp_path / "jpserver-4711.json").write_text(json.dumps(info))

    assert jupyter.own_server() is None


def test_a_server_behind_a_password_is_not_ours_to_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    info = {"url": "http://127.0.0.1:8888/", "token": ""}
    (tmp_path / f"jpserver-{os.getppid()}.json").write_text(json.dumps(info))

    assert jupyter.own_server() is None
