import pytest

from picsellia_jupyter.domain.devices import Compute
from picsellia_jupyter.domain.errors import InvalidInputError


@pytest.mark.parametrize(
    ("device", "precision", "words"),
    [
        (None, None, []),
        ("auto", "auto", []),
        ("CPU", "bf16", ["--device cpu", "--precision bf16"]),
        ("cuda:1", None, ["--device cuda:1"]),
        ("cuda", "fp32", ["--device cuda", "--precision fp32"]),
    ],
)
def test_device_and_precision_are_the_words_they_stand_for(device, precision, words):
    assert Compute.parse(device, precision).words() == words


def test_workers_are_told_where_their_number_was_chosen():
    assert Compute.parse(None, None, 2).words() == ["--workers 2"]
    assert Compute.parse("cuda:0", None, 16).words() == ["--device cuda:0", "--workers 16"]


@pytest.mark.parametrize("workers", [0, -1, 17])
def test_a_number_of_workers_that_cannot_be_is_answered_with_those_that_can(workers):
    with pytest.raises(InvalidInputError, match=rf"be {workers} model workers.*Use 1 to 16"):
        Compute.parse(None, None, workers)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:0", "cuda:-1", "mps"])
def test_an_unknown_device_is_answered_with_those_there_are(device):
    with pytest.raises(InvalidInputError, match=r"Use auto, cpu, cuda or cuda:N"):
        Compute.parse(device, None)


def test_an_unknown_precision_is_answered_with_those_there_are():
    with pytest.raises(InvalidInputError, match=r"'int8'.*auto, fp32, fp16, bf16"):
        Compute.parse(None, "int8")
