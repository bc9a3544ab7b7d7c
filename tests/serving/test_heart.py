"""Attaching to a deployment, and losing it to another kernel."""

import threading

import pytest

from picsellia_jupyter.domain.deployments import Heartbeat, ServingKernel, ServingState
from picsellia_jupyter.domain.errors import PlatformUnreachableError, ServingError
from picsellia_jupyter.serving.heart import Heart
from tests.serving import fakes

KERNEL = ServingKernel("k", "http://127.0.0.1:4000", "local", 77)


def post_attach(kernel):
    kernel.prepared()
    return kernel.control.post("/control/attach", json={"deployment_id": fakes.DEPLOYMENT})


def test_only_the_first_heartbeat_claims_the_deployment(own):
    fakes.wait_for(lambda: len(own.platform.beats) >= 3)
    assert [beat.claim for beat in own.platform.beats[:3]] == [True, False, False]


def test_an_attachment_is_claimed_from_another_kernel(start):
    kernel = start(superseded=True)
    assert post_attach(kernel).status_code == 200


def test_a_kernel_that_is_superseded_records_what_it_has_and_stops(own):
    own.platform.reachable = False
    own.predict()
    own.platform.superseded = True
    own.platform.reachable = True
    fakes.wait_for(lambda: own.service.report()["stopped"])
    assert own.service.status.state is ServingState.STOPPED
    assert own.service.status.detail == "superseded by another serving kernel"
    assert own.service.report()["stopped"] == {"recorded": 1, "kept": 0, "failed": 0, "trouble": ""}
    fakes.wait_for(lambda: not own.program._front._thread.is_alive())


@pytest.mark.parametrize(
    ("raised", "status", "told"),
    [
        (PlatformUnreachableError("Nobody answers."), 502, "Nobody answers."),
        (KeyError("min_threshold"), 500, "The first heartbeat failed: KeyError: 'min_threshold'"),
        (TimeoutError("too slow"), 500, "The first heartbeat failed: TimeoutError: too slow"),
    ],
)
def test_an_attachment_that_fails_leaves_the_kernel_prepared(start, raised, status, told):
    kernel = start()
    heartbeat = kernel.platform.heartbeat

    def fail(_deployment_id, _beat):
        raise raised

    kernel.platform.heartbeat = fail
    reply = post_attach(kernel)
    assert (reply.status_code, reply.json()["message"]) == (status, told)
    assert kernel.status()["state"] == "warming"
    kernel.platform.heartbeat = heartbeat
    assert post_attach(kernel).status_code == 200


def test_an_attachment_that_breaks_off_is_undone_and_told_in_words(start, monkeypatch):
    from picsellia_jupyter.serving import attachment

    kernel = start()

    def fail(*_args, **_options):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(attachment, "Heart", fail)
        reply = post_attach(kernel)
    assert reply.status_code == 500
    assert "Attaching failed: RuntimeError: can't start new thread" in reply.json()["message"]
    assert post_attach(kernel).status_code == 200


def test_a_platform_that_is_silent_is_told_as_such():
    silence, platform = threading.Event(), fakes.FakePlatform()

    def connect():
        silence.wait(10)
        return platform

    heart = Heart(connect, fakes.DEPLOYMENT, lambda: Heartbeat(ServingState.READY, KERNEL), print)
    try:
        with pytest.raises(PlatformUnreachableError, match=r"no heartbeat within 0\.1 s"):
            heart.wait_for_first(0.1)
    finally:
        heart.stop(0.0)
        silence.set()
        heart.stop()
    # What was given up must not take the deployment from whoever serves it.
    assert platform.beats == []


def test_an_error_that_is_not_ours_becomes_one_of_ours():
    def connect():
        raise ValueError("a bad reply")

    heart = Heart(connect, fakes.DEPLOYMENT, lambda: Heartbeat(ServingState.READY, KERNEL), print)
    try:
        with pytest.raises(ServingError, match="ValueError: a bad reply"):
            heart.wait_for_first(5)
    finally:
        heart.stop()
