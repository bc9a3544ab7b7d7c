"""Weights alone are loaded into the network that serving.json names."""

import json
import os
import sys

import pytest
import torch
from safetensors.torch import save_file

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import runtimes
from picsellia_jupyter.serving.engine import Engine
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.runtimes.options import Architecture, Options
from tests.serving.fakes import picture
from tests.serving.runtimes.networks import Classifier, eager, images, trained

SMALL = Architecture("small-cnn", {"classes": 5})


@pytest.fixture
def registered(tmp_path, monkeypatch):
    """An installed package that registers a network, and one that cannot be imported."""
    site = tmp_path / "site"
    info = site / "networks_of_mine-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: networks-of-mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[picsellia_jupyter.architectures]\n"
        "small-cnn = tests.serving.runtimes.networks:Classifier\n"
        "broken = no_such_module_of_mine:Net\n"
    )
    monkeypatch.syspath_prepend(str(site))


def load(path, kind, architecture=SMALL):
    made = runtimes.load_as(kind, path, Options(architecture=architecture))
    made.tune(images(1))
    return made


def write(weights, path, kind):
    if kind is ModelFormat.SAFETENSORS:
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return path


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("kind", [ModelFormat.SAFETENSORS, ModelFormat.TORCH_STATE_DICT])
def test_weights_of_a_registered_network_give_what_it_gives(kind, tmp_path):
    network = trained(Classifier())
    path = write(network.state_dict(), tmp_path / "m", kind)

    runtime = load(path, kind)

    found = runtime.run(images(2))
    want = eager(network, images(2)).numpy()
    assert [one["output_0"][0] for one in found] == [pytest.approx(row, abs=1e-5) for row in want]
    assert runtime.inputs[0].name == "images"


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("wrapped", ["state_dict", "module."])
def test_weights_are_found_in_what_training_loops_wrap_them_in(wrapped, tmp_path):
    network = trained(Classifier())
    weights = network.state_dict()
    if wrapped == "module.":
        weights = {f"module.{name}": tensor for name, tensor in weights.items()}
    else:
        weights = {"epoch": 3, "state_dict": weights}
    torch.save(weights, tmp_path / "m")

    runtime = load(tmp_path / "m", ModelFormat.TORCH_STATE_DICT)

    want = eager(network, images(1)).numpy()
    assert runtime.run(images(1))[0]["output_0"] == pytest.approx(want, abs=1e-5)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("architecture", "said"),
    [
        (
            None,
            r"without their network.*\"architecture\".*registered: broken, small-cnn, torchvision",
        ),
        (Architecture("smal-cnn"), r"Did you mean 'small-cnn'.*picsellia_jupyter.architectures"),
        (Architecture("broken"), r"cannot be imported.*python -c 'import no_such_module_of_mine'"),
        (Architecture("small-cnn", {"colour": 3}), r"cannot be made with \{'colour': 3\}"),
        (Architecture("small-cnn", {"classes": 9}), r"do not fit Classifier: size mismatch"),
    ],
)
def test_an_architecture_that_does_not_fit_is_refused_with_what_to_change(
    architecture, said, tmp_path
):
    path = write(trained(Classifier()).state_dict(), tmp_path / "m", ModelFormat.SAFETENSORS)
    with pytest.raises(ModelLoadError, match=said):
        load(path, ModelFormat.SAFETENSORS, architecture)


@pytest.mark.usefixtures("registered")
def test_weights_are_served_as_serving_json_says(tmp_path):
    network = trained(Classifier())
    path = write(network.state_dict(), tmp_path / "m", ModelFormat.SAFETENSORS)
    said = {
        "architecture": {"name": "small-cnn", "classes": 5},
        "input": {"width": 32, "height": 32},
    }
    (tmp_path / "serving.json").write_text(json.dumps(said))

    request = LoadRequest(path, tmp_path / "serving.json", InferenceType.CLASSIFICATION, 5)
    engine = Engine.load(request)

    assert "safetensors file, CPU" in engine.loaded.runtime
    assert engine.predict(picture(), "a.jpg", record=False).found.scores.sum() <= 1.001
    assert engine.loaded.memory_bytes > 0


NETWORK = Architecture("torchvision", {"model": "resnet18", "num_classes": 5})


def test_without_torchvision_its_weights_are_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    path = write(trained(Classifier()).state_dict(), tmp_path / "m", ModelFormat.SAFETENSORS)
    with pytest.raises(ModelLoadError, match="network is one of torchvision: ") as caught:
        load(path, ModelFormat.SAFETENSORS, NETWORK)
    assert "pip install torchvision" in caught.value.remedy


@pytest.mark.parametrize("kind", [ModelFormat.SAFETENSORS, ModelFormat.TORCH_STATE_DICT])
def test_weights_of_torchvisions_networks_give_what_they_give(kind, tmp_path):
    models = pytest.importorskip("torchvision.models", exc_type=Exception)
    network = models.resnet18(num_classes=5).eval()
    path = write(network.state_dict(), tmp_path / "m", kind)
    (found,) = load(path, kind, NETWORK).run(images(1))
    assert found["output_0"] == pytest.approx(eager(network, images(1)).numpy(), abs=1e-4)


class Evil:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


@pytest.mark.usefixtures("registered")
def test_a_state_dict_with_a_pickle_in_it_executes_nothing(tmp_path):
    torch.save({"weight": Evil(tmp_path / "canary")}, tmp_path / "m")
    with pytest.raises(ModelLoadError, match="holds a pickle, which could run any code"):
        load(tmp_path / "m", ModelFormat.TORCH_STATE_DICT)
    assert not (tmp_path / "canary").exists()
    with pytest.raises(ModelLoadError):  # the gate refuses it before that
        runtimes.load(tmp_path / "m")


@pytest.mark.usefixtures("registered")
def test_a_file_without_weights_is_refused(tmp_path):
    torch.save([1, 2, 3], tmp_path / "m")
    with pytest.raises(ModelLoadError, match="holds a list that is no state dict"):
        load(tmp_path / "m", ModelFormat.TORCH_STATE_DICT)
