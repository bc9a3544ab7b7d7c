"""What becomes of a prediction whose client goes away before it is answered."""

import asyncio
import threading
from concurrent.futures import Future
from types import SimpleNamespace

import numpy as np
import pytest

from picsellia_jupyter.domain.predictions import Detections, ImageSize
from picsellia_jupyter.recording.recorder import Recorder
from picsellia_jupyter.recording.spool import Spool
from picsellia_jupyter.serving import predicting
from picsellia_jupyter.serving.awaiting import Awaiter
from picsellia_jupyter.serving.messages import WorkerReply
from picsellia_jupyter.serving.upload import Upload
from tests.serving import fakes

UPLOAD = Upload("a.jpg", b"an image", monitor=True, postprocess=True)
REPLY = WorkerReply(
    Detections(np.array([1]), np.ones(1, np.float32), np.array([[1, 2, 3, 4]], np.float32)),
    ImageSize(9, 8),
    0.01,
    "image/jpeg",
)


class Workers:
    """Plays the pool: whoever has this answers for them."""

    def __init__(self):
        self.awaiter, self.asked, self.came = Awaiter(), [], asyncio.Event()

    def submit(self, _image, _name, *, record):
        assert record
        self.asked.append(Future())
        self.came.set()
        return self.asked[-1]


@pytest.fixture
def recorder(tmp_path):
    platform = fakes.FakePlatform()
    made = Recorder(lambda: platform, fakes.DEPLOYMENT, tmp_path / "spool")
    yield made
    made.close()


async def ask(workers, recorder):
    champion = SimpleNamespace(pool=workers, version=SimpleNamespace(id=fakes.VERSION))
    asking = asyncio.create_task(predicting.predict(UPLOAD, champion, recorder))
    await workers.came.wait()
    return asking


async def gone(asking):
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


def test_an_image_whose_client_went_away_before_a_worker_had_it_is_taken_back(recorder):
    async def main():
        workers = Workers()
        await gone(await ask(workers, recorder))
        assert workers.asked[0].cancelled()

    asyncio.run(main())
    assert (recorder._room.taken, recorder.pending, recorder.recorded) == (0, 0, 0)


def test_what_a_worker_finds_for_a_client_that_went_away_is_not_recorded(recorder):
    async def main():
        workers = Workers()
        asking = await ask(workers, recorder)
        workers.asked[0].set_running_or_notify_cancel()
        await gone(asking)
        workers.asked[0].set_result(REPLY)

    asyncio.run(main())
    assert (recorder._room.taken, recorder._room._held) == (0, 0)
    assert (recorder.flush(10), recorder.recorded) == (0, 0)


def test_a_prediction_that_is_on_its_way_to_the_disk_is_recorded_whoever_goes_away(
    recorder, monkeypatch
):
    written, change = threading.Event(), Spool.change

    def slow(self, changes):
        written.wait(10)
        change(self, changes)

    monkeypatch.setattr(Spool, "change", slow)

    async def main():
        workers = Workers()
        asking = await ask(workers, recorder)
        workers.asked[0].set_running_or_notify_cancel()
        workers.asked[0].set_result(REPLY)
        await gone(asking)

    asyncio.run(main())
    written.set()
    assert (recorder.flush(10), recorder.recorded) == (0, 1)
    assert (recorder._room.taken, recorder._room._kept, recorder._room._held) == (0, 0, 0)


def test_an_image_that_no_worker_can_read_gives_its_room_back(recorder):
    async def main():
        workers = Workers()
        asking = await ask(workers, recorder)
        workers.asked[0].set_exception(ValueError("broken"))
        with pytest.raises(ValueError, match="broken"):
            await asking

    asyncio.run(main())
    assert (recorder._room.taken, recorder._room._held) == (0, 0)
