"""Leases: whom they name, who may be believed, and when they are removed."""

import dataclasses
import os
import stat
import subprocess
import sys

import pytest

from picsellia_jupyter.clients import processes
from picsellia_jupyter.launch import leases
from picsellia_jupyter.launch.leases import Lease


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


def lease(pid: int, **changes) -> Lease:
    made = Lease(
        kernel_id="0a1b-22",
        pid=pid,
        started=processes.started(pid) or "gone",
        address="http://127.0.0.1:4711",
        front_token="front-token-canary",
        deployment_id=None,
        title="digits-detector:0",
        place="local",
        idle_s=3600.0,
        version="0.1.0",
        job={"token": "api-token-canary", "kernel_id": "0a1b-22"},
        parent=os.getpid(),
        parent_started=processes.started(os.getpid()) or "",
    )
    return dataclasses.replace(made, **changes)


def test_what_is_written_is_read_and_found(tmp_path):
    written = lease(os.getpid(), deployment_id="dep-1", idle_s=None)
    leases.write(written, tmp_path)
    assert leases.read("0a1b-22", tmp_path) == written
    assert leases.all(tmp_path) == (written,)
    path = tmp_path / "picsellia-serving-0a1b-22.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_tokens_are_not_shown(tmp_path):
    assert "canary" not in repr(lease(os.getpid()))


def test_a_process_is_told_from_a_later_one_with_its_number(tmp_path):
    leases.write(lease(os.getpid(), started="another boot/17"), tmp_path)
    assert leases.read("0a1b-22", tmp_path) is None
    assert leases.left("0a1b-22", tmp_path) is not None


def test_a_zombie_does_not_run(child):
    since = processes.started(child.pid)
    assert processes.runs(child.pid, since)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.runs(child.pid, since)


def test_the_lease_of_a_dead_kernel_stays_while_its_server_may_start_it_anew(tmp_path, child):
    (tmp_path / "kernel-0a1b-22.json").touch()
    dead = lease(child.pid)
    leases.write(dead, tmp_path)
    child.kill()
    child.wait()
    assert leases.all(tmp_path) == ()
    assert leases.left("0a1b-22", tmp_path) == dead


@pytest.mark.parametrize("missing", ["the connection file", "the server"])
def test_the_lease_of_a_dead_kernel_is_removed_once_nobody_starts_it_anew(tmp_path, child, missing):
    changes = {"parent_started": "gone"} if missing == "the server" else {}
    if missing != "the connection file":
        (tmp_path / "kernel-0a1b-22.json").touch()
    leases.write(lease(child.pid, **changes), tmp_path)
    child.kill()
    child.wait()
    assert leases.all(tmp_path) == ()
    assert leases.files(tmp_path) == ()


def test_a_process_removes_its_own_lease_alone(tmp_path, child):
    mine, later = lease(os.getpid()), lease(child.pid)
    leases.write(later, tmp_path)
    leases.remove(mine, tmp_path)
    assert leases.read("0a1b-22", tmp_path) == later
    leases.remove(later, tmp_path)
    assert leases.files(tmp_path) == ()


@pytest.mark.parametrize("how", ["a link", "readable by others", "no JSON", "of another kernel"])
def test_what_may_not_be_ours_is_not_believed(tmp_path, how):
    leases.write(lease(os.getpid()), tmp_path)
    path = leases.path_of("0a1b-22", tmp_path)
    if how == "a link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    elif how == "readable by others":
        path.chmod(0o644)
    elif how == "no JSON":
        path.write_text("{")
    else:
        path = path.rename(leases.path_of("ff", tmp_path))
    assert leases.read("0a1b-22", tmp_path) is None
    assert leases.read("ff", tmp_path) is None
    assert path in leases.files(tmp_path)


@pytest.mark.parametrize("name", ["../0a1b-22", "", "a/b", "x" * 200])
def test_a_name_that_is_no_kernel_id_is_no_lease(tmp_path, name):
    assert leases.read(name, tmp_path) is None
    with pytest.raises(ValueError, match="is no kernel id"):
        leases.write(lease(os.getpid(), kernel_id=name), tmp_path)
