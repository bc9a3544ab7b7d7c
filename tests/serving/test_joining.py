"""Clients' own tensors share batches, in real workers, and each gets its own answer."""

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import joining, runtimes
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.runtimes.options import Options
from picsellia_jupyter.serving.signature import LoadedModel, TensorSignature
from tests.serving.runtimes import networks


def call(*rows, name="x"):
    return {name: np.array(rows, np.float32)}


def ask(pool, *calls):
    """Answers to calls that all wait while the model runs another one."""
    first = pool.submit_tensors(call([0.0]))
    asked = [pool.submit_tensors(given) for given in calls]
    first.result(10)
    return asked


def test_tensors_that_wait_share_a_batch_and_each_call_gets_its_own_rows(make_pool):
    asked = ask(make_pool("tensors:8"), call([1.0]), call([2.0], [3.0]), call([4.0]))

    found = [reply.result(10) for reply in asked]
    assert [one["y"].tolist() for one in found] == [[[2.0]], [[3.0], [4.0]], [[5.0]]]
    assert max(one["rows"].max() for one in found) > 2


def test_no_batch_of_tensors_is_larger_than_what_pays(make_pool):
    asked = ask(make_pool("tensors:2"), *(call([float(number)]) for number in range(6)))

    assert max(reply.result(10)["rows"].max() for reply in asked) == 2
    several = call([1.0], [2.0], [3.0])
    (alone,) = ask(make_pool("tensors:2"), several)
    assert alone.result(10)["rows"].tolist() == [[3.0]] * 3


def test_tensors_that_are_refused_are_refused_alone(make_pool):
    good, bad, other = ask(make_pool("tensors:8"), call([1.0]), call([-1.0]), call([1.0, 2.0]))

    assert good.result(10)["y"].tolist() == [[2.0]]
    assert other.result(10)["y"].tolist() == [[2.0, 3.0]]
    with pytest.raises(InvalidInputError, match="A value is negative"):
        bad.result(10)


def test_only_tensors_that_differ_in_their_rows_alone_fit():
    assert joining.fit(call([1.0]), call([1.0], [2.0]))
    assert not joining.fit(call([1.0]), call([1.0, 2.0]))
    assert not joining.fit(call([1.0]), call([1.0], name="y"))
    assert not joining.fit(call([1.0]), {"x": np.ones((1, 1), np.float64)})
    assert joining.rows({"x": np.ones(3), "y": np.ones(3)}) == joining.rows({"x": np.ones(3)}) == 0


def test_outputs_that_are_not_one_for_every_image_are_not_parted():
    assert joining.parted({"boxes": np.ones((5, 4))}, [1, 2]) is None
    first, second = joining.parted({"y": np.arange(3)}, [1, 2])
    assert (first["y"].tolist(), second["y"].tolist()) == ([0], [1, 2])


FREE, FIXED = (TensorSignature("t", "float32", (side, 3)) for side in (None, 1))


@pytest.mark.parametrize(
    ("inputs", "outputs", "batch", "joins"),
    [
        ((FREE,), (FREE, FREE), 8, True),
        ((FREE,), (FREE,), 1, False),
        ((FREE, FREE), (FREE,), 8, False),
        ((FIXED,), (FREE,), 8, False),
        ((FREE,), (FREE, FIXED), 8, False),
        ((FREE,), (), 8, False),
    ],
)
def test_a_model_takes_joined_tensors_where_all_begin_with_a_free_batch(
    inputs, outputs, batch, joins
):
    model = LoadedModel("m", inputs=inputs, outputs=outputs, batch=batch)
    assert joining.takes_joined(model) is joins


@pytest.mark.parametrize(
    ("kind", "write"),
    [
        (ModelFormat.TORCHSCRIPT, networks.script),
        (ModelFormat.TORCH_EXPORT, networks.export),
    ],
)
def test_a_real_model_gives_together_what_it_gives_alone(kind, write, tmp_path):
    path = write(networks.trained(networks.Classifier()), tmp_path / "m")
    runtime = runtimes.load_as(kind, path, Options())
    runtime.tune(networks.images(1))
    told = LoadedModel("m", inputs=runtime.inputs, outputs=runtime.outputs, batch=8)
    calls = [{"images": networks.images(count, seed=count)} for count in (1, 3, 2)]

    assert joining.takes_joined(told)
    together = joining.parted(runtime.infer(joining.joined(calls)), [1, 3, 2])
    for found, given in zip(together, calls, strict=True):
        alone = runtime.infer(given)
        assert list(found) == list(alone)
        assert found["output_0"] == pytest.approx(alone["output_0"], abs=1e-5)
