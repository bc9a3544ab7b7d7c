"""PyTorch runtimes give what PyTorch itself gives."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    InvalidPredictionError,
    ModelLoadError,
)
from picsellia_jupyter.serving import runtimes
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.runtimes import torch_outputs
from picsellia_jupyter.serving.runtimes.memory import OutOfMemoryError
from picsellia_jupyter.serving.runtimes.options import Options
from picsellia_jupyter.serving.runtimes.torch_fusing import fused
from picsellia_jupyter.serving.runtimes.torch_programs import Program
from tests.serving.hostile_torch import rewritten
from tests.serving.runtimes import networks
from tests.serving.runtimes.networks import Classifier, Returning, eager, images, trained


def load(path, kind=ModelFormat.TORCHSCRIPT, **options):
    made = runtimes.load_as(kind, path, Options(**options))
    made.tune(images(1))
    return made


def scripted(network, folder, **options):
    return load(networks.script(network, folder / "m"), **options)


def exported(network, folder, **options):
    return load(networks.export(network, folder / "m"), ModelFormat.TORCH_EXPORT, **options)


@pytest.mark.parametrize("make", [scripted, exported])
def test_a_program_gives_what_the_network_gives(make, tmp_path):
    network = trained(Classifier())
    runtime, batch = make(network, tmp_path), images(3)

    found = runtime.run(batch)

    want = eager(network, batch).numpy()
    assert np.concatenate([one["output_0"] for one in found]) == pytest.approx(want, abs=1e-5)
    assert (runtime.device, runtime.precision) == ("cpu", "fp32")


def test_an_exported_program_tells_what_it_takes_and_gives(tmp_path):
    runtime = exported(trained(Classifier()), tmp_path)

    assert (runtime.signature.channels, runtime.signature.height, runtime.signature.width) == (
        3, 32, 32,
    )  # fmt: skip
    assert runtime.signature.batch is None
    assert [(one.dtype, one.shape) for one in runtime.inputs] == [("float32", (None, 3, 32, 32))]
    assert [(one.name, one.shape) for one in runtime.outputs] == [("output_0", (None, 5))]


def test_a_script_is_asked_for_its_inputs_name_and_its_outputs_by_a_trial(tmp_path):
    runtime = load(networks.script(trained(Classifier()), tmp_path / "m"))

    assert [(one.name, one.shape) for one in runtime.inputs] == [("images", (None, 3, 32, 32))]
    assert [(one.dtype, one.shape) for one in runtime.outputs] == [("float32", (None, 5))]


def test_a_program_of_one_image_runs_a_batch_image_by_image(tmp_path):
    network = trained(Classifier())
    path = networks.export(network, tmp_path / "m", dynamic=False)
    runtime, batch = load(path, ModelFormat.TORCH_EXPORT), images(3)

    found = runtime.run(batch)

    assert runtime.signature.batch == 1
    want = eager(network, batch).numpy()
    assert np.concatenate([one["output_0"] for one in found]) == pytest.approx(want, abs=1e-5)


FORMS = {
    "tuple": ["output_0", "output_1"],
    "list": ["output_0", "output_1"],
    "dict": ["logits", "more"],
    "named tuple": ["boxes", "scores"],
    "dataclass": ["logits"],
    "nested": ["output_0", "output_1.output_0", "output_1.output_1"],
    "one dict an image": ["scores", "labels"],
}


@pytest.mark.parametrize("form", FORMS)
def test_outputs_of_every_form_are_taken_apart(form):
    network = trained(Returning(form))
    together = torch_outputs.of_images(eager(network, images(3)), 3)

    for index, image in enumerate(images(3)):
        alone = torch_outputs.of_images(eager(network, image[None]), 1)[0]
        assert list(together[index]) == list(alone) == FORMS[form]
        for name, array in alone.items():
            assert together[index][name].shape == array.shape
            assert together[index][name] == pytest.approx(array, abs=1e-5)


def test_labels_stay_whole_numbers_and_half_precision_becomes_single():
    found = torch_outputs.named({"labels": torch.tensor([3]), "scores": torch.tensor([0.5]).half()})
    assert (found["labels"].dtype, found["scores"].dtype) == (np.int64, np.float32)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(InvalidPredictionError, match="returns a str that is no tensor"):
        torch_outputs.named((torch.zeros(1), "done"))


class Detector(nn.Module):
    """As torchvision's: a list of images in, losses and a dict for every image out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)

    def forward(
        self, images: list[torch.Tensor], targets: list[dict[str, torch.Tensor]] | None = None
    ) -> tuple[dict[str, torch.Tensor], list[dict[str, torch.Tensor]]]:
        losses: dict[str, torch.Tensor] = {}
        found: list[dict[str, torch.Tensor]] = []
        for image in images:
            score = self.conv(image[None]).flatten(1).mean(1)
            count = int(image.mean() * 10)
            boxes = torch.arange(4 * count).reshape(count, 4).float()
            labels = torch.ones(count, dtype=torch.int64)
            found.append({"boxes": boxes, "labels": labels, "scores": score.repeat(count)})
        return losses, found


