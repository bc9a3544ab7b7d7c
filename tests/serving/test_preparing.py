"""From a start to an attached deployment, with a real worker process."""

import io
import os
import uuid
import zipfile

import httpx
import pytest

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import confinement
from tests.serving import fakes, models


def test_a_kernel_is_prepared_and_waits_to_be_attached(start):
    kernel = start()
    status = kernel.prepared()
    assert (status["state"], status["stage"]) == ("warming", "dry run")
    assert status["dry_run"]["found"] == 2
    assert status["dry_run"]["runtime"].startswith("onnxruntime")
    assert status["dry_run"]["sandbox"] == confinement.support().kind
    assert 0 < status["dry_run"]["latency_s"] < 5
    assert httpx.get(f"{kernel.program.address}/health/live").json() == {"live": True}
    ready = httpx.get(f"{kernel.program.address}/health/ready")
    assert (ready.status_code, ready.json()) == (503, {"state": "warming"})


def test_attaching_makes_it_ready_and_tells_the_platform(own):
    ready = httpx.get(f"{own.program.address}/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"state": "ready"})
    beat = own.platform.beats[0]
    assert beat.state is ServingState.READY
    assert (beat.kernel.address, beat.kernel.pid) == (own.program.address, os.getpid())


def test_attaching_twice_is_once(serving):
    serving.attach()
    fakes.wait_for(lambda: len(serving.platform.beats) > 2)


def test_another_deployment_is_refused(serving):
    reply = serving.control.post("/control/attach", json={"deployment_id": str(uuid.uuid4())})
    assert reply.status_code == 409
    assert "serves deployment" in reply.json()["message"]


def test_an_unknown_deployment_is_refused_and_the_kernel_stays_prepared(start):
    kernel = start(known=False)
    kernel.prepared()
    reply = kernel.control.post("/control/attach", json={"deployment_id": fakes.DEPLOYMENT})
    assert reply.status_code == 404
    assert kernel.status()["state"] == "warming"
    kernel.platform.known = True
    kernel.attach()


def test_a_pickle_executes_nothing_and_is_refused_by_name(start, tmp_path):
    canary = tmp_path / "canary"

    class Evil:
        def __reduce__(self):
            return (open, (str(canary), "w"))

    def make(path):
        import pickle

        path.write_bytes(pickle.dumps(Evil()))
        return path

    error = start(make).failed()["error"]
    assert error["error"] == "ModelLoadError"
    assert "'model-latest' is a Python pickle" in error["message"]
    assert not canary.exists()


@pytest.mark.parametrize("place", ["sample inputs", "weights"])
def test_a_pickle_hidden_in_an_exported_program_executes_nothing(start, tmp_path, place):
    canary = tmp_path / "canary"

    def make(path):
        import torch

        class Evil:
            def __reduce__(self):
                return (open, (str(canary), "w"))

        evil = io.BytesIO()
        torch.save(Evil(), evil)
        whole = models.exported_detector(tmp_path / "whole")
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if place == "sample inputs" and "sample_inputs" in name:
                    content = evil.getvalue()
                if place == "weights" and name.endswith("weights_config.json"):
                    content = content.replace(b'"use_pickle": false', b'"use_pickle": true')
                    assert content != old.read(name)
                if place == "weights" and "/data/weights/weight" in name:
                    content = evil.getvalue()
                new.writestr(name, content)
        return path

    error = start(make).failed()["error"]
    assert error["error"] == "ModelLoadError"
    assert "holds a pickle" in error["message"]
    assert not canary.exists()


def test_a_failed_dry_run_tells_what_to_change(start):
    said = {**models.CLASSIFIER, "activation": "none"}
    status = start(models.onnx_classifier, said, kind=InferenceType.CLASSIFICATION).failed()
    assert status["state"] == "unhealthy"
    assert "The dry run failed: The model's scores run from 0 to 3" in status["error"]["message"]
    assert '"activation": "softmax"' in status["error"]["detail"]


def test_a_missing_model_file_is_told_with_those_there_are(start):
    kernel = start()
    kernel.program.stop("not this one")
    model = kernel.platform.stored.pop("model-latest")
    kernel.platform.stored["weights"] = model
    from picsellia_jupyter.serving.kernel import ServingProgram
    from tests.serving.conftest import Kernel

    again = Kernel(
        ServingProgram(fakes.job(model.parent / "cache"), lambda: kernel.platform), kernel.platform
    )
    again.program.start()
    try:
        error = again.failed()["error"]
    finally:
        again.close()
    assert "named 'model-latest'" in error["message"]
    assert "'weights'" in error["detail"]


def test_a_prediction_before_the_attachment_is_refused(start):
    kernel = start()
    kernel.prepared()
    reply = kernel.login()
    assert reply.status_code == 503
    assert "warming" in reply.json()["message"]
