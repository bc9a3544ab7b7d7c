"""Workers that cannot be started, that answer garbage, or die over one image again and again."""

import os
import signal
import threading

import pytest

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.serving import messages, sandbox, supervisor
from tests.serving import fakes
from tests.serving.test_faults import Held, sending


@pytest.fixture
def no_spawn(own, monkeypatch):
    """Have the next workers of `own` fail to start; a call ends that."""
    allowed, real = threading.Event(), sandbox.spawn

    def spawn(channel):
        if allowed.is_set():
            return real(channel)
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(sandbox, "spawn", spawn)
    yield allowed.set
    allowed.set()


def kill(kernel):
    os.kill(kernel.service.worker_pid, signal.SIGKILL)


def test_a_worker_that_cannot_be_started_is_tried_again(own, no_spawn):
    assert own.predict().status_code == 200
    kill(own)
    fakes.wait_for(lambda: "could not be started" in own.status()["detail"])
    no_spawn()
    fakes.wait_for(lambda: own.status()["state"] == "ready")
    assert own.predict().status_code == 200


@pytest.mark.usefixtures("no_spawn")
def test_workers_that_never_start_are_given_up_and_what_waits_is_told(own):
    own.predict()
    held, replies = Held(own), []
    senders = [sending(own, replies) for _ in range(2)]
    held.wait_until_busy(waiting=1)
    os.kill(held.pid, signal.SIGKILL)
    fakes.wait_for(lambda: own.status()["state"] == "unhealthy", within_s=30)
    for sender in senders:
        sender.join(10)
    assert "Resource temporarily unavailable" in own.status()["detail"]
    assert [reply.status_code for reply in replies] == [503, 503]
    assert own.predict().status_code == 503


@pytest.mark.usefixtures("no_spawn")
def test_what_waits_longer_than_ten_seconds_for_a_worker_is_told(own, monkeypatch):
    monkeypatch.setattr(supervisor, "GRACE_S", 0.3)
    monkeypatch.setattr(supervisor, "_BACKOFF_S", (0.05, 30.0))
    own.predict()
    held, replies = Held(own), []
    senders = [sending(own, replies) for _ in range(2)]
    held.wait_until_busy(waiting=1)
    os.kill(held.pid, signal.SIGKILL)
    for sender in senders:
        sender.join(10)
    told = sorted(reply.json()["message"] for reply in replies)
    assert told[0] == "The model worker died and is not back after 0.3 s."
    assert own.predict().status_code == 503


def test_an_answer_that_cannot_be_read_fails_its_image_alone(own, monkeypatch):
    own.predict()
    worker, real, broken = own.service.worker_pid, messages.reply_of, [True]

    def reply_of(message):
        if broken:
            broken.clear()
            raise AttributeError("garbage")
        return real(message)

    monkeypatch.setattr(messages, "reply_of", reply_of)
    assert own.predict().status_code == 500
    assert own.predict().status_code == 200
    assert own.service.worker_pid == worker


def test_a_call_that_breaks_off_in_the_middle_costs_its_worker(own, monkeypatch):
    own.predict()
    worker = own.service.worker_pid
    channel = own.service._supervisor._worker._channel

    def receive(*, timeout_s):
        raise MemoryError

    monkeypatch.setattr(channel, "receive", receive)
    assert own.predict().status_code == 500
    # Its answer to the first image must not be taken for that to the second.
    fakes.wait_for(lambda: own.service.worker_pid not in (None, worker))
    assert own.predict().status_code == 200


def test_a_failure_of_its_own_does_not_end_the_supervisor(own, monkeypatch):
    own.predict()
    kept, failing = own.service._supervisor, [True]
    real = kept._next

    def next_call(worker):
        if failing:
            failing.clear()
            raise ValueError("a mistake of ours")
        return real(worker)

    monkeypatch.setattr(kept, "_next", next_call)
    own.predict()
    fakes.wait_for(lambda: not failing and own.status()["state"] == "ready")
    assert own.predict().status_code == 200


def test_a_listener_that_fails_does_not_end_the_supervisor(own, monkeypatch):
    def listen(_state, _reason):
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(own.service._supervisor, "_on_state", listen)
    before = own.service.worker_pid
    kill(own)
    fakes.wait_for(lambda: own.service.worker_pid not in (None, before))
    fakes.wait_for(lambda: own.predict().status_code == 200)


def test_an_image_that_kills_its_worker_twice_is_not_tried_again(own):
    """A client repeats on a 503: one bad image would use up all restarts of the worker."""
    own.predict()
    image = fakes.picture(64, 64)
    dead = None
    for _ in range(2):
        fakes.wait_for(lambda gone=dead: own.service.worker_pid not in (None, gone))
        fakes.wait_for(lambda: own.service.status.state is ServingState.READY)
        held, replies = Held(own), []
        dead = held.pid
        sender = threading.Thread(target=lambda into=replies: into.append(own.predict(image)))
        sender.start()
        held.wait_until_busy()
        os.kill(held.pid, signal.SIGKILL)
        sender.join(10)
        assert replies[0].status_code == 503
    reply = own.predict(image)
    assert reply.status_code == 500
    assert "died over 'page.jpg' 2 times" in reply.json()["message"]
    assert own.predict().status_code == 200
