"""A serving kernel that is done ends its own process, so that nothing of it is left."""

import json
import os
import re
import subprocess
import sys
import textwrap

import httpx
import psutil
import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from tests.serving import fakes, models
from tests.serving.conftest import ROOT

FRONT = {"Authorization": "Bearer front-token-canary"}


@pytest.fixture
def kernel(host):
    """A process that serves, and what it told of itself."""
    process = host()
    return process, json.loads(process.stdout.readline())


def stop_through(address, route):
    if route == "control":
        return httpx.post(f"{address}/control/stop", headers=FRONT, timeout=20)
    body = {"api_token": "api-token-canary", "deployment_id": fakes.DEPLOYMENT}
    jwt = httpx.post(f"{address}/api/login", json=body).json()["jwt"]
    return httpx.post(
        f"{address}/api/deployments/{fakes.DEPLOYMENT}/stop",
        headers={"Authorization": f"Bearer {jwt}"},
        timeout=20,
    )


@pytest.mark.parametrize("route", ["control", "deployment"])
def test_a_stop_is_answered_and_then_ends_the_process(kernel, route):
    process, told = kernel
    reply = stop_through(told["address"], route)
    assert reply.json() == {"recorded": 0, "kept": 0, "failed": 0, "trouble": ""}
    assert process.wait(10) == 0
    fakes.wait_for(lambda: all(map(fakes.is_gone, told["workers"])), within_s=2)


@pytest.mark.parametrize("loss", ["known=false", "superseded=true"])
def test_a_kernel_that_lost_its_deployment_ends(kernel, loss):
    process, told = kernel
    process.stdin.write(f"{loss}\n")
    process.stdin.flush()
    assert process.wait(10) == 0
    fakes.wait_for(lambda: all(map(fakes.is_gone, told["workers"])), within_s=2)


def test_a_program_in_a_process_that_is_not_its_own_leaves_that_alone(own):
    assert stop_through(own.program.address, "control").status_code == 200
    own.program._front.join(10)
    assert own.program._ending.locked()


@pytest.mark.timeout(60)
def test_a_real_jupyter_kernel_ends(tmp_path):
    from jupyter_client.manager import KernelManager

    models.onnx_detector(tmp_path / "model-latest")
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "PYTHONPATH": str(ROOT)})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        client.execute(textwrap.dedent(_code(tmp_path, "k")), silent=True, reply=True, timeout=30)
        address = (tmp_path / "address").read_text()
        assert stop_through(address, "control").status_code == 200
        fakes.wait_for(lambda: not manager.is_alive())
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """A real Jupyter server, which starts kernels anew that just end."""
    home = tmp_path_factory.mktemp("jupyter")
    runtime = home / "runtime"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root",
            "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={home}",
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(runtime),
            "JUPYTER_TOKEN": "jupyter-canary",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield JupyterClient(fakes.wait_for(lambda: _found(runtime), within_s=60))
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("owner_deletes_it", [False, True])
def test_a_kernel_of_a_jupyter_server_is_deleted_there(jupyter, tmp_path, owner_deletes_it):
    models.onnx_detector(tmp_path / "model-latest")
    kernel_id = jupyter.start_kernel("Picsellia: tiny:0", None)
    said = jupyter.execute(kernel_id, _code(tmp_path, kernel_id), "os.getpid()", timeout_s=60)
    pid = int(re.search(r"\d+", said).group())
    address = (tmp_path / "address").read_text()
    children = psutil.Process(pid).children()

    assert stop_through(address, "control").status_code == 200
    if owner_deletes_it:
        jupyter.delete_kernel(kernel_id)

    fakes.wait_for(lambda: fakes.is_gone(pid), within_s=20)
    fakes.wait_for(lambda: all(fakes.is_gone(child.pid) for child in children))
    # A kernel that just exits stays on the list, and is started anew.
    fakes.wait_for(lambda: jupyter.kernel_name(kernel_id) is None)


def _found(runtime):
    for info in runtime.glob("jpserver-*.json"):
        said = json.loads(info.read_text())
        server = JupyterServer(said["url"].rstrip("/"), said["token"])
        if JupyterClient(server).usable():
            return server
    return None


def _code(folder, kernel_id):
    """What makes a kernel serve; its address is left in a file."""
    return textwrap.dedent(
        f"""
        import os
        from pathlib import Path
        from picsellia_jupyter.serving import kernel
        from tests.serving import fakes, models
        folder = Path({str(folder)!r})
        platform = fakes.store(fakes.FakePlatform(), folder / "model-latest", models.DETECTOR)
        kernel.connector = lambda _: lambda: platform
        job = fakes.job(folder / "cache", kernel_id={kernel_id!r})
        _ = (folder / "address").write_text(kernel.start(job)["address"])
        service = kernel._RUNNING[0].service
        _ = fakes.wait_for(lambda: service.status.dry_run, within_s=30)
        """
    )
