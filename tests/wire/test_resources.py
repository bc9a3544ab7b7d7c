from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain import errors
from picsellia_jupyter.domain.deployments import (
    Answers,
    Heartbeat,
    ServingJob,
    ServingKernel,
    ServingState,
    Strategy,
)
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage
from picsellia_jupyter.domain.registry import Framework, InferenceType
from picsellia_jupyter.wire import resources
from tests.wire.strategies import predictions


def through_json(value: object) -> dict:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("claim", [True, False])
def test_a_heartbeat_comes_back_whole(claim: bool):
    kernel = ServingKernel("k1", "http://127.0.0.1:4000", "local", 77)
    answers = Answers("a1b2", 40, 2) if claim else None
    beat = Heartbeat(
        ServingState.DEGRADED, kernel, "the worker was restarted", claim, answers=answers
    )

    assert resources.heartbeat_from_json(through_json(resources.heartbeat_to_json(beat))) == beat


def test_a_heartbeat_that_says_nothing_of_a_claim_makes_none():
    kernel = ServingKernel("k1", "http://127.0.0.1:4000", "local", 77)
    raw = resources.heartbeat_to_json(Heartbeat(ServingState.READY, kernel))
    del raw["claim"]

    assert resources.heartbeat_from_json(raw).claim is False


def test_a_serving_job_comes_back_whole_and_does_not_show_its_tokens():
    job = ServingJob(
        "http://h",
        "secret-1",
        "secret-2",
        "o",
        "v",
        "model-latest",
        "/c",
        "local",
        "k",
        "cuda:0",
        "fp16",
        2,
        None,
        "dep-1",
    )

    assert resources.job_from_json(through_json(resources.job_to_json(job))) == job
    unsaid = replace(job, workers=None)
    assert resources.job_from_json(through_json(resources.job_to_json(unsaid))) == unsaid
    assert "secret" not in repr(job)


@given(st.data())
def test_a_serving_kernels_reply_comes_back_whole(data: st.DataObject):
    size = ImageSize(640, 480)
    image = PredictedImage("a.png", size, data.draw(predictions(size)), 0.25, "an-id")

    raw = through_json(resources.reply_to_json(image, monitored=True))
    back = resources.reply_from_json(raw, source="a.png")

    assert (back.size, back.latency_s, back.prediction_id) == (size, 0.25, "an-id")
    assert back.found.classes.tolist() == image.found.classes.tolist()
    assert back.found.scores.tolist() == image.found.scores.tolist()


def test_a_prediction_log_comes_back_whole():
    log = PredictionLog(
        np.array([1.0, 2.0]), np.array([0.1, 0.2]), np.array([0, 0, 1]), np.array([3, 4, 5]),
        np.array([0.9, 0.8, 0.7]),
    )  # fmt: skip

    back = resources.log_from_json(through_json(resources.log_to_json(log)))

    for name in ("at", "latency_s", "shape_of", "classes", "scores"):
        np.testing.assert_array_equal(getattr(back, name), getattr(log, name))


def test_a_statistic_of_another_shape_is_an_error_that_says_so():
    with pytest.raises(errors.PlatformError, match="unknown shape"):
        resources.log_from_json({"service": "metrics", "rows": []})


def test_a_model_version_is_read_with_its_labels_in_order():
    version = resources.model_version_from_json(
        {
            "id": "v", "name": "first", "version": "0", "type": "OBJECT_DETECTION",
            "framework": "ONNX", "labels": {"1": "dog", "0": "cat"},
            "origin": {"id": "m", "name": "pets", "private": True},
        }
    )  # fmt: skip

    assert version.title == "pets:0"
    assert list(version.labels.items()) == [(0, "cat"), (1, "dog")]
    assert (version.type, version.framework) == (InferenceType.OBJECT_DETECTION, Framework.ONNX)


def test_a_deployment_without_a_serving_kernel_is_not_served():
    raw = {"id": "d", "name": "calm-river", "type": "CLASSIFICATION", "disable_serving": True}

    record = resources.deployment_from_json(raw)

    assert (record.state, record.serving) == (ServingState.NOT_SERVED, None)
    assert record.strategy is Strategy.MONITORING


def test_an_error_crosses_http_as_its_class_fact_and_remedy():
    error = errors.ModelLoadError("The file is empty.", "Store it again.")

    back = resources.error_from_json(through_json(resources.error_to_json(error)))

    assert type(back) is errors.ModelLoadError
    assert (back.fact, back.remedy) == ("The file is empty.", "Store it again.")


@pytest.mark.parametrize("name", ["SystemExit", "nonsense", None, "MissingExtraError", "difflib"])
def test_an_error_of_an_unknown_class_keeps_its_words(name: str | None):
    back = resources.error_from_json({"error": name, "message": "No.", "detail": None})

    assert type(back) is errors.PicselliaJupyterError
    assert str(back) == "No."
