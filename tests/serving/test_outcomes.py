"""Predictions that a kernel could not give, from its front to the platform's alert."""

from contextlib import contextmanager

import httpx
import psutil
import pytest

from picsellia_jupyter.domain.errors import (
    DeadlineError,
    InvalidInputError,
    NotServingError,
    QuotaSpentError,
)
from picsellia_jupyter.localplatform.watching import watch
from picsellia_jupyter.recording.outbox import NotDurableError
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving import capacity
from picsellia_jupyter.serving.kernel import ServingProgram
from picsellia_jupyter.serving.outcomes import Outcomes
from picsellia_jupyter.wire.resources import heartbeat_to_json
from tests.localplatform.conftest import World
from tests.localplatform.test_alerts import alert, fired
from tests.localplatform.test_reporting import report
from tests.serving import fakes, models
from tests.serving.conftest import Kernel

SOON = {"Prefer": "wait=0.2"}


class RealPlatform(fakes.FakePlatform):
    """Model files and records in memory; heartbeats go to a local platform."""

    world: World

    def heartbeat(self, deployment_id, beat):
        path = f"/api/local/deployments/{deployment_id}/heartbeat"
        reply = self.world.user.post(path, json=heartbeat_to_json(beat))
        assert reply.status_code == 200, reply.text
        self.beats.append(beat)
        return fakes.Reply(self.threshold)


def counts(kernel):
    said = kernel.service.outcomes.so_far
    return said.answered, said.failed


def ask(kernel, path="predict", headers=(), **form):
    kernel.jwt = kernel.login(deployment=fakes.DEPLOYMENT).json()["jwt"]
    return httpx.post(
        f"{kernel.program.address}/api/deployments/{fakes.DEPLOYMENT}/{path}",
        headers={"Authorization": f"Bearer {kernel.jwt}", **dict(headers)},
        data={"monitor": "False", "postprocess": "True"}, timeout=30, **form,
    )  # fmt: skip


@contextmanager
def standing_still(kernel):
    """Its model worker does nothing meanwhile, as one that waits for a card that is stuck."""
    worker = psutil.Process(kernel.service.worker_pid)
    worker.suspend()
    try:
        yield
    finally:
        worker.resume()


def photo(content=None):
    return ("media", ("page.jpg", fakes.picture() if content is None else content))


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (NotServingError("No."), 1), (DeadlineError("Late."), 1), (NotDurableError("Full."), 1),
        (RuntimeError("A mistake."), 1), (InvalidInputError("No image."), 0),
        (QueueFullError("Later."), 0), (QuotaSpentError("Spent."), 0), (KeyboardInterrupt(), 0),
    ],
)  # fmt: skip
def test_what_the_kernel_could_not_give_has_failed_and_what_the_client_did_has_not(error, failed):
    outcomes = Outcomes()
    outcomes.note(error)
    assert (outcomes.so_far.answered, outcomes.so_far.failed) == (0, failed)


def test_each_image_counts_once_whichever_way_it_comes(own):
    assert ask(own, files=[photo()]).status_code == 200
    assert ask(own, files=[photo(b"no image")]).status_code == 400
    assert counts(own) == (1, 0)
    batch = ask(own, "predict/batch", files=[photo(), photo(b"no image"), photo()])
    assert batch.status_code == 200
    assert counts(own) == (3, 0)
    with standing_still(own):
        assert ask(own, headers=SOON, files=[photo()]).status_code == 504
        assert counts(own) == (3, 1)
        ask(own, "predict/batch", headers=SOON, files=[photo(), photo()])
        assert counts(own) == (3, 3)


def test_heartbeats_tell_what_was_counted_so_far(own):
    ask(own, files=[photo()])
    fakes.wait_for(lambda: own.platform.beats[-1].answers.answered == 1)
    assert len({beat.answers.counter for beat in own.platform.beats}) == 1


def test_failed_predictions_fire_the_alert_and_stand_in_the_dashboard(tmp_path, monkeypatch):
    world = World(tmp_path / "home")
    deployment = world.deployment()
    monkeypatch.setattr(fakes, "DEPLOYMENT", deployment["id"])
    monkeypatch.setattr(capacity, "MOST", 1)
    alert(world, deployment, metric="error_rate", limit=0.5)
    platform = RealPlatform()
    platform.world = world
    model = models.onnx_detector(tmp_path / "model-latest")
    platform = fakes.store(platform, model, models.DETECTOR)
    program = ServingProgram(fakes.job(tmp_path / "cache"), lambda: platform)
    program.start()
    kernel = Kernel(program, platform)
    try:
        kernel.attach()
        ask(kernel, files=[photo()])
        with standing_still(kernel):
            for _ in range(3):
                assert ask(kernel, headers=SOON, files=[photo()]).status_code == 504
        fakes.wait_for(lambda: platform.beats[-1].answers.failed == 3)
        told = fakes.wait_for(lambda: report(world, deployment)["errors"])
        assert (told["answered"], told["failed"]) == (1, 3)
        world.clock.pass_by(30)
        watch(world.platform)
        [one] = fired(world, deployment)
        assert one["worst"] == 0.75
    finally:
        kernel.close()
        world.platform.store.close()
