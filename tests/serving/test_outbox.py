"""What a serving kernel answers as monitored is on its disk."""

import threading

from picsellia_jupyter.domain.errors import AuthenticationError, PlatformError
from picsellia_jupyter.recording import recorder
from picsellia_jupyter.recording.spool import Spool
from tests.recording.test_outbox import _full
from tests.serving import fakes
from tests.serving.test_faults import sending


def test_a_disk_that_takes_nothing_refuses_what_is_to_be_monitored_and_nothing_else(
    own, monkeypatch
):
    folder = own.service._recorder._outbox.folder
    own.predict()
    assert own.service.flush(10) == 0
    with monkeypatch.context() as broken:
        broken.setattr(Spool, "change", _full)
        reply = own.predict()
        assert reply.status_code == 507
        assert reply.json()["message"].startswith("The prediction could not be kept on disk")
        assert str(folder) not in reply.text
        assert own.predict(monitor="False").status_code == 200
        assert "database or disk is full" in own.status()["detail"]
    reply = own.predict()
    assert (reply.status_code, reply.json()["monitored"]) == (200, True)
    assert own.service.flush(10) == 0
    assert len(own.platform.recorded) == 2
    assert own.status()["detail"] == ""


def test_an_answer_says_monitored_only_once_the_prediction_is_on_disk(own, monkeypatch):
    own.predict(monitor="False")
    held, change, replies = threading.Event(), Spool.change, []

    def slow(self, changes):
        held.wait(10)
        change(self, changes)

    monkeypatch.setattr(Spool, "change", slow)
    sender = sending(own, replies)
    fakes.wait_for(lambda: own.service.backlog()["pending"] == 1)
    assert own.predict(monitor="False").status_code == 200
    assert replies == []
    held.set()
    sender.join(10)
    assert replies[0].json()["monitored"] is True


def test_the_next_kernel_records_what_the_last_one_kept(start, monkeypatch):
    monkeypatch.setattr(recorder, "DRAIN_IDLE_S", 0.1)
    first = start().attach()
    first.platform.reachable = False
    ids = [first.predict(tags=["night"]).json()["id"] for _ in range(3)]
    assert first.control.post("/control/stop").json()["kept"] == 3
    second = start().attach()
    assert second.service.flush(10) == 0
    recorded = [predicted.prediction_id for _, _, predicted, _ in second.platform.recorded]
    assert recorded == ids
    assert [extra["tags"] for *_, extra in second.platform.recorded] == [("night",)] * 3


def test_a_platform_that_fails_or_has_enough_loses_nothing(own):
    own.platform.refusals += [PlatformError("It failed.")] * 4 + [AuthenticationError("Who?")]
    own.predict()
    own.predict()
    assert own.service.flush(10) >= 0
    assert fakes.wait_for(lambda: own.service.flush(5) == 0)
    assert len(own.platform.recorded) == 2
    assert own.status()["failed"] == 0
