"""onnxruntime gives what PyTorch gives, whatever the input's layout and type."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, save
from torch import nn

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.serving import runtimes
from picsellia_jupyter.serving.runtimes import onnx
from picsellia_jupyter.serving.runtimes.options import Options
from tests.serving.runtimes.networks import Classifier, eager, images, trained


class Channelslast(nn.Module):
    """Takes (N, H, W, C), as models that come from TensorFlow do."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images.to(torch.float32).permute(0, 3, 1, 2))


def export(network, path, example, *, dynamic=True):
    shapes = ({0: torch.export.Dim.DYNAMIC},) if dynamic else None
    torch.onnx.export(
        network, (torch.from_numpy(example),), str(path), input_names=["images"],
        output_names=["logits"], dynamo=True, external_data=False, verbose=False,
        dynamic_shapes=shapes,
    )  # fmt: skip
    return path


def load(path, **options):
    made = runtimes.load(path, Options(**options))
    made.tune(images(1))
    return made


def logits(runtime, batch):
    return np.concatenate([one["logits"] for one in runtime.run(batch)])


def test_a_model_of_any_batch_gives_what_the_network_gives(tmp_path):
    network = trained(Classifier())
    runtime = load(export(network, tmp_path / "m", images(2)))

    assert logits(runtime, images(3)) == pytest.approx(eager(network, images(3)).numpy(), abs=1e-5)
    assert runtime.signature.batch is None
    assert [(one.name, one.dtype, one.shape) for one in runtime.inputs] == [
        ("images", "float32", (None, 3, 32, 32))
    ]


class Alone(nn.Module):
    """Takes one image (C, H, W), as torchvision's detectors do when exported."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image[None])


def test_a_model_that_takes_an_image_without_a_batch_is_given_one_after_another(tmp_path):
    network = trained(Classifier())
    path = export(Alone(network), tmp_path / "m", images(1)[0], dynamic=False)
    runtime = load(path)

    assert logits(runtime, images(3)) == pytest.approx(eager(network, images(3)).numpy(), abs=1e-5)
    assert [(one.name, one.shape) for one in runtime.inputs] == [("images", (3, 32, 32))]


def test_a_model_of_one_image_runs_a_batch_image_by_image(tmp_path):
    network = trained(Classifier())
    runtime = load(export(network, tmp_path / "m", images(1), dynamic=False))

    assert runtime.signature.batch == 1
    assert logits(runtime, images(3)) == pytest.approx(eager(network, images(3)).numpy(), abs=1e-5)


def test_a_model_of_four_images_is_filled_up(tmp_path):
    network = trained(Classifier())
    runtime = load(export(network, tmp_path / "m", images(4), dynamic=False))

    assert logits(runtime, images(6)) == pytest.approx(eager(network, images(6)).numpy(), abs=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "uint8"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_every_layout_and_type_is_fed_as_the_model_wants_it(layout, dtype, tmp_path):
    # The mean of every channel, doubled: what comes out says what went in.
    shape = ["n", 3, 32, 32] if layout == "NCHW" else ["n", 32, 32, 3]
    kind = getattr(TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}.get(dtype, dtype.upper()))
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["real"], to=TensorProto.FLOAT),
            helper.make_node(
                "ReduceMean", ["real"], ["logits"], keepdims=0,
                axes=[2, 3] if layout == "NCHW" else [1, 2],
            ),
        ],
        "means",
        [helper.make_tensor_value_info("images", kind, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, tmp_path / "m")
    batch = np.round(images(2) * 255)

    runtime = load(tmp_path / "m")

    assert (runtime.signature.layout, runtime.signature.dtype) == (layout, dtype)
    assert (runtime.signature.channels, runtime.signature.width) == (3, 32)
    assert logits(runtime, batch) == pytest.approx(batch.mean((2, 3)), rel=1e-3)


def test_a_channels_last_export_gives_what_the_network_gives(tmp_path):
    network = trained(Classifier())
    example = np.ascontiguousarray(images(2).transpose(0, 2, 3, 1))
    runtime = load(export(Channelslast(network), tmp_path / "m", example))

    assert runtime.signature.layout == "NHWC"
    assert logits(runtime, images(3)) == pytest.approx(eager(network, images(3)).numpy(), abs=1e-5)


def test_a_gpu_that_onnxruntime_cannot_use_is_refused_with_what_to_install(tmp_path):
    path = export(trained(Classifier()), tmp_path / "m", images(2))
    with pytest.raises(ModelLoadError, match=r"cannot use cuda:1.*pip install onnxruntime-gpu"):
        load(path, device="cuda:1")


def test_a_gpu_is_told_its_number_and_how_to_take_memory():
    told = onnx._cuda_options("cuda:2")
    assert told["device_id"] == "2"
    assert told["arena_extend_strategy"] == "kSameAsRequested"


def test_a_precision_that_is_not_the_files_own_is_said_not_to_be_taken(tmp_path):
    path = export(trained(Classifier()), tmp_path / "m", images(2))
    runtime = load(path, precision="fp16")
    assert runtime.precision == "fp32"
    assert "fp32 as in its file, not fp16" in runtime.title


def test_a_model_that_fails_on_the_size_that_was_said_is_refused(tmp_path):
    path = export(trained(Classifier()), tmp_path / "m", images(2))
    runtime = runtimes.load(path, Options())
    with pytest.raises(ModelLoadError, match=r"fails on an image.*serving.json"):
        runtime.tune(np.zeros((1, 3, 8, 8), np.float32))
