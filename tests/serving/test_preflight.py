from pathlib import Path

import numpy as np
import pytest

from picsellia_jupyter.domain.deployments import Check, DryRun
from picsellia_jupyter.domain.registry import Framework, InferenceType, ModelVersion
from picsellia_jupyter.serving import confinement, preflight
from picsellia_jupyter.serving.confinement import Support
from picsellia_jupyter.serving.download import ModelFiles
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.wire.resources import dry_run_from_json
from tests.serving import models


def checklist(kernel):
    return {c.name: c for c in dry_run_from_json(kernel.prepared()["dry_run"]).checks}


def test_a_prepared_kernel_tells_what_was_checked(start):
    found = checklist(start())
    assert list(found) == ["Files", "Framework", "Labels", "Dry run", "Sandbox", "Origin"]
    assert found["Files"] == Check("Files", "model-latest and serving.json")
    assert found["Framework"] == Check("Framework", "ONNX model; stated: onnx")
    assert found["Origin"] == Check("Origin", "imported by hand, with a serving.json")


def test_a_version_made_by_hand_that_tells_nothing_of_its_images_is_warned_of():
    files = ModelFiles(Path("model-latest"), None)
    version = ModelVersion(
        "v", "m", "tiny", "v0", 0, InferenceType.CLASSIFICATION, Framework.ONNX, {}
    )
    told = preflight._origin(version, files)
    assert told.found.startswith("imported by hand: nothing tells how it takes images")
    assert told.remedy.startswith("Compare a few of its predictions")


def test_a_framework_that_the_file_is_not_of_is_told(start):
    told = checklist(start(models.torchscript_detector))["Framework"]
    assert told.found == "stated is onnx, but the file is a TorchScript program"
    assert "framework=" in told.remedy


def version_of(
    kind=InferenceType.OBJECT_DETECTION, framework=Framework.ONNX, labels=(0, 1), **changes
):
    names = {number: f"label {number}" for number in labels}
    return ModelVersion("v", "m", "tiny", "v0", 0, kind, framework, names, **changes)


@pytest.fixture
def look(tmp_path):
    """What is found out about an ONNX model with these outputs."""

    def begin(version=None, **loaded):
        files = ModelFiles(models.onnx_detector(tmp_path / "model-latest"), None)
        loaded = LoadedModel("onnxruntime", **loaded)
        dry_run = DryRun(0.0123, 1, "onnxruntime", "full")
        checks = preflight.checks(version or version_of(), files, loaded, dry_run)
        return {check.name: check for check in checks}

    return begin


def test_a_model_file_alone_is_told(look):
    assert look()["Files"] == Check("Files", "model-latest")


def test_latency_is_told_and_memory_where_it_is_known(look):
    assert look()["Dry run"] == Check("Dry run", "12.3 ms")
    assert look(memory_bytes=300 * 2**20)["Dry run"] == Check("Dry run", "12.3 ms, 300 MiB")


def test_a_framework_that_is_not_stated_is_asked_for(look):
    assert look(version_of(framework=Framework.NOT_CONFIGURED))["Framework"] == Check(
        "Framework",
        "none is stated; the file is an ONNX model",
        "State it: model_version.update(framework=…).",
    )


@pytest.mark.parametrize("framework", [Framework.TENSORFLOW, Framework.PYTORCH])
def test_any_framework_exports_onnx(look, framework):
    told = look(version_of(framework=framework))["Framework"]
    assert told == Check("Framework", f"ONNX model; stated: {framework.value.lower()}")


def test_a_version_that_an_experiment_made_says_so(look):
    assert look(version_of(experiment_id="e"))["Origin"] == Check("Origin", "an experiment")


def test_a_machine_that_cannot_confine_workers_is_warned_of(look, monkeypatch):
    monkeypatch.setattr(confinement, "support", lambda: Support("process", "There is no Landlock."))
    assert look()["Sandbox"] == Check(
        "Sandbox",
        "process: There is no Landlock.",
        "Serve models of others on Linux 5.13 or later.",
    )


def test_a_machine_that_confines_workers_is_told(look, monkeypatch):
    monkeypatch.setattr(confinement, "support", lambda: Support("full"))
    assert look()["Sandbox"] == Check("Sandbox", "full")


def test_labels_that_the_model_cannot_be_without_are_asked_for(look):
    assert look(labels=(0, 1, 2, 3))["Labels"] == Check(
        "Labels",
        "4 classes, but no labels for 2, 3",
        "Complete them: model_version.update(labels={'0': …}).",
    )


def test_labels_that_cover_all_classes_are_counted(look):
    assert look(version_of(labels=range(4)), labels=(0, 1, 2, 3))["Labels"] == Check("Labels", "4")


def test_more_labels_than_classes_are_warned_of(look):
    assert look(version_of(labels=range(5)), labels=(0, 1, 2, 3))["Labels"] == Check(
        "Labels",
        "5, but the model tells 4 classes apart",
        "Take them from its training, in its order: model_version.update(labels={'0': …}).",
    )


def test_labels_are_counted_where_nothing_tells_of_classes(look):
    assert look()["Labels"] == Check("Labels", "2")


def test_a_model_of_more_classes_than_labels_is_told_of_by_its_kernel(start):
    boxes, scores = models.BOXES[None], np.full((1, 3, 4), 0.1, np.float32)
    kernel = start(lambda path: models.onnx_constants(path, {"boxes": boxes, "scores": scores}))
    assert checklist(kernel)["Labels"].found == "4 classes, but no labels for 2, 3"


def test_what_was_assumed_of_a_model_is_told_with_where_to_say_it(start):
    silent = {key: value for key, value in models.DETECTOR.items() if key != "head"}
    told = checklist(start(manifest=silent))["Assumed"]
    assert told.found.startswith('The head is taken to be "boxes_scores". Boxes are taken for left')
    assert not told.found.endswith(".")  # a card ends it
    assert "serving.json" in told.remedy
