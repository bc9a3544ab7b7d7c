"""A serving kernel as a process: what its worker is given, and that it never outlives it."""

import json
import os
import re
import signal
import textwrap
import threading
from pathlib import Path

import httpx
import psutil
import pytest

from picsellia_jupyter.domain.errors import PlatformUnreachableError
from picsellia_jupyter.serving import kernel, sandbox
from tests.serving import fakes, models
from tests.serving.conftest import ROOT


def told(process):
    line = process.stdout.readline()
    assert line, "the process ended before it was ready"
    return json.loads(line)


# What the worker is given ------------------------------------------------------------------


def test_an_environment_passes_only_what_is_on_the_list():
    given = {"PATH": "/bin", "PICSELLIA_TOKEN": "t", "JUPYTER_TOKEN": "j", "AWS_SECRET": "s"}
    passed = sandbox.environment(Path("/tmp/own"), given)
    assert passed["PATH"] == "/bin"
    assert passed["HOME"] == passed["TMPDIR"] == "/tmp/own"
    assert passed["OMP_NUM_THREADS"] == "1"
    assert passed["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] == "1"  # else torch.export unpickles
    assert not {"PICSELLIA_TOKEN", "JUPYTER_TOKEN", "AWS_SECRET"} & set(passed)


def test_no_token_reaches_the_workers_environment_or_arguments(host):
    worker = told(host())["workers"][-1]
    given = Path(f"/proc/{worker}/environ").read_bytes()
    given += Path(f"/proc/{worker}/cmdline").read_bytes()
    assert b"PATH=" in given
    assert b"picsellia_jupyter.serving.worker" in given
    for secret in (b"canary", b"PICSELLIA_", b"JUPYTER"):
        assert secret not in given


def test_the_worker_is_in_a_session_of_its_own(own):
    worker = own.service.worker_pid
    assert os.getsid(worker) == worker
    assert psutil.Process(worker).cwd() == "/"


def test_the_worker_holds_none_of_our_sockets(own):
    worker = psutil.Process(own.service.worker_pid)
    assert worker.net_connections("inet") == []


def test_a_cell_interrupt_does_not_reach_the_worker(own):
    # An interrupt goes to the whole process group of the kernel.
    assert os.getpgid(own.service.worker_pid) != os.getpgid(0)


# That it ends ------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("fork",)], ids=["alone", "with a forked sibling"])
def test_every_worker_is_gone_within_two_seconds_of_a_sigkill(host, options):
    process = host(*options)
    workers = told(process)["workers"]
    siblings = [p for p in psutil.Process(process.pid).children() if p.pid not in workers]
    assert len(siblings) == len(options)
    process.kill()
    try:
        fakes.wait_for(lambda: all(map(fakes.is_gone, workers)), within_s=2)
    finally:
        for sibling in siblings:
            sibling.kill()


def test_a_sigterm_ends_the_workers_and_then_the_kernel(host):
    process = host()
    workers = told(process)["workers"]
    process.terminate()
    assert process.wait(10) == -signal.SIGTERM
    fakes.wait_for(lambda: all(map(fakes.is_gone, workers)), within_s=2)


@pytest.mark.timeout(60)
def test_it_serves_from_a_real_jupyter_kernel_and_survives_an_interrupt(tmp_path):
    from jupyter_client.manager import KernelManager

    models.onnx_detector(tmp_path / "model-latest")
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "PYTHONPATH": str(ROOT)})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        said = _run(
            client,
            f"""
            from pathlib import Path
            from picsellia_jupyter.serving import kernel
            from tests.serving import fakes, models
            model = Path({str(tmp_path / "model-latest")!r})
            platform = fakes.store(fakes.FakePlatform(), model, models.DETECTOR)
            kernel.connector = lambda _: lambda: platform
            kernel.start(fakes.job(model.parent / "cache"))["address"]
            """,
        )
        address = re.search(r"http://127\.0\.0\.1:\d+", said).group()
        with httpx.Client(
            base_url=address, headers={"Authorization": "Bearer front-token-canary"}
        ) as front:
            fakes.wait_for(lambda: front.get("/control/status").json()["dry_run"])
            attached = front.post("/control/attach", json={"deployment_id": fakes.DEPLOYMENT})
            assert attached.status_code == 200
            worker = int(_run(client, "kernel._RUNNING[0].service.worker_pid"))
            manager.interrupt_kernel()
            _run(client, "1")
            assert front.get("/health/ready").status_code == 200
            assert not fakes.is_gone(worker)
            again = _run(client, "kernel.start(fakes.job(model.parent / 'cache'))['address']")
            assert address not in again
            fakes.wait_for(lambda: fakes.is_gone(worker))
            second = fakes.wait_for(
                lambda: int(_run(client, "kernel._RUNNING[0].service.worker_pid or 0"))
            )
        client.shutdown()
        fakes.wait_for(lambda: fakes.is_gone(second), within_s=5)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client, code):
    """The result of a cell, as text."""
    results = []

    def on_output(message):
        if message["msg_type"] == "execute_result":
            results.append(message["content"]["data"]["text/plain"])

    reply = client.execute_interactive(
        textwrap.dedent(code), output_hook=on_output, timeout=30, allow_stdin=False
    )
    assert reply["content"]["status"] == "ok", reply["content"]
    return results[-1] if results else ""


def test_a_start_answers_at_once_with_the_address(tmp_path, monkeypatch):
    answered = threading.Event()

    def connect():
        answered.wait(10)
        raise PlatformUnreachableError("Nobody answers.")

    monkeypatch.setattr(kernel, "connector", lambda _: connect)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        address = kernel.start(fakes.job(tmp_path))["address"]
        assert httpx.get(f"{address}/health/ready").json() == {"state": "starting"}
    finally:
        answered.set()
        kernel.stop()
        signal.signal(signal.SIGTERM, handler)
    assert kernel._RUNNING == []
