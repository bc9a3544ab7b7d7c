"""Predictions on their way to the platform: none is lost without a word."""

import threading

import httpx
import pytest

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidInputError,
    PlatformError,
    PlatformUnreachableError,
)
from picsellia_jupyter.recording import recorder
from picsellia_jupyter.serving import predicting
from tests.serving import fakes
from tests.serving.test_faults import sending


def test_while_the_platform_is_away_predictions_wait(own):
    own.platform.reachable = False
    own.predict()
    own.predict()
    status = fakes.wait_for(lambda: (s := own.status())["detail"] and s)
    assert (status["pending"], status["failed"]) == (2, 0)
    assert "Nobody answers." in status["detail"]
    assert own.service.flush(0.05) == 2
    own.platform.reachable = True
    assert own.service.flush(10) == 0
    assert len(own.platform.recorded) == 2


def test_one_that_the_platform_refuses_does_not_hold_up_the_others(own):
    own.platform.refusals += [InvalidInputError("No.")] * 3
    own.predict(name="bad.jpg")
    own.predict(name="good.jpg")
    assert own.service.flush(10) == 0
    assert [p.source for _, _, p, _ in own.platform.recorded] == ["good.jpg"]
    assert own.status()["failed"] == 1


def test_what_a_platform_that_fails_was_sent_is_sent_again(own):
    own.platform.refusals += [PlatformError("The platform answered 503.")] * 4
    own.predict()
    assert own.service.flush(30) == 0
    assert [extra["again"] for *_, extra in own.platform.recorded] == [True]
    assert own.status()["failed"] == 0


def test_one_that_was_recorded_already_counts_as_recorded(own):
    own.platform.refusals.append(ConflictError("This has already been processed."))
    own.predict()
    assert own.service.flush(10) == 0
    assert own.status()["failed"] == 0


def test_what_is_tried_again_is_said_to_be(own):
    own.platform.refusals.append(PlatformUnreachableError("Its reply was lost."))
    own.predict()
    own.predict()
    assert own.service.flush(10) == 0
    assert [extra["again"] for *_, extra in own.platform.recorded] == [True, False]


@pytest.fixture
def small(monkeypatch, start):
    """A kernel that holds two predictions until they are recorded; its platform is away."""
    monkeypatch.setattr(recorder, "QUEUE_LIMIT", 2)
    monkeypatch.setattr(recorder, "DRAIN_IDLE_S", 0.5)
    kernel = start().attach()
    kernel.platform.reachable = False
    kernel.predict()
    kernel.predict()
    fakes.wait_for(lambda: kernel.service.backlog()["trouble"])
    return kernel


def test_an_image_waits_for_room_and_others_are_answered_meanwhile(small):
    replies = []
    sender = sending(small, replies)
    room = small.service._recorder._room
    fakes.wait_for(lambda: len(room._line) == 1)
    assert small.predict(monitor="False").status_code == 200
    assert httpx.get(f"{small.program.address}/health/live").status_code == 200
    assert replies == []
    small.platform.reachable = True
    sender.join(10)
    assert replies[0].status_code == 200
    assert small.service.flush(10) == 0
    recorded = {predicted.prediction_id for _, _, predicted, _ in small.platform.recorded}
    assert len(recorded) == 3
    assert replies[0].json()["id"] in recorded


def test_an_image_for_which_there_is_no_room_is_refused_and_not_predicted_on(small, monkeypatch):
    monkeypatch.setattr(predicting, "ROOM_WAIT_S", 0.2)
    reply = small.predict()
    assert reply.status_code == 429
    assert reply.headers["retry-after"] == "1"
    assert reply.json()["message"] == "2 predictions wait to be recorded: Nobody answers."
    assert "when the platform answers" in reply.json()["detail"]
    small.platform.reachable = True
    assert small.service.flush(10) == 0
    assert len(small.platform.recorded) == 2
    assert small.predict().status_code == 200


def test_too_many_that_wait_for_room_are_refused_at_once(small, monkeypatch):
    monkeypatch.setattr(small.service._recorder._room, "_longest_line", 1)
    replies = []
    sender = sending(small, replies)
    fakes.wait_for(lambda: len(small.service._recorder._room._line) == 1)
    assert small.predict().status_code == 429
    small.platform.reachable = True
    sender.join(10)
    assert replies[0].status_code == 200


def test_an_image_that_fails_gives_its_room_back(small):
    small.platform.reachable = True
    assert small.service.flush(10) == 0
    for _ in range(5):
        assert small.predict(b"no image").status_code == 400
    assert small.predict().status_code == 200


def test_a_flush_and_the_status_tell_what_holds_the_rest_up(small):
    told = small.control.post("/control/flush", json={"timeout_s": 0.05}).json()
    assert told == {"pending": 2, "failed": 0, "trouble": "Nobody answers."}
    status = small.status()
    assert {key: status[key] for key in told} == told
    assert status["detail"] == "2 predictions wait to be recorded: Nobody answers."
    small.platform.reachable = True
    small.service.flush(10)
    assert small.control.post("/control/flush", json={}).json()["trouble"] == ""


