"""What the doctor finds on a machine, and what it ends: real processes, each told by its start."""

import dataclasses
import os
import subprocess
import sys
import time

import pytest

from picsellia_jupyter.clients import processes
from picsellia_jupyter.display.diagnoses import diagnosis_card, diagnosis_text
from picsellia_jupyter.domain.deployments import (
    DeploymentRecord,
    ServingKernel,
    ServingState,
    Strategy,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.launch import leases, strays
from tests.launch.test_leases import lease

WAITS = "import sys; sys.stdin.read()"


@pytest.fixture
def start():
    """Start a process that waits: `start("-c", WAITS)`."""
    started = []

    def begin(*words, **how):
        started.append(subprocess.Popen([sys.executable, *words], stdin=subprocess.PIPE, **how))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()


def test_a_kernel_that_runs_under_its_server_is_shown_and_left_alone(tmp_path, start):
    kernel = start("-c", WAITS)
    leases.write(lease(kernel.pid, deployment_id="dep-12345"), tmp_path)
    found = strays.diagnose(folder=tmp_path, fix=True)
    assert [shown.pid for shown in found.kernels] == [kernel.pid]
    assert found.findings == ()
    assert kernel.poll() is None
    text = diagnosis_text(found)
    assert "digits-detector:0" in text
    assert "1h" in text
    assert text.endswith("Nothing is amiss.")
    assert "canary" not in text + diagnosis_card(found) + repr(found)


def test_the_lease_of_a_dead_kernel_is_found_and_removed(tmp_path):
    leases.write(lease(os.getpid(), started="another boot/17"), tmp_path)
    (finding,) = strays.diagnose(folder=tmp_path).findings
    assert "0a1b-22" in finding.what
    assert finding.remedy == "picsellia-jupyter doctor --fix"
    assert leases.files(tmp_path) != ()
    found = strays.diagnose(folder=tmp_path, fix=True)
    assert [finding.fixed for finding in found.findings] == [True]
    assert leases.files(tmp_path) == ()
    assert "Put right." in diagnosis_text(found)
    assert "Put right." in diagnosis_card(found)


def test_a_dead_kernel_that_jupyter_may_start_anew_keeps_its_lease(tmp_path):
    (tmp_path / "kernel-0a1b-22.json").touch()
    leases.write(lease(os.getpid(), started="another boot/17"), tmp_path)
    (finding,) = strays.diagnose(folder=tmp_path, fix=True).findings
    assert "Running panel" in finding.remedy
    assert not finding.fixed
    assert leases.files(tmp_path) != ()


def test_a_kernel_without_its_server_is_ended(tmp_path, start):
    kernel = start("-c", WAITS)
    leases.write(lease(kernel.pid, parent_started="gone"), tmp_path)
    (finding,) = strays.diagnose(folder=tmp_path).findings
    assert "the Jupyter server that started it is gone" in finding.what
    assert kernel.poll() is None
    found = strays.diagnose(folder=tmp_path, fix=True)
    assert [finding.fixed for finding in found.findings] == [True]
    assert kernel.wait(5) < 0
    assert (found.kernels, leases.files(tmp_path)) == ((), ())


def test_a_later_process_with_the_number_of_a_dead_kernel_is_not_ended(tmp_path, start):
    other = start("-c", WAITS)
    dead = lease(other.pid, started="another boot/17", parent_started="gone")
    leases.write(dead, tmp_path)
    strays.diagnose(folder=tmp_path, fix=True)
    assert processes.started(other.pid) is not None
    assert leases.files(tmp_path) == ()


def test_a_worker_whose_kernel_is_gone_is_ended(tmp_path, start):
    # A worker ends with its kernel; one that hangs is played by a module of the same name.
    module = tmp_path / "picsellia_jupyter" / "serving"
    module.mkdir(parents=True)
    for folder in (module, module.parent):
        (folder / "__init__.py").touch()
    (module / "worker.py").write_text(f"print(1, flush=True)\n{WAITS}\n")
    command = ("-m", "picsellia_jupyter.serving.worker")
    where = {"cwd": tmp_path, "env": {}, "stdout": subprocess.PIPE}
    own = start(*command, f"--parent={os.getpid()}", **where)
    orphan = start(*command, "--parent=999999999", **where)
    for process in (own, orphan):
        assert process.stdout.readline() == b"1\n"
        process.stdout.close()
    findings = strays.diagnose(folder=tmp_path / "none", fix=True).findings
    assert [f"process {orphan.pid}" in f.what and f.fixed for f in findings] == [True]
    assert orphan.wait(5) < 0
    assert own.poll() is None


def test_a_file_that_is_no_lease_is_removed(tmp_path):
    path = leases.path_of("0a1b-22", tmp_path)
    path.write_text("{")
    (finding,) = strays.diagnose(folder=tmp_path, fix=True).findings
    assert str(path) in finding.what
    assert finding.fixed
    assert not path.exists()


def test_old_logs_of_kernels_that_are_gone_are_removed(tmp_path):
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    for path in (old, new):
        path.touch()
    long_ago = time.time() - 8 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    (finding,) = strays.diagnose(logs=tmp_path, folder=tmp_path, fix=True).findings
    assert "1 old logs" in finding.what
    assert [path.name for path in tmp_path.iterdir()] == ["new.log"]


def test_a_deployment_whose_kernel_fell_silent_is_told_with_the_line_that_serves_it_again():
    silent = DeploymentRecord(
        "d", "doubtful-pear", InferenceType.OBJECT_DETECTION, Strategy.SERVING,
        ServingState.STOPPED, "v", "digits-detector:0", 0.3, "l",
        reason="No heartbeat for 12 s.", serving=ServingKernel("k", "http://127.0.0.1:1", "local"),
    )  # fmt: skip
    ended = dataclasses.replace(silent, name="done", reason="stopped")
    (finding,) = strays.halted([silent, ended], [])
    assert "'doubtful-pear'" in finding.what
    assert finding.remedy.startswith("%deploy digits-detector:0")
