from pathlib import Path

from picsellia_jupyter.domain.deployments import Check
from picsellia_jupyter.domain.registry import Framework, InferenceType, ModelVersion
from picsellia_jupyter.serving import preflight
from picsellia_jupyter.serving.download import ModelFiles
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


def test_what_was_assumed_of_a_model_is_told_with_where_to_say_it(start):
    silent = {key: value for key, value in models.DETECTOR.items() if key != "head"}
    told = checklist(start(manifest=silent))["Assumed"]
    assert told.found.startswith('The head is taken to be "boxes_scores". Boxes are taken for left')
    assert "serving.json" in told.remedy
