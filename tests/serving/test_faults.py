"""Dying workers, and ends: what a caller of the front sees of them."""

import contextlib
import os
import signal
import socket
import threading

from picsellia_jupyter.domain.deployments import ServingState
from tests.serving import fakes


class Held:
    """A worker that is stopped in its tracks until `go_on`."""

    def __init__(self, kernel):
        self.pool = kernel.service._pool
        self.pid = kernel.service.worker_pid
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def wait_until_it_has(self, images, *, waiting=0):
        fakes.wait_for(lambda: self._at_hand() == (images, waiting))

    def _at_hand(self):
        numbers = self.pool.numbers()
        return numbers.in_flight, numbers.queued


def sending(kernel, replies):
    sender = threading.Thread(target=lambda: replies.append(kernel.predict()))
    sender.start()
    return sender


def test_a_dead_workers_successor_answers_its_images(own):
    own.predict()
    held, replies = Held(own), []
    senders = [sending(own, replies) for _ in range(3)]
    held.wait_until_it_has(3)
    os.kill(held.pid, signal.SIGKILL)
    for sender in senders:
        sender.join(10)
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    fakes.wait_for(lambda: own.status()["state"] == "ready")
    assert own.service.worker_pid != held.pid
    assert ServingState.DEGRADED in {beat.state for beat in own.platform.beats}


def test_a_worker_that_dies_while_idle_is_replaced(own):
    before = own.service.worker_pid
    os.kill(before, signal.SIGKILL)
    fakes.wait_for(lambda: own.service.worker_pid not in (None, before))
    fakes.wait_for(lambda: own.status()["state"] == "ready")
    assert own.predict().status_code == 200


def test_a_worker_that_dies_five_times_is_given_up(own):
    own.predict()

    def kill_next():
        pid = own.service.worker_pid
        # It may have died of the last one just now.
        with contextlib.suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGKILL)
        return own.status()["state"] == "unhealthy"

    fakes.wait_for(kill_next, within_s=30)
    status = own.status()
    assert "died 5 times within 60 s" in status["detail"]
    assert status["error"]["detail"] == "Deploy the model again."
    assert own.predict().status_code == 503
    fakes.wait_for(lambda: own.platform.beats[-1].state is ServingState.UNHEALTHY)


def test_a_full_queue_is_answered_with_429(own):
    own.predict()
    held = Held(own)
    submit = held.pool.submit
    waiting = [submit(b"", "x", record=False) for _ in range(8 + 64)]
    reply = own.predict()
    held.go_on()
    assert reply.status_code == 429
    assert int(reply.headers["retry-after"]) >= 1
    for future in waiting:
        assert future.exception(10) is not None
    assert own.predict().status_code == 200


def test_a_call_past_its_deadline_is_answered_with_504(own, monkeypatch):
    own.predict()
    held = Held(own)
    real = held.pool.submit
    monkeypatch.setattr(held.pool, "submit", lambda *a, **k: real(*a, **k, timeout_s=0.2))
    reply = own.predict()
    held.go_on()
    assert reply.status_code == 504
    assert "had no answer after 0.2 s" in reply.json()["message"]


def test_a_stop_answers_what_is_under_way_and_records_it(own):
    kernel = own
    kernel.predict(monitor="False")
    held, replies, stops = Held(kernel), [], []
    sender = sending(kernel, replies)
    held.wait_until_it_has(1)
    stopper = threading.Thread(target=lambda: stops.append(kernel.control.post("/control/stop")))
    stopper.start()
    fakes.wait_for(lambda: not held.pool._open)
    held.go_on()
    sender.join(10)
    stopper.join(10)
    assert stops[0].json() == {"recorded": 1, "kept": 0, "failed": 0, "trouble": ""}
    assert replies[0].status_code == 200
    assert len(kernel.platform.recorded) == 1
    assert kernel.platform.beats[-1].state is ServingState.STOPPED
    assert fakes.is_gone(held.pid)

    def closed():
        try:
            socket.create_connection(("127.0.0.1", int(kernel.program.address.rpartition(":")[2])))
        except ConnectionRefusedError:
            return True
        return False

    fakes.wait_for(closed)


def test_a_kernel_whose_deployment_was_deleted_stops_serving(own):
    own.predict()
    own.platform.known = False
    fakes.wait_for(lambda: own.service.status.state is ServingState.STOPPED)
    assert "deployment is gone" in own.service.status.detail
    fakes.wait_for(lambda: own.service.worker_pid is None)
    fakes.wait_for(lambda: not own.program._front._thread.is_alive())


def test_a_stop_while_the_model_loads_leaves_no_worker(start):
    kernel = start()
    fakes.wait_for(lambda: kernel.service.worker_pid)
    kernel.program.stop("changed my mind")
    fakes.wait_for(lambda: kernel.service.worker_pid is None)
    assert kernel.service.status.state is ServingState.STOPPED