def test_a_scripted_torchvision_detector_is_handed_a_list_and_gives_each_image_its_own(tmp_path):
    network = Detector().eval()
    runtime = load(networks.script(network, tmp_path / "m", trace=False))
    batch = np.stack([np.full((3, 32, 32), level, np.float32) for level in (0.25, 0.65)])

    found = runtime.run(batch)

    assert [one["boxes"].shape for one in found] == [(2, 4), (6, 4)]
    want = eager(network, batch)[1]
    for one, expected in zip(found, want, strict=True):
        assert one["scores"] == pytest.approx(expected["scores"].numpy(), abs=1e-5)
        assert one["labels"].dtype == np.int64
    assert {one.name: one.shape for one in runtime.outputs}["boxes"] == (None, 4)
    assert runtime.signature.resizes
    assert [one.shape for one in runtime.inputs] == [(None, 3, None, None)]


OPERATORS = """
import torch
library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")
library.impl("nms", lambda boxes, scores, iou_threshold: boxes + 1, "CPU")
"""


def script_with_nms(folder):
    """A program that calls an operator of torchvision's."""

    class Relu(nn.Module):
        def forward(self, images):
            return torch.relu(images)

    path, call = networks.script(Relu(), folder / "m"), b"ops.torchvision.nms(images, images, 0.5)"
    path.write_bytes(
        rewritten(path.read_bytes(), lambda _, old: old.replace(b"torch.relu(images)", call))
    )
    return path


@pytest.fixture
def no_torchvision(monkeypatch):
    """Neither it nor its operators are known."""
    if hasattr(torch.ops.torchvision, "nms"):
        pytest.skip("torchvision is loaded here, and its operators stay known to this process")
    monkeypatch.setitem(sys.modules, "torchvision", None)


@pytest.mark.usefixtures("no_torchvision")
def test_a_program_with_torchvisions_operators_is_refused_without_it(tmp_path):
    with pytest.raises(ModelLoadError, match="needs torchvision's own operators: ") as caught:
        load(script_with_nms(tmp_path))
    assert "pip install torchvision" in caught.value.remedy


@pytest.mark.usefixtures("no_torchvision")
def test_a_program_with_torchvisions_operators_is_served_with_it(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "torchvision.py").write_text(OPERATORS)
    monkeypatch.delitem(sys.modules, "torchvision")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    try:
        assert (load(script_with_nms(tmp_path)).run(images(1))[0]["output_0"] > 1).all()
    finally:
        if made := sys.modules.pop("torchvision", None):
            made.library._destroy()


class Sized(Classifier):
    """As RT-DETR is deployed: told the size that boxes are wanted in."""

    def forward(self, images: torch.Tensor, orig_target_sizes: torch.Tensor):
        return super().forward(images) * orig_target_sizes.sum()


@pytest.mark.parametrize("how", ["script", "export"])
def test_a_program_that_takes_more_than_an_image_is_refused_by_its_inputs(how, tmp_path):
    given = torch.from_numpy(images(1)), torch.ones(1, 2)
    path = tmp_path / "m"
    if how == "script":
        torch.jit.trace(Sized().eval(), given).save(str(path))
    else:
        torch.export.save(torch.export.export(Sized().eval(), given), path)
    with pytest.raises(ModelLoadError) as caught:
        runtimes.load(path)
    assert caught.value.fact == "The model takes 2 inputs: images, orig_target_sizes."
    assert "an ONNX model may take orig_target_sizes and pixel_mask" in caught.value.remedy


