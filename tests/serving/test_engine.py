"""Engine and runtimes together: a model file and a photo in, a prediction out."""

import json

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.engine import Engine
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.runtimes import layouts
from picsellia_jupyter.serving.signature import TensorSignature
from tests.serving import models
from tests.serving.fakes import picture
from tests.serving.test_pixels import encoded


def load(model, manifest, kind=InferenceType.OBJECT_DETECTION):
    path = model.with_name("serving.json")
    if manifest is not None:
        path.write_text(json.dumps(manifest))
    return Engine.load(LoadRequest(model, path if manifest is not None else None, kind))


@pytest.mark.parametrize(
    ("make", "title"),
    [
        (models.onnx_detector, "onnxruntime "),
        (models.torchscript_detector, "(TorchScript program, CPU)"),
        (models.exported_detector, "(torch.export program, CPU)"),
    ],
)
def test_every_runtime_finds_the_same(make, title, tmp_path):
    engine = load(make(tmp_path / "model-latest"), models.DETECTOR)
    reply = engine.predict(picture(128, 96), "a.jpg", record=True)
    assert title in engine.loaded.runtime
    assert reply.found.boxes_xyxy.tolist() == [[16, 16, 48, 48], [64, 32, 112, 80]]
    assert reply.content_type == "image/jpeg"
    assert reply.recorded is None
    assert 0 < reply.latency_s < 5


def test_a_model_without_serving_json_gets_its_size_from_its_file(tmp_path):
    engine = load(models.onnx_detector(tmp_path / "m", channels=3), None)
    found = engine.predict(picture(64, 48), "a.jpg", record=False).found
    assert found.boxes_xyxy.tolist() == [[8, 8, 24, 24], [32, 16, 56, 40]]


def test_a_torch_program_without_serving_json_gets_a_size_that_it_is_told_of(tmp_path):
    loaded = load(models.torchscript_detector(tmp_path / "m"), None).loaded
    assert loaded.head == "boxes_scores"
    assert "640 x 640 pixels is assumed" in loaded.notes[0]


def test_a_program_that_takes_another_size_is_refused_with_the_key_to_set(tmp_path):
    import torch

    torch.jit.trace(torch.nn.Linear(8, 2), torch.zeros(1, 3, 8, 8)).save(str(tmp_path / "m"))
    with pytest.raises(ModelLoadError, match=r'cannot run on a photo of 224 x 224.*"width"'):
        load(tmp_path / "m", None, InferenceType.CLASSIFICATION)


def test_the_model_sees_the_pixels_that_were_sent(tmp_path):
    kind = InferenceType.CLASSIFICATION
    engine = load(models.onnx_brightness(tmp_path / "m"), None, kind)
    photo = encoded(Image.new("L", (90, 70), 51))
    assert engine.predict(photo, "a.png", record=False).found.scores == pytest.approx([0.2])


def test_a_photo_that_cannot_be_recorded_is_re_encoded_only_when_asked(tmp_path):
    engine = load(models.onnx_detector(tmp_path / "m"), models.DETECTOR)
    bmp = picture(kind="BMP")
    assert engine.predict(bmp, "a.bmp", record=False).recorded is None
    reply = engine.predict(bmp, "a.bmp", record=True)
    assert reply.recorded.startswith(b"\x89PNG")
    assert reply.content_type == "image/png"


def test_a_model_with_two_inputs_is_refused_with_their_names(tmp_path):
    from onnx import TensorProto, helper, save

    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", ["left", "right"], ["out"])],
        "two",
        [tensor(name, TensorProto.FLOAT, (1, 1, 4, 4)) for name in ("left", "right")],
        [tensor("out", TensorProto.FLOAT, (1, 1, 4, 4))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, tmp_path / "m")
    with pytest.raises(ModelLoadError, match="takes 2 inputs: left, right"):
        load(tmp_path / "m", None)


def test_a_mask_of_pixels_beside_the_photo_is_all_ones():
    mask = TensorSignature("pixel_mask", "int64", (None, None, None))
    image = TensorSignature("pixel_values", "float32", (None, 3, None, None))
    signature, others = layouts.image_among([image, mask])
    beside = layouts.beside(others, np.zeros((2, 3, 4, 5), np.float32))
    assert (signature.name, others) == ("pixel_values", (mask,))
    assert beside["pixel_mask"].dtype == np.int64
    assert beside["pixel_mask"].tolist() == np.ones((2, 4, 5)).tolist()


def test_weights_outside_the_file_are_not_read(tmp_path, monkeypatch):
    import onnx
    from onnx.external_data_helper import convert_model_to_external_data

    model = onnx.load(models.onnx_detector(tmp_path / "whole"))
    weights = onnx.numpy_helper.from_array(np.zeros((1, 3, 4), np.float32), "w")
    model.graph.initializer.append(weights)
    model.graph.node[0].CopyFrom(onnx.helper.make_node("Identity", ["w"], ["boxes"]))
    convert_model_to_external_data(model, location="secret.bin", size_threshold=0)
    onnx.save(model, tmp_path / "m")
    assert (tmp_path / "secret.bin").exists()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelLoadError, match="weights inside the file"):
        load(tmp_path / "m", None)


def test_half_precision_inputs_are_served(tmp_path):
    from onnx import TensorProto, helper, save

    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["images"], ["half"], axes=[2, 3], keepdims=0),
            helper.make_node("Cast", ["half"], ["score"], to=TensorProto.FLOAT),
        ],
        "half",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT16, (1, 1, 8, 8))],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, (1, 1))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, tmp_path / "m")
    engine = load(tmp_path / "m", None, InferenceType.CLASSIFICATION)
    photo = encoded(Image.new("L", (8, 8), 255))
    assert engine.predict(photo, "a.png", record=False).found.scores == pytest.approx([1.0])


def test_a_torch_program_may_return_one_tensor(tmp_path):
    import torch

    class Mean(torch.nn.Module):
        def forward(self, images):
            return images.mean(dim=(2, 3))

    torch.jit.trace(Mean(), torch.zeros(1, 1, 32, 32)).save(str(tmp_path / "m"))
    said = {"input": {"width": 32, "height": 32, "channels": "L"}}
    engine = load(tmp_path / "m", said, InferenceType.CLASSIFICATION)
    photo = encoded(Image.new("L", (90, 70), 51))
    assert engine.predict(photo, "a.png", record=False).found.scores == pytest.approx([0.2])
