"""Large photos wait for each other."""

import threading

import pytest

from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.decoding import AT_ONCE, DecodingLimit
from picsellia_jupyter.serving.engine import Engine
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.pixels import MAX_PIXELS
from tests.serving import fakes, models


def test_a_photo_waits_until_there_is_room_for_it():
    limit, done = DecodingLimit(100), threading.Event()

    def take(pixels):
        with limit.photo() as claim:
            claim(pixels)
            done.set()

    with limit.photo() as claim:
        claim(60)
        take(40)  # fits beside it
        done.clear()
        waits = threading.Thread(target=take, args=(41,))
        waits.start()
        fakes.wait_for(lambda: limit.waiting)
        assert not done.is_set()
    waits.join(10)
    assert done.is_set()


def test_the_largest_photo_that_is_taken_always_fits():
    assert MAX_PIXELS <= AT_ONCE


@pytest.fixture
def engine(tmp_path):
    model = models.onnx_detector(tmp_path / "model-latest")
    manifest = fakes.store(fakes.FakePlatform(), model, models.DETECTOR).stored["serving.json"]
    return Engine.load(LoadRequest(model, manifest, InferenceType.OBJECT_DETECTION))


def test_an_engine_prepares_one_large_photo_after_another(engine):
    engine._decoding = DecodingLimit(128 * 96)
    photos = [
        threading.Thread(
            target=engine.prepare, args=(fakes.picture(), "a"), kwargs={"record": True}
        )
        for _ in range(2)
    ]
    with engine._decoding.photo() as claim:
        claim(1)
        for photo in photos:
            photo.start()
        fakes.wait_for(lambda: engine._decoding.waiting == 2)
    for photo in photos:
        photo.join(10)
    assert not any(photo.is_alive() for photo in photos)


def test_a_photo_that_breaks_off_leaves_its_room(engine):
    engine._decoding = DecodingLimit(128 * 96)
    for _ in range(2):
        with pytest.raises(InvalidImageError):
            engine.prepare(fakes.picture(kind="PNG")[:-200], "a.png", record=False)
    assert engine.prepare(fakes.picture(), "a.jpg", record=False).size.width == 128
