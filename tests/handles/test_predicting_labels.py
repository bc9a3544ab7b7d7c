"""Names of classes where the champion changes while images are predicted on."""

from dataclasses import replace

import pytest

from picsellia_jupyter.domain.deployments import DeploymentRecord, ServingState, Strategy
from picsellia_jupyter.domain.registry import Framework, InferenceType, ModelVersion
from picsellia_jupyter.handles.predicting import labels_of

KIND = InferenceType.OBJECT_DETECTION
RECORD = DeploymentRecord(
    "d", "line", KIND, Strategy.SERVING, ServingState.READY, "new", "m:1", 0.1, "lake",
    labels={0: "cat", 1: "dog"},
)  # fmt: skip
OLD = ModelVersion("old", "m", "m", "v0", 0, KIND, Framework.ONNX, {0: "dog", 1: "cat"})
VERSIONS = {"old": OLD, "new": replace(OLD, id="new", labels=RECORD.labels)}


def test_nobody_is_asked_where_the_champion_has_predicted():
    for versions in ((), ("new",)):
        assert labels_of(RECORD, versions, {}.__getitem__) == RECORD.labels


def test_names_are_of_the_version_that_has_predicted():
    assert labels_of(RECORD, ("old",), VERSIONS.__getitem__) == {0: "dog", 1: "cat"}


def test_two_versions_that_name_their_classes_differently_are_told(recwarn):
    with pytest.warns(UserWarning, match="'line' changed meanwhile, and the two versions name"):
        assert labels_of(RECORD, ("old", "new"), VERSIONS.__getitem__) == RECORD.labels
    same = {**VERSIONS, "old": replace(OLD, labels=RECORD.labels)}
    recwarn.clear()
    assert labels_of(RECORD, ("old", "new"), same.__getitem__) == RECORD.labels
    assert not recwarn.list
