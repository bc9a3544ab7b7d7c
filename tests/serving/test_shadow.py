"""A second model in the champion's shadow, with real workers."""

import threading
import uuid

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import PlatformUnreachableError
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.recording.recorder import Record
from picsellia_jupyter.serving import shadow as shadows
from picsellia_jupyter.serving.shadow import Shadow
from picsellia_jupyter.wire.resources import job_from_json
from tests.serving import fakes
from tests.serving.test_stored import ask

VERSION = "44444444-4444-4444-8444-444444444444"
OTHER = "55555555-5555-4555-8555-555555555555"


def told(kernel):
    return kernel.status()["shadow"]


def becomes(kernel, state, version):
    wanted = (state, version)
    return fakes.wait_for(
        lambda: (now := told(kernel)) and (now["state"], now["model_version_id"]) == wanted and now,
        within_s=30,
    )


@pytest.fixture
def shadowed(own):
    """A kernel with a shadow model that is ready."""
    own.platform.shadow = VERSION
    becomes(own, "ready", VERSION)
    return own


def test_what_is_monitored_is_predicted_on_by_the_shadow_too(shadowed):
    said = shadowed.predict().json()
    shadowed.predict(monitor="False")
    fakes.wait_for(lambda: shadowed.platform.shadowed)
    [(deployment, prediction_id, predicted)] = shadowed.platform.shadowed
    assert (deployment, prediction_id) == (fakes.DEPLOYMENT, said["id"])
    assert predicted.found.scores.tolist() == pytest.approx([0.9, 0.4])
    fakes.wait_for(lambda: told(shadowed)["recorded"] == 1)
    assert told(shadowed)["dropped"] == told(shadowed)["failed"] == 0


def test_a_shadow_is_changed_and_removed_while_serving(shadowed):
    first = shadowed.service._attached.shadow._pool.worker_pid
    shadowed.platform.shadow = OTHER
    becomes(shadowed, "ready", OTHER)
    fakes.wait_for(lambda: fakes.is_gone(first))
    second = shadowed.service._attached.shadow._pool.worker_pid
    shadowed.platform.shadow = None
    becomes(shadowed, "none", None)
    fakes.wait_for(lambda: fakes.is_gone(second))
    assert shadowed.predict().status_code == 200
    shadowed.service.flush(5)
    assert shadowed.platform.shadowed == []


def test_a_shadow_that_cannot_be_loaded_leaves_the_champion_alone(own):
    own.platform.broken.add(VERSION)
    own.platform.shadow = VERSION
    now = becomes(own, "failed", VERSION)
    assert "There is no model version" in now["detail"]
    assert own.predict().status_code == 200
    assert own.status()["state"] == "ready"
    own.platform.shadow = OTHER
    becomes(own, "ready", OTHER)


def test_stopping_ends_the_shadows_worker_as_well(shadowed):
    pid = shadowed.service._attached.shadow._pool.worker_pid
    shadowed.service.stop()
    fakes.wait_for(lambda: fakes.is_gone(pid))


def test_the_shadow_is_asked_itself_and_recorded_beside_the_champion(shadowed):
    shadowed.platform.images["night/a.jpg"] = fakes.picture()
    champion = str(uuid.uuid4())
    for monitor in (True, False):
        said = ask(shadowed, route="predict/shadow", prediction_id=champion, monitor=monitor)
        assert (said.status_code, said.json()["monitored"]) == (200, monitor)
        assert said.json()["detection_classes"] == [0, 1]
    [(_, prediction_id, _)] = shadowed.platform.shadowed
    assert prediction_id == champion


def test_without_a_shadow_model_it_says_so(serving):
    serving.platform.images["night/a.jpg"] = fakes.picture()
    said = ask(serving, route="predict/shadow", prediction_id=str(uuid.uuid4()))
    assert (said.status_code, said.json()["message"]) == (
        400,
        "The deployment has no shadow model.",
    )


class Slow(fakes.FakePlatform):
    """Takes its time to say what the model is."""

    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()
        self.asked = 0

    def model_version(self, version_id):
        self.asked += 1
        self.go_on.wait(20)
        raise PlatformUnreachableError("Nobody answers.")


def test_what_finds_the_shadows_queue_full_is_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(shadows, "_RETRY_LOAD_S", 0.01)
    platform = Slow()
    job = job_from_json(fakes.job(tmp_path))
    said = []
    shadow = Shadow(lambda: platform, job, fakes.DEPLOYMENT, said.append)
    found = Detections(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, 4), np.float32))
    predicted = PredictedImage("a.jpg", ImageSize(1, 1), found, 0.1)
    record = Record(predicted, b"x", "image/jpeg", 0.0)
    shadow.offer(record, "without a shadow model nothing is kept")
    shadow.follow(VERSION)
    for number in range(shadows.QUEUE_LIMIT + 7):
        shadow.offer(record, str(number))
    assert (shadow.report()["pending"], shadow.report()["dropped"]) == (shadows.QUEUE_LIMIT, 7)
    platform.go_on.set()
    # A platform that is away is asked again.
    fakes.wait_for(lambda: platform.asked > 2)
    shadow.close()
    # What waited at the end is not predicted on any more, and says so.
    assert (shadow.report()["pending"], shadow.report()["dropped"]) == (0, shadows.QUEUE_LIMIT + 7)
    left = "100 images waited for the shadow model and are left out; deployment.shadow_predict()"
    assert any(line.startswith(left) for line in said)
