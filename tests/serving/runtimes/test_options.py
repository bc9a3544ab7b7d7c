"""What serving.json and a deployment say of how a model is run."""

import math

import numpy as np
import pytest
import torch

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.serving import runtimes
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.runtimes import cuda_graphs, memory, options
from picsellia_jupyter.serving.runtimes import torch as torch_runtime
from picsellia_jupyter.serving.runtimes.closeness import TOLERANCE, deviation
from picsellia_jupyter.serving.runtimes.options import Architecture, Options
from tests.serving.runtimes.networks import Classifier, script, trained


def split(said):
    return options.split(said, device="auto", precision="auto")


@pytest.mark.parametrize(
    ("said", "architecture"),
    [
        ("small-cnn", Architecture("small-cnn")),
        ({"name": "small-cnn", "classes": 3}, Architecture("small-cnn", {"classes": 3})),
    ],
)
def test_an_architecture_is_a_name_or_an_object(said, architecture):
    how, rest = split({"architecture": said, "head": "yolo8"})
    assert how.architecture == architecture
    assert rest == {"head": "yolo8"}


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"architecture": 3}, "architecture is 3"),
        ({"cuda_graphs": [0]}, r"cuda_graphs is \[0\]"),
        ({"cuda_graphs": "yes"}, "cuda_graphs is 'yes'"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_key(said, word):
    with pytest.raises(ModelLoadError, match=word):
        split(said)


def test_batches_of_cuda_graphs_are_sorted():
    assert split({"cuda_graphs": [8, 1, 8]})[0].graph_batches == (1, 8)


def test_without_a_word_batches_of_cuda_graphs_are_chosen_and_an_empty_list_is_none():
    assert split({})[0].graph_batches is None
    assert split({"cuda_graphs": []})[0].graph_batches == ()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    path = script(trained(Classifier()), tmp_path / "m")
    with pytest.raises(ModelLoadError, match=r"no device 'cuda:3' here: cpu; .*--device cpu"):
        runtimes.load_as(ModelFormat.TORCHSCRIPT, path, Options(device="cuda:3"))


class Cuda:
    """What torch tells of a machine with two GPUs."""

    version = "2.13"

    def __init__(self, capability=(9, 0)):
        self.capability = capability

    @property
    def cuda(self):
        return self

    backends = cuda

    def is_available(self):
        return True

    def is_built(self):
        return True

    def device_count(self):
        return 2

    def get_device_capability(self, device):
        return self.capability


@pytest.mark.parametrize(
    ("asked", "device"),
    [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")],
)
def test_a_gpu_is_taken_where_there_is_one(asked, device):
    assert torch_runtime._device(Cuda(), asked) == device


@pytest.mark.parametrize(
    ("device", "capability", "asked", "tried"),
    [
        ("cuda:0", (9, 0), "auto", ("fp16", "fp32")),
        ("cuda:0", (6, 1), "auto", ("fp32",)),
        ("cuda:0", (9, 0), "bf16", ("bf16", "fp32")),
        ("cpu", None, "auto", ("fp32",)),
        ("cpu", None, "bf16", ("bf16", "fp32")),
        ("cpu", None, "fp32", ("fp32",)),
    ],
)
def test_less_precision_is_tried_where_the_device_gains_or_it_is_asked_for(
    device, capability, asked, tried
):
    assert torch_runtime._precisions(Cuda(capability), device, asked) == tried


def test_fp16_on_the_cpu_is_refused():
    with pytest.raises(ModelLoadError, match=r"gains nothing from fp16.*--precision bf16"):
        torch_runtime._precisions(Cuda(), "cpu", "fp16")


@pytest.mark.parametrize(
    ("got", "want", "far"),
    [
        ([0.5, 0.1], [0.5, 0.1], 0.0),
        ([0.51], [0.5], 0.01),
        ([640.0], [643.2], TOLERANCE),
        ([np.inf, 1.0], [np.inf, 1.0], 0.0),
        ([np.nan], [1.0], math.inf),
        ([1.0], [np.inf], math.inf),
        ([1.0, 2.0], [1.0], math.inf),
    ],
)
def test_outputs_are_as_far_apart_as_their_worst_number(got, want, far):
    told = deviation({"o": np.array(got)}, {"o": np.array(want)})
    assert told == pytest.approx(far, rel=0.01)


def test_whole_numbers_are_as_far_apart_as_many_differ():
    one, other = np.arange(100), np.arange(100)
    other[:3] += 1
    assert deviation({"o": one}, {"o": other}) == pytest.approx(0.03)


def test_outputs_of_other_names_are_infinitely_far():
    assert deviation({"a": np.zeros(1)}, {"b": np.zeros(1)}) == math.inf


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 4), (4, 4), (5, 8), (8, 8), (9, None)])
def test_a_batch_takes_the_smallest_recording_it_fits_into(count, size):
    assert cuda_graphs.fitting([1, 4, 8], count) == size


def test_of_a_recording_only_the_batchs_own_rows_are_given_and_they_stay():
    rows = torch.arange(8.0).reshape(4, 2)
    found = {"pair": (rows, rows * 2)}
    got = cuda_graphs.first(found, 3)
    rows.zero_()
    assert got["pair"][0].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert isinstance(got["pair"], tuple)


def test_memory_of_this_process_is_told():
    assert 10 * 2**20 < memory.resident_bytes() < 2**40
