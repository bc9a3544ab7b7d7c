"""The predictions of a user's own server are recorded, and cost it next to no time."""

import asyncio
import concurrent.futures
import io
import os
import sys
import threading
import warnings

import numpy as np
import pytest
from PIL import Image

import picsellia_jupyter
from picsellia_jupyter.domain.errors import (
    InvalidImageError,
    InvalidInputError,
    InvalidPredictionError,
    NotFoundError,
    NotServingError,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.recording import keeper as keepers
from picsellia_jupyter.recording import recorder
from picsellia_jupyter.recording.outbox import NotDurableError
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.recording.spool import Spool
from picsellia_jupyter.session import Session
from tests.session import own_servers

PIXELS = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
DOG = ([[10, 5, 30, 25]], [0.5], ["dog"])


@pytest.fixture
def session(platform, tmp_path):
    return Session(platform.host, platform.token, home=tmp_path / "home")


@pytest.fixture
def deployed(session):
    return own_servers.deployment(session)


@pytest.fixture
def make(session, deployed):
    """Make a monitor of the deployment: `make(full="drop")`."""
    made = []

    def begin(**how):
        made.append(picsellia_jupyter.monitor(deployed.name, session=session, **how))
        return made[-1]

    yield begin
    for one in made:
        one.close(0)


def jpeg(orientation=1):
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(out, "JPEG", exif=exif)
    return out.getvalue()


def serve(monitor):
    """Have it record one prediction."""
    with monitor(PIXELS) as m:
        m.detections = DOG
    return m


def newest(session, record):
    return session.platform.newest_prediction(record)


def test_a_prediction_is_recorded_with_its_image_its_time_and_its_labels(make, session, deployed):
    monitor = make()
    with monitor(PIXELS, name="a.png", tags=["night"], source="camera 3") as m:
        m.detections = DOG
    m.kept.result(30)
    assert monitor.flush(30) == 0
    found, photo = newest(session, deployed)
    assert found.prediction_id == m.prediction_id
    assert found.source == "a.png"
    assert found.found.boxes_xyxy.tolist() == DOG[0]
    assert found.found.classes.tolist() == [1]
    assert found.latency_s == pytest.approx(m.latency_s)
    assert (np.asarray(Image.open(io.BytesIO(photo))) == PIXELS).all()
    assert repr(monitor) == f"Monitor({deployed.name!r}, 1 recorded, 0 on their way)"


def test_an_image_is_recorded_as_it_was_when_it_was_predicted_on(make, session, deployed):
    monitor, pixels = make(channels="bgr"), PIXELS.copy()
    with monitor(pixels) as m:
        pixels[:] = 0
        m.detections = []
    assert monitor.flush(30) == 0
    found, photo = newest(session, deployed)
    assert (np.asarray(Image.open(io.BytesIO(photo))) == PIXELS[:, :, ::-1]).all()
    assert found.source == f"{m.prediction_id}.png"


def test_files_are_recorded_byte_for_byte_and_turned_ones_are_upright(
    make, session, deployed, tmp_path
):
    path = tmp_path / "turned.jpg"
    path.write_bytes(jpeg(orientation=6))
    monitor = make(normalized=True)
    for image in (path, path.read_bytes()):
        with monitor(image) as m:
            m.detections = ([[0.25, 0.5, 0.5, 1]], [0.5], [0])
        path.unlink(missing_ok=True)
        assert monitor.flush(30) == 0
        found, photo = newest(session, deployed)
        assert photo == jpeg(orientation=6)
        assert found.found.boxes_xyxy.tolist() == [[10, 30, 20, 60]]


def test_pillow_images_and_formats_the_platform_does_not_store_become_png(make, session, deployed):
    turned = Image.open(io.BytesIO(jpeg(orientation=6)))
    bitmap = io.BytesIO()
    Image.fromarray(PIXELS[:, :, 0]).save(bitmap, "BMP")
    monitor = make()
    for image, size in ((turned, (40, 60)), (bitmap.getvalue(), (60, 40))):
        with monitor(image) as m:
            m.detections = DOG
        assert monitor.flush(30) == 0
        _, photo = newest(session, deployed)
        stored = Image.open(io.BytesIO(photo))
        assert (stored.format, stored.size) == ("PNG", size)


def test_each_type_has_its_attribute_and_a_wrong_one_is_named(session):
    record = own_servers.deployment(session, InferenceType.CLASSIFICATION)
    with picsellia_jupyter.monitor(record.id, session=session) as monitor:
        with monitor(PIXELS) as m:
            m.classification = ("dog", 0.75)
        assert monitor.flush(30) == 0
        found, _ = newest(session, record)
        assert (found.found.classes.tolist(), found.found.scores.tolist()) == ([1], [0.75])
        with pytest.raises(InvalidPredictionError, match="predicts classification, not object"):
            serve(monitor)


def test_a_wrapped_model_answers_as_before_and_is_recorded(make, session, deployed):
    monitor = make()

    @monitor.wrap
    def model(image, *, least=0.0):
        """Find dogs."""
        return [row for row in zip(*DOG, strict=True) if row[1] > least]

    assert model(PIXELS, least=0.1) == [([10, 5, 30, 25], 0.5, "dog")]
    assert model.__doc__ == "Find dogs."
    assert monitor.flush(30) == 0
    assert len(newest(session, deployed)[0].found) == 1
    with pytest.raises(InvalidInputError, match="model was called without an image"):
        model()


def test_a_wrapped_coroutine_is_recorded(make, session, deployed):
    monitor = make()

    @monitor.wrap
    async def model(image):
        await asyncio.sleep(0)
        return DOG

    assert asyncio.run(model(PIXELS)) == DOG
    assert monitor.flush(30) == 0
    assert newest(session, deployed)[0].found.scores.tolist() == [0.5]


def test_what_goes_wrong_in_the_block_is_raised_and_not_recorded(make):
    monitor = make()
    with pytest.raises(ZeroDivisionError), monitor(PIXELS) as m:
        m.detections = [(DOG[0][0], 1 / 0, "dog")]
    unassigned = pytest.raises(InvalidPredictionError, match=r"No prediction was .*m\.found = ")
    with unassigned, monitor(PIXELS) as m:
        pass
    with pytest.raises(InvalidInputError, match="Nothing is kept yet"):
        m.kept.result()
    with pytest.raises(InvalidPredictionError, match="y2 < y1"), monitor(PIXELS) as m:
        m.detections = ([[1, 9, 2, 3]], [0.5], ["dog"])
    assert monitor.flush(5) == 0
    assert monitor.counts.recorded == 0


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (PIXELS.astype(float), r"shape \(40, 60, 3\) and float64 is no image"),
        (PIXELS.transpose(2, 0, 1), r"shape \(3, 40, 60\)"),
        (b"<html>", r"What begins with b'<html>' cannot be read as an image"),
        ("nowhere.jpg", r"nowhere\.jpg cannot be read: No such file"),
        (7, "'int' is no image"),
    ],
)
def test_what_is_no_image_is_refused_before_the_model_runs(make, image, said):
    with pytest.raises(InvalidImageError, match=said):
        make()(image)