@pytest.mark.parametrize("make", ["modules", "graph", "script"])
def test_norms_are_folded_into_convolutions(make, tmp_path):
    network = trained(Classifier())
    given = torch.from_numpy(images(2))
    if make == "graph":
        module = torch.export.export(network, (given,)).module()
    elif make == "script":
        module = torch.jit.load(networks.script(network, tmp_path / "m"))
    else:
        module = network
    made = fused(torch, module)

    with torch.inference_mode():
        assert made(given).numpy() == pytest.approx(network(given).numpy(), abs=1e-5)
    told = str(made.graph) if hasattr(made, "graph") else str(made)
    assert "batch_norm" not in told.lower().replace("batchnorm", "batch_norm")
    assert any(isinstance(part, nn.BatchNorm2d) for part in network.modules())  # the original


def test_a_network_that_lists_its_parts_in_another_order_is_left_as_it_is(tmp_path):
    class Swapped(Classifier):
        def __init__(self):
            super().__init__()
            self.bn = nn.BatchNorm2d(8)
            self.late = nn.Conv2d(8, 8, 1)
            self.last_norm = nn.BatchNorm2d(8)

        def forward(self, images):
            # `late` is followed by `last_norm` where they are listed, not where they are used.
            return self.linear(self.late(self.last_norm(self.backbone(images))).mean((2, 3)))

    network = trained(Swapped())
    assert eager(fused(torch, network), images(1)).numpy() != pytest.approx(
        eager(network, images(1)).numpy(), abs=1e-4
    )
    from picsellia_jupyter.serving.runtimes.torch_programs import Program

    runtime = scripted(network, tmp_path)
    runtime._program = Program(torch, network, "cpu")
    runtime.tune(images(1))
    found = runtime.run(images(1))[0]["output_0"]
    assert found == pytest.approx(eager(network, images(1)).numpy(), abs=1e-5)


@pytest.mark.parametrize("make", [scripted, exported])
def test_bf16_is_taken_where_it_is_asked_for_and_stays_close(make, tmp_path):
    network = trained(Classifier())
    runtime, batch = make(network, tmp_path, precision="bf16"), images(2)

    found = np.concatenate([one["output_0"] for one in runtime.run(batch)])

    assert runtime.precision == "bf16"
    assert "bf16" in runtime.title
    assert found.dtype == np.float32
    assert found == pytest.approx(eager(network, batch).numpy(), abs=0.01)


def test_a_precision_that_strays_too_far_is_not_taken_and_said(tmp_path):
    class Fine(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 32)

        def forward(self, images):
            return (self.conv(images) + 300) - 300  # bf16 knows 300 and 302, and none between

    network = Fine().eval()
    runtime = exported(network, tmp_path, precision="bf16")

    assert runtime.precision == "fp32"
    assert "fp32, since bf16 strays too far" in runtime.title
    found = runtime.run(images(1))[0]["output_0"]
    assert found == pytest.approx(eager(network, images(1)).numpy(), abs=1e-4)


def test_tensors_that_the_model_does_not_take_are_refused(tmp_path):
    runtime = scripted(trained(Classifier()), tmp_path)
    with pytest.raises(InvalidInputError, match="cannot take these tensors"):
        runtime.infer({"images": np.zeros((1, 7, 2, 2), np.float32)})


def test_its_own_outputs_are_given_for_its_own_inputs(tmp_path):
    network = trained(Classifier())
    found = scripted(network, tmp_path).infer({"images": images(3)})
    assert found["output_0"] == pytest.approx(eager(network, images(3)).numpy(), abs=1e-5)


class Full(nn.Module):
    """Fails as it is told to."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, images):
        raise self.error


OF_SCRIPT = "The following operation failed in the TorchScript interpreter.\nCUDA out of memory."
NO_ENGINE = RuntimeError("GET was unable to find an engine to execute this computation")


def failing(error, folder):
    runtime = scripted(trained(Classifier()), folder)
    runtime._program = Program(torch, Full(error), "cpu")
    return runtime


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError(OF_SCRIPT),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        NO_ENGINE,
    ],
)
def test_too_little_memory_is_told_as_such_whichever_library_says_it(error, tmp_path):
    runtime = failing(error, tmp_path)
    with pytest.raises(
        OutOfMemoryError, match=r"3 images do not fit into the memory of this machine"
    ):
        runtime.run(images(3))


def test_other_failures_are_not_taken_for_a_lack_of_memory(tmp_path):
    with pytest.raises(RuntimeError, match="shapes do not match"):
        failing(RuntimeError("shapes do not match"), tmp_path).run(images(3))
    with pytest.raises(RuntimeError, match="unable to find an engine"):
        failing(NO_ENGINE, tmp_path).run(images(1))