def test_what_was_refused_is_told_after_others_went_well(own):
    own.platform.refusals += [InvalidInputError("No.")] * 3
    own.predict(name="bad.jpg")
    own.predict(name="good.jpg")
    told = own.control.post("/control/flush", json={"timeout_s": 10}).json()
    assert told == {"pending": 0, "failed": 1, "trouble": "'bad.jpg' was not recorded: No."}


def test_attempts_become_rarer_while_the_platform_is_away(monkeypatch, start):
    asked = []

    class Noted(tuple):
        def __getitem__(self, index):
            asked.append(index)
            return 0.01

    monkeypatch.setattr(recorder, "_BACKOFF_S", Noted((1, 2, 3)))
    kernel = start().attach()
    kernel.platform.reachable = False
    kernel.predict()
    fakes.wait_for(lambda: len(asked) >= 5)
    kernel.platform.reachable = True
    assert kernel.service.flush(10) == 0
    assert asked[:5] == [0, 1, 2, 2, 2]


# At a stop ---------------------------------------------------------------------------------


def test_a_stop_records_what_waits_for_as_long_as_it_gets_on(own, monkeypatch):
    taken = threading.Semaphore(0)
    monitor = own.platform.monitor

    def slowly(*args, **extra):
        taken.acquire(timeout=10)
        monitor(*args, **extra)

    own.platform.monitor = slowly
    monkeypatch.setattr(recorder, "DRAIN_IDLE_S", 5.0)
    for _ in range(4):
        own.predict()
    stops = []
    stopper = threading.Thread(target=lambda: stops.append(own.control.post("/control/stop")))
    stopper.start()
    for recorded in range(4):
        fakes.wait_for(lambda want=recorded: len(own.platform.recorded) == want)
        assert stops == []
        taken.release()
    stopper.join(10)
    assert stops[0].json() == {"recorded": 4, "kept": 0, "failed": 0, "trouble": ""}


def test_a_stop_tells_what_it_could_not_record(small):
    assert small.service.status.state is ServingState.READY
    reply = small.control.post("/control/stop")
    assert reply.json() == {
        "recorded": 0, "kept": 2, "failed": 0, "trouble": "Nobody answers.",
    }  # fmt: skip
    told = "2 predictions are kept and recorded when the deployment is served here again"
    assert small.service.status.detail == f"stopped; {told}: Nobody answers."
    assert small.service.report()["stopped"] == reply.json()


def test_the_last_heartbeat_tells_what_was_not_recorded(own):
    own.platform.refusals += [InvalidInputError("No.")] * 3
    own.predict(name="bad.jpg")
    stopped = own.control.post("/control/stop").json()
    assert stopped == {
        "recorded": 0, "kept": 0, "failed": 1, "trouble": "'bad.jpg' was not recorded: No.",
    }  # fmt: skip
    last = own.platform.beats[-1]
    assert last.state is ServingState.STOPPED
    assert last.reason == f"stopped; 1 prediction was refused and set aside: {stopped['trouble']}"


def test_the_last_heartbeat_of_a_kernel_that_is_started_anew_says_that_it_starts(own):
    own.predict()
    own.program.comes_back = True
    own.program.stop("the kernel ended")
    assert len(own.platform.recorded) == 1
    last = own.platform.beats[-1]
    assert (last.state, last.reason) == (ServingState.STARTING, "the kernel is started anew")


def test_a_stop_takes_so_long_in_all_and_no_longer(small, monkeypatch):
    monkeypatch.setattr(recorder, "DRAIN_IDLE_S", 60.0)
    monkeypatch.setattr(recorder, "DRAIN_S", 0.3)
    assert small.control.post("/control/stop").json()["kept"] == 2


def test_what_waits_for_room_at_a_stop_is_refused_and_not_answered(small):
    replies = []
    sender = sending(small, replies)
    fakes.wait_for(lambda: len(small.service._recorder._room._line) == 1)
    small.control.post("/control/stop")
    sender.join(10)
    assert replies[0].status_code == 503


def test_a_second_stop_answers_the_same(small):
    outcomes = [small.service.stop(), small.service.stop("again")]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0].kept == 2


def test_recording_gives_way_to_predictions_but_not_to_who_waits_for_it(own, monkeypatch):
    monkeypatch.setattr(recorder, "GIVE_WAY_S", 60.0)
    own.service._recorder._pressure = lambda: 2.0
    own.predict()
    assert own.platform.recorded == []
    assert own.service.flush(10) == 0
    own.predict()
    assert own.control.post("/control/stop").json()["recorded"] == 2


def test_recording_does_not_give_way_when_room_gets_short(own, monkeypatch):
    monkeypatch.setattr(recorder, "GIVE_WAY_S", 60.0)
    monkeypatch.setattr(own.service._recorder._room, "_places", 1)
    own.service._recorder._pressure = lambda: 2.0
    own.predict()
    fakes.wait_for(lambda: len(own.platform.recorded) == 1)