def test_what_cannot_be_monitored_is_said_when_the_monitor_is_made(session, deployed):
    with pytest.raises(NotFoundError, match="no deployment named 'nothing'"):
        picsellia_jupyter.monitor("nothing", session=session)
    for wrong in ({"full": "wait"}, {"channels": "hsv"}, {"boxes": "ltrb"}, {"labels": {0: "x"}}):
        with pytest.raises(InvalidInputError):
            picsellia_jupyter.monitor(deployed.name, session=session, **wrong)


def test_many_threads_share_a_monitor(make, deployed, platform):
    monitor = make()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: serve(monitor), range(64)))
    for m in kept:
        m.kept.result(30)
    assert monitor.flush(60) == 0
    stored = own_servers.recorded(platform.home, deployed)
    assert stored == dict.fromkeys((m.prediction_id for m in kept), 1)
    assert len(stored) == 64


def test_nothing_on_the_way_waits_for_the_disk_and_a_full_memory_is_said(make, monkeypatch):
    held, change = threading.Event(), Spool.change
    monkeypatch.setattr(keepers, "IN_HAND", 2)
    monitor = make()
    dropping = make(full="drop")
    monkeypatch.setattr(Spool, "change", lambda *given: held.wait(30) and change(*given))
    try:
        for one in (monitor, dropping):
            assert not any(serve(one).kept.done() for _ in range(2))
        with pytest.raises(QueueFullError, match="2 predictions wait for the disk already"):
            serve(monitor)
        assert isinstance(serve(dropping).kept.exception(0), QueueFullError)
        assert dropping.counts.dropped == 1
        assert "1 dropped" in repr(dropping)
    finally:
        held.set()
    assert (monitor.flush(30), dropping.flush(30)) == (0, 0)


def test_a_full_spool_is_an_error_or_a_drop_that_is_counted_and_logged(
    make, monkeypatch, caplog, session
):
    monkeypatch.setattr(recorder, "QUEUE_LIMIT", 0)
    with pytest.raises(QueueFullError, match="The spool is full"):
        serve(make())
    dropping = make(full="drop")
    for _ in range(3):
        serve(dropping)
    assert dropping.counts.dropped == 3
    said = [record.message for record in caplog.records if "dropped" in record.message]
    assert len(said) == 1
    assert said[0].startswith("1 prediction was dropped so far: The spool is full")


def test_a_disk_that_takes_nothing_is_said_and_counted(make, monkeypatch, caplog):
    monitor = make()
    with monkeypatch.context() as broken:
        broken.setattr(Spool, "change", _full)
        assert isinstance(serve(monitor).kept.exception(30), NotDurableError)
    assert monitor.counts.lost == 1
    assert any("1 prediction could not be kept on disk" in r.message for r in caplog.records)
    serve(monitor)
    assert monitor.flush(30) == 0
    assert "1 lost" in repr(monitor)


def _full(*_):
    raise OSError(28, "No space left on device")


def test_a_closed_monitor_keeps_nothing_more(make):
    monitor = make()
    monitor.close()
    assert monitor.close().kept == 0
    with pytest.raises(NotServingError, match=r"closed.*Make a new one"):
        serve(monitor)


def test_what_the_platform_will_not_have_is_set_aside_and_said(make, session, deployed):
    monitor = make()
    session.platform.delete_deployment(deployed.id)
    serve(monitor)
    monitor.flush(30)
    assert monitor.counts.refused == 1
    assert "1 refused and set aside" in repr(monitor)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no os.fork")
def test_a_forked_process_has_a_spool_of_its_own_and_harms_its_parents_in_no_way(
    make, deployed, platform, tmp_path
):
    monitor = make()

    def three():
        served = [serve(monitor) for _ in range(3)]
        for m in served:
            m.kept.result(30)
        return [m.prediction_id for m in served]

    ids = three()
    said = tmp_path / "said"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            said.write_text("\n".join(three()))
            monitor.close(30)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    ids += said.read_text().split() + three()
    assert monitor.flush(30) == 0
    assert own_servers.recorded(platform.home, deployed) == dict.fromkeys(ids, 1)
    assert len(ids) == 9
