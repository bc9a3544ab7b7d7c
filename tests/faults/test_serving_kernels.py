"""Serving kernels of a real Jupyter server that are killed, restarted, ended and interrupted."""

import signal
import sys

import psutil
import pytest

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.launch import leases
from picsellia_jupyter.session import Session
from tests.faults.served import Served, kill, wait_for
from tests.jupyter_servers import running_server

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

IN_A_THREAD = """
import threading
box = []
thread = threading.Thread(target=lambda: box.append(start(job)))
thread.start(); thread.join()
said = box[0]
"""
WITH_A_SIBLING = """
said = start(job)
import subprocess, sys, os, threading, time
def fork():
    from picsellia_jupyter.serving import kernel
    while not kernel._RUNNING[0].service.worker_pids:
        time.sleep(0.01)
    if os.fork() == 0:
        os.setsid()
        note = job["cache_dir"] + "-sibling"
        open(note + "~", "w").write(str(os.getpid()))
        os.replace(note + "~", note)
        time.sleep(60)
        os._exit(0)
threading.Thread(target=fork).start()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("jupyter") / "server") as running:
        yield running


@pytest.fixture
def serve(serving_job, server):
    """Start a serving kernel of the demo classifier: `serve(server, code=…)`."""
    made = []

    def begin(at=server, *, record=None, idle_s=None, **how):
        job, fresh, image = serving_job()
        made.append(Served.start(at, {**job, "idle_s": idle_s}, record or fresh, image, **how))
        return made[-1]

    yield begin
    for served in made:
        if served.server.process.poll() is None:
            served.delete()


@pytest.fixture
def recorded(home):
    """How many predictions a deployment has."""
    return lambda served: Session(home=home).platform.deployment(served.deployment.id).inferences


def killed(served):
    before = served.lease
    kill(before, signal.SIGKILL)
    wait_for(lambda: not served.survivors(), within_s=2)
    return served.await_back(before)


def restarted(served):
    before = served.lease
    served.restart()
    took = served.await_back(before)
    assert served.survivors() == []
    return took


def interrupted(served):
    before, workers = served.lease, served.workers()
    reply = served.server.request("POST", f"/api/kernels/{served.kernel_id}/interrupt")
    assert reply.status_code == 204
    assert (served.lease, served.workers()) == (before, workers)
    return 0.0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (killed, "said = start(job)"),
        (killed, IN_A_THREAD),
        (restarted, "said = start(job)"),
        (interrupted, "said = start(job)"),
    ],
    ids=["killed", "killed, started from a thread", "restarted", "interrupted"],
)
def test_it_serves_the_same_deployment_after(fault, code, serve, recorded, long):
    count, took, all_served = 15 if long else 1, [], []
    for number in range(count):
        # Jupyter starts a kernel anew five times in a row and then gives it up.
        if number % 4 == 0:
            all_served.append(serve(code=code))
        served = all_served[-1]
        served.predict(3)
        took.append(fault(served))
        served.predict(2)
    for served in all_served:
        served.flush()
    acknowledged = sum(served.acknowledged for served in all_served)
    lost = acknowledged - sum(map(recorded, all_served))
    print(
        f"{fault.__name__}: {count} times, {acknowledged} acknowledged, {lost} lost or doubled, "
        f"0 survivors, back after {max(took):.1f} s at most"
    )
    assert acknowledged == 5 * count
    assert [recorded(served) for served in all_served] == [s.acknowledged for s in all_served]


def test_a_deleted_kernel_ends_with_its_worker_and_lease_and_loses_nothing(serve, recorded, long):
    times = 15 if long else 1
    for _ in range(times):
        served = serve()
        served.predict(3)
        lease = served.lease
        served.delete()
        assert_gone(served, lease, within_s=15)
        assert served.lease_files == []
        assert recorded(served) == served.acknowledged == 3
    print(f"deleted: {times} times, 0 survivors, 0 leases left, 0 lost")


def test_a_sigterm_ends_it_with_its_lease_and_loses_nothing(serve, recorded):
    served = serve()
    served.predict(3)
    lease = served.lease
    kill(lease, signal.SIGTERM)
    assert_gone(served, lease, within_s=15)
    assert served.lease_files == []
    assert recorded(served) == served.acknowledged == 3
    # Jupyter would start it anew, with nothing to serve.
    wait_for(lambda: served.kernel_id not in JupyterClient(served.server.at).kernels())


def test_a_forked_sibling_that_holds_everything_open_keeps_no_worker(serve, home, long):
    times, took = 15 if long else 1, []
    for _ in range(times):
        note = home / "cache-sibling"
        note.unlink(missing_ok=True)
        served = serve(code=WITH_A_SIBLING)
        wait_for(note.exists)
        sibling = psutil.Process(int(note.read_text()))
        try:
            took.append(killed(served))
            served.predict()
        finally:
            sibling.kill()
        served.delete()
    print(f"forked sibling: {times} times, 0 survivors, back after {max(took):.1f} s at most")


def test_a_jupyter_server_that_is_killed_leaves_no_kernel_and_no_worker(serve, tmp_path, long):
    times = 15 if long else 1
    for number in range(times):
        with running_server(tmp_path / str(number)) as server:
            served = serve(server)
            lease = served.lease
            server.kill()
            assert_gone(served, lease, within_s=5)
            assert leases.files(server.runtime) != ()
            assert leases.all(server.runtime) == ()
            assert leases.files(server.runtime) == ()
    print(f"Jupyter server killed: {times} times, 0 survivors, 0 leases left")


def assert_gone(served, lease, *, within_s):
    """Its kernel ends in time, and its workers within two seconds of that."""
    wait_for(lambda: not lease.alive, within_s=within_s)
    wait_for(lambda: not served.survivors(), within_s=2)


def test_one_that_was_taken_over_meanwhile_does_not_take_its_deployment_back(serve):
    first = serve()
    before = first.lease
    kill(before, signal.SIGKILL)
    second = serve(record=first.deployment)
    wait_for(lambda: first.server.request("GET", f"/api/kernels/{first.kernel_id}").is_error)
    assert first.lease_files == [leases.path_of(second.kernel_id).name]
    second.predict()


def test_one_that_nobody_asks_ends_by_itself_and_says_why(serve, home):
    served = serve(idle_s=3.0)
    wait_for(lambda: served.lease is None, within_s=20)
    record = Session(home=home).platform.deployment(served.deployment.id)
    assert "no request for 3s" in record.reason
    wait_for(lambda: served.server.request("GET", f"/api/kernels/{served.kernel_id}").is_error)
    assert served.lease_files == []
