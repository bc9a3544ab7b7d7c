"""Infer requests that are not answered: late, given up, or too many."""

import contextlib
from concurrent.futures import Future

import httpx
import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from picsellia_jupyter.recording.room import QueueFullError
from tests.serving import fakes, models
from tests.serving.test_oip import Triton, given

TENSORS = [
    {
        "name": "images", "datatype": "FP32", "shape": [1, 1, models.HEIGHT, models.WIDTH],
        "data": [0.0] * models.HEIGHT * models.WIDTH,
    }
]  # fmt: skip


def infer(kernel, model="tensors", *, timeout=20, parameters=None, **headers):
    headers["Authorization"] = f"Bearer {kernel.login().json()['jwt']}"
    url = f"{kernel.program.address}/v2/models/{model}/infer"
    return httpx.post(
        url,
        json={"inputs": TENSORS, "parameters": parameters or {}},
        headers=headers,
        timeout=timeout,
    )


@pytest.fixture
def stuck(serving, monkeypatch):
    """A kernel whose model never answers; what was queued."""
    queued = []

    def submit_tensors(_given):
        queued.append(Future())
        return queued[-1]

    monkeypatch.setattr(serving.service._pool, "submit_tensors", submit_tensors)
    return queued


def test_tensors_are_answered_by_the_deadline_that_the_client_prefers(serving, stuck):
    said = infer(serving, Prefer="wait=0.3")
    assert said.status_code == 504
    assert said.json() == {
        "error": "There was no answer within 0.3 s. "
        "Send the image again, or give it more time: Prefer: wait=SECONDS."
    }
    fakes.wait_for(stuck[0].cancelled)


@pytest.mark.parametrize("seconds", [0.05, 0.4])
def test_the_clients_own_timeout_is_a_deadline_too(seconds, serving, stuck):
    images = given("images", np.zeros((1, 1, models.HEIGHT, models.WIDTH), np.float32))
    with (
        contextlib.closing(Triton(serving)) as client,
        pytest.raises(InferenceServerException, match=f"no answer within {seconds} s") as caught,
    ):
        client.infer("tensors", [images], timeout=int(seconds * 1e6))
    assert caught.value.status() == "504"
    fakes.wait_for(stuck[0].cancelled)


def test_a_timeout_that_is_no_number_is_refused(serving):
    said = infer(serving, parameters={"timeout": "soon"})
    assert (said.status_code, said.json()["error"].split(".")[0]) == (400, "timeout is 'soon'")
    assert infer(serving, parameters={"timeout": 20_000_000}).status_code == 200


def test_photos_are_answered_by_that_deadline_too(serving, monkeypatch):
    queued = []

    def submit(_image, _name, *, record):
        queued.append(Future())
        return queued[-1]

    monkeypatch.setattr(serving.service._pool, "submit", submit)
    photo = {"name": "image", "datatype": "BYTES", "shape": [1]}
    size = len(fakes.picture())
    json = httpx.Request(
        "POST",
        "http://x",
        json={"inputs": [{**photo, "parameters": {"binary_data_size": size + 4}}]},
    ).content
    said = httpx.post(
        f"{serving.program.address}/v2/models/photos/infer",
        content=json + size.to_bytes(4, "little") + fakes.picture(),
        headers={
            "Authorization": f"Bearer {serving.login().json()['jwt']}",
            "Inference-Header-Content-Length": str(len(json)),
            "Prefer": "wait=0.3",
        },
        timeout=20,
    )
    assert said.status_code == 504
    fakes.wait_for(queued[0].cancelled)
    fakes.wait_for(lambda: serving.service._recorder._room.taken == 0)


@pytest.mark.parametrize("parameters", [{}, {"timeout": 20_000_000}])
def test_tensors_whose_client_went_away_are_not_run(parameters, serving, stuck):
    with pytest.raises(httpx.ReadTimeout):
        infer(serving, timeout=0.5, parameters=parameters)
    fakes.wait_for(stuck[0].cancelled)


def test_a_full_queue_says_when_to_come_again(serving, monkeypatch):
    def full(_given):
        raise QueueFullError("64 images wait already.", "Send fewer.", retry_after_s=6.2)

    monkeypatch.setattr(serving.service._pool, "submit_tensors", full)
    said = infer(serving)
    assert (said.status_code, said.headers["retry-after"]) == (429, "7")
    assert said.json() == {"error": "64 images wait already. Send fewer."}
