from picsellia_jupyter.domain.deployments import Check
from picsellia_jupyter.wire.resources import dry_run_from_json
from tests.serving import models


def checklist(kernel):
    return {c.name: c for c in dry_run_from_json(kernel.prepared()["dry_run"]).checks}


def test_a_prepared_kernel_tells_what_was_checked_and_warns_of_a_version_made_by_hand(start):
    found = checklist(start())
    assert list(found) == ["Files", "Framework", "Labels", "Dry run", "Sandbox", "Origin"]
    assert found["Files"] == Check("Files", "model-latest and serving.json")
    assert found["Framework"] == Check("Framework", "ONNX model; stated: onnx")
    assert found["Origin"].found.startswith("imported by hand")
    assert found["Origin"].remedy.startswith("Compare a few of its predictions")


def test_a_framework_that_the_file_is_not_of_is_told(start):
    told = checklist(start(models.torchscript_detector))["Framework"]
    assert told.found == "stated is onnx, but the file is a TorchScript program"
    assert "framework=" in told.remedy
