import json
from pathlib import Path

import pytest

from picsellia_jupyter.domain.deployments import Check, DryRun
from picsellia_jupyter.domain.registry import Framework, InferenceType, ModelVersion
from picsellia_jupyter.serving import class_counts, confinement, preflight
from picsellia_jupyter.serving.confinement import Support
from picsellia_jupyter.serving.download import ModelFiles
from picsellia_jupyter.serving.signature import LoadedModel, TensorSignature
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


def outputs(**shapes):
    return tuple(TensorSignature(name, "float32", shape) for name, shape in shapes.items())


@pytest.fixture
def look(tmp_path):
    """What is found out about an ONNX model with these outputs."""

    def begin(version=None, said=None, **loaded):
        path = models.onnx_detector(tmp_path / "model-latest")
        told = None
        if said is not None:
            told = tmp_path / "serving.json"
            told.write_text(json.dumps(said))
        loaded = LoadedModel("onnxruntime", **loaded)
        dry_run = DryRun(0.0123, 1, "onnxruntime", "full")
        checks = preflight.checks(version or version_of(), ModelFiles(path, told), loaded, dry_run)
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


DETECTION, SEGMENTATION = InferenceType.OBJECT_DETECTION, InferenceType.SEGMENTATION
CLASSIFICATION, KEYPOINT = InferenceType.CLASSIFICATION, InferenceType.KEYPOINT


@pytest.mark.parametrize(
    ("kind", "head", "shapes", "classes"),
    [
        (CLASSIFICATION, "class_scores", {"logits": (None, 5)}, 5),
        (CLASSIFICATION, "class_scores", {"logits": (None, None)}, 0),
        (CLASSIFICATION, "class_scores", {"a": (1, 5), "b": (1, 5)}, 0),
        (DETECTION, "yolo8", {"output0": (1, 84, 8400)}, 80),
        (DETECTION, "yolo8", {"output0": (1, None, None)}, 0),
        (SEGMENTATION, "yolo8", {"output0": (1, 116, 8400), "output1": (1, 32, 160, 160)}, 80),
        (SEGMENTATION, "yolo8", {"output1": (1, 32, 160, 160), "output0": (1, 116, 8400)}, 80),
        (SEGMENTATION, "yolo8", {"output0": (1, 116, 8400), "output1": (1, None, 9, 9)}, 0),
        (KEYPOINT, "yolo8", {"output0": (1, 56, 8400)}, 0),
        (DETECTION, "yolo5", {"output0": (1, 25200, 85)}, 80),
        (DETECTION, "yolox", {"output": (1, 8400, 85)}, 80),
        (DETECTION, "yolox", {"boxes": (8400, 85)}, 0),
        (DETECTION, "yolox_raw", {"output": (1, 8400, 85)}, 80),
        (DETECTION, "boxes_scores", {"boxes": (1, 9, 4), "scores": (1, 9, 80)}, 80),
        (DETECTION, "boxes_scores", {"scores": (1, 9, 80), "boxes": (1, 9, 4)}, 80),
        (DETECTION, "boxes_scores", {"a": (1, 9, 4), "b": (1, 9, 80)}, 80),
        (DETECTION, "boxes_scores", {"a": (1, 9, 4), "b": (None, None, None)}, 0),
        (DETECTION, "detr", {"logits": (None, 100, 92), "pred_boxes": (None, 100, 4)}, 91),
        (DETECTION, "detr", {"pred_boxes": (1, 100, 4), "logits": (1, 100, 92)}, 91),
        (DETECTION, "rt_detr", {"logits": (1, 300, 80), "pred_boxes": (1, 300, 4)}, 80),
        (DETECTION, "rt_detr", {"output0": (1, 300, 84)}, 80),
        (DETECTION, "rt_detr", {"output0": (300, 84)}, 0),
        (DETECTION, "tf_detection", {"detection_boxes": (1, 100, 4)}, 0),
        (DETECTION, "yolo8", {}, 0),
    ],
)
def test_classes_are_counted_where_the_outputs_tell_of_them(kind, head, shapes, classes):
    model = LoadedModel("onnxruntime", head=head, outputs=outputs(**shapes))
    assert class_counts.classes_of(model, kind) == classes


@pytest.mark.parametrize(
    ("kind", "head", "shapes"),
    [
        (CLASSIFICATION, "class_scores", {"logits": (1, 4)}),
        (DETECTION, "yolo8", {"output0": (1, 8, 8400)}),
        (DETECTION, "detr", {"logits": (1, 100, 5), "pred_boxes": (1, 100, 4)}),
    ],
)
def test_classes_without_labels_are_warned_of(look, kind, head, shapes):
    found = look(version_of(kind), head=head, outputs=outputs(**shapes))
    assert found["Labels"] == Check(
        "Labels",
        "4 classes, but no labels for 2, 3",
        "Complete them: model_version.update(labels={'0': …}).",
    )


def test_labels_that_cover_all_classes_are_counted(look):
    version = version_of(labels=range(4))
    found = look(version, head="yolo8", outputs=outputs(output0=(1, 8, 8400)))
    assert found["Labels"] == Check("Labels", "4")


def test_labels_are_looked_for_where_serving_json_puts_them(look):
    version, shapes = version_of(labels=(1, 2, 3)), outputs(output0=(1, 8, 8400))
    told = look(version, {"label_offset": 1}, head="yolo8", outputs=shapes)["Labels"]
    assert told.found == "4 classes, but no labels for 4"


def test_what_was_assumed_of_a_model_is_told_with_where_to_say_it(start):
    silent = {key: value for key, value in models.DETECTOR.items() if key != "head"}
    told = checklist(start(manifest=silent))["Assumed"]
    assert told.found.startswith('The head is taken to be "boxes_scores". Boxes are taken for left')
    assert not told.found.endswith(".")  # a card ends it
    assert "serving.json" in told.remedy
