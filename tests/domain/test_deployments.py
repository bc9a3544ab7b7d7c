from __future__ import annotations

import pytest

from picsellia_jupyter.domain.deployments import (
    DEFAULT_THRESHOLD,
    DeploymentRecord,
    ServingKernel,
    ServingState,
    Strategy,
    checked_threshold,
)
from picsellia_jupyter.domain.devices import Compute
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    InvalidThresholdError,
    NotFoundError,
    ServingError,
)
from picsellia_jupyter.domain.registry import (
    InferenceType,
    ModelReference,
)


def test_a_percentage_is_recognised():
    with pytest.raises(InvalidThresholdError, match=r"A percentage\? 40 % is 0\.4"):
        checked_threshold(40, InferenceType.OBJECT_DETECTION)


@pytest.mark.parametrize("value", [-0.1, 101, float("nan")])
def test_a_threshold_out_of_range_is_refused(value: float):
    with pytest.raises(InvalidThresholdError, match=r"lies in \[0, 1\]"):
        checked_threshold(value, InferenceType.OBJECT_DETECTION)


@pytest.mark.parametrize("kind", [InferenceType.OBJECT_DETECTION, InferenceType.CLASSIFICATION])
def test_a_threshold_that_is_no_number_is_refused(kind: InferenceType):
    with pytest.raises(InvalidThresholdError) as caught:
        checked_threshold("high", kind)  # type: ignore[arg-type]
    assert caught.value.fact == "A threshold is a number in [0, 1]; got 'high'."


def test_a_classification_takes_no_threshold_and_is_told_why():
    with pytest.raises(InvalidThresholdError, match=r"takes no threshold; got 0\.3"):
        checked_threshold(0.3, InferenceType.CLASSIFICATION)
    assert checked_threshold(None, InferenceType.CLASSIFICATION) is None


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_the_ends_of_the_range_are_thresholds(value: float):
    assert checked_threshold(value, InferenceType.MASK) == value


def test_without_a_threshold_it_starts_low():
    assert checked_threshold(None, InferenceType.OBJECT_DETECTION) == DEFAULT_THRESHOLD == 0.1


def test_a_deployment_is_the_line_it_stands_for():
    record = DeploymentRecord(
        id="d",
        name="line-1",
        type=InferenceType.OBJECT_DETECTION,
        strategy=Strategy.SERVING,
        state=ServingState.READY,
        model_version_id="v",
        model_title="digits-detector:0",
        threshold=0.3,
        datalake_id="l",
        datalake_name="my lake",
        serving=ServingKernel("k", "http://127.0.0.1:1", "local"),
    )

    assert record.line(model_file="model-export") == (
        '%deploy digits-detector:0 --strategy serving --threshold 0.3 --datalake "my lake" '
        "--on local --name line-1 --file model-export"
    )
    assert record.line(compute=Compute("cuda:0", "fp16", 2)).endswith(
        "--name line-1 --device cuda:0 --precision fp16 --workers 2"
    )
    assert record.line(idle_s=7200).endswith("--name line-1 --idle 2h")
    assert record.line(idle_s=None).endswith("--name line-1 --idle never")


def test_an_unknown_strategy_is_answered_with_both():
    with pytest.raises(InvalidInputError, match=r"'serving'.*'monitoring'"):
        Strategy.parse("hosted")


@pytest.mark.parametrize(
    ("text", "model", "version"),
    [("pets", "pets", None), ("pets:3", "pets", "3"), (" pets:best one ", "pets", "best one")],
)
def test_a_model_reference_is_model_or_model_and_version(
    text: str, model: str, version: str | None
):
    assert ModelReference.parse(text) == ModelReference(model, version)


@pytest.mark.parametrize("text", ["", ":1", "pets:"])
def test_half_a_model_reference_is_refused(text: str):
    with pytest.raises(InvalidInputError, match="MODEL or MODEL:VERSION"):
        ModelReference.parse(text)


def test_a_misspelt_name_is_answered_with_the_nearest_one():
    error = NotFoundError.named("model", "digit-detector", ["digits-detector", "cars"])

    assert str(error) == "There is no model named 'digit-detector'. Did you mean 'digits-detector'?"


def test_a_name_like_nothing_known_is_answered_with_what_there_is():
    assert "Known: 'a', 'b'." in str(NotFoundError.named("model", "zzzz", ["a", "b"]))
    assert "There is no model yet." in str(NotFoundError.named("model", "zzzz", []))


def test_a_serving_error_shows_its_log_and_no_traceback():
    error = ServingError("It died.", "Try again.", log_tail=["one", "two"])

    assert error._render_traceback_() == [
        "ServingError: It died.",
        "Try again.",
        "",
        "Last lines of its log:",
        "  one",
        "  two",
    ]
