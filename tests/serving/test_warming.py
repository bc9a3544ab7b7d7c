"""The largest batch that pays, found by a clock of our own."""

import dataclasses

import numpy as np
import pytest

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import manifest, warming
from picsellia_jupyter.serving.manifest import InputSpec
from tests.serving import models

IMAGES = np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1) + np.zeros((4, 1, 2, 2), np.float32)


class Model:
    """Takes as long for a batch as it is told to."""

    def __init__(self, takes, find=lambda batch: batch.mean((1, 2, 3))):
        self.now = 0.0
        self.sizes = []
        self._takes, self._find = takes, find

    def clock(self):
        return self.now

    def run(self, batch):
        self.now += self._takes(len(batch))
        self.sizes.append(len(batch))
        return [{"mean": one[None]} for one in self._find(batch)]

    def best(self):
        return warming.best_batch(self.run, IMAGES, clock=self.clock)


@pytest.mark.parametrize(
    ("takes", "best"),
    [
        (lambda n: 0.010 * n, 1),  # nothing is gained
        (lambda n: 0.010 + 0.0001 * n, 64),  # as on a GPU
        (lambda n: 0.002 * n + 0.008 * max(1, n / 8), 8),  # eight at a time
        (lambda n: 0.010 * n * 0.97, 1),  # too little is gained
        (lambda n: 0.00001 + 0.00001 * n, 1),  # half, but of nothing
        (lambda n: 0.010 * n if n < 4 else 0.0, 1),  # two do not pay, and that is the end
    ],
)
def test_the_batch_grows_while_the_time_for_an_image_falls(takes, best):
    assert Model(takes).best() == best


def test_finding_it_takes_three_seconds_at_most():
    model = Model(lambda n: 0.2 + 0.01 * n)
    assert model.best() >= 2
    assert model.now < 2 * warming.BUDGET_S
    slow = Model(lambda n: 5.0)
    assert slow.best() == 1
    assert max(slow.sizes) == 1


def test_a_model_that_mixes_the_images_of_a_batch_is_given_one_at_a_time():
    mixes = Model(lambda n: 0.01, lambda batch: np.full(len(batch), batch.mean()))
    assert mixes.best() == 1


def test_a_model_that_takes_three_at_most_is_given_two():
    def find(batch):
        if len(batch) > 3:
            raise ValueError("too many")
        return batch.mean((1, 2, 3))

    assert Model(lambda n: 0.01, find).best() == 2


def test_made_up_images_differ_and_are_those_that_a_photo_would_become():
    spec = InputSpec(8, 6, "stretch", "RGB", 255.0, (0.0,) * 3, (1.0,) * 3, 114)
    made = warming.made_up(spec, 4)
    assert (made.shape, made.dtype) == ((4, 3, 6, 8), np.float32)
    assert 0 <= made.min() < made.max() <= 1
    means = made.mean((1, 2, 3))
    assert (np.diff(means) > 0.1).all()


def test_photos_that_are_given_as_they_are_go_one_by_one():
    class Runtime:
        """Fails where a batch is tried on it."""

        signature = None

        def tune(self, image):
            assert len(image) == 1

    as_it_is = manifest.parse(models.DETECTOR, InferenceType.OBJECT_DETECTION, None).input
    assert warming.warm(Runtime(), dataclasses.replace(as_it_is, resize="none")) == 1
