"""Batches that do not fit into memory are halved, and stay so."""

import numpy as np

from picsellia_jupyter.serving.elastic import ElasticBatches
from picsellia_jupyter.serving.runtimes.memory import OutOfMemoryError


class Memory:
    """A runtime on a device with room for so many images."""

    def __init__(self, room):
        self.room = room
        self.tried = []

    def run(self, batch):
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise OutOfMemoryError("cuda:0", len(batch))
        return [{"mean": one.mean()[None]} for one in batch]


def images(count):
    return [np.full((1, 1, 2, 2), index, np.float32) for index in range(count)]


def means(found):
    return [float(one["mean"][0]) for one in found]


def test_a_batch_that_does_not_fit_is_halved_and_every_image_is_answered():
    memory = Memory(3)
    batches = ElasticBatches(memory.run, 8)

    assert means(batches.run(images(8))) == list(range(8))
    assert memory.tried == [8, 4, 2, 2, 2, 2]
    assert batches.largest == 2


def test_the_log_tells_once_what_fits_from_now_on():
    told = []
    batches = ElasticBatches(Memory(3).run, 8, told.append)
    batches.run(images(8))
    batches.run(images(8))
    assert told == [
        "8 images do not fit into the memory of cuda:0. Batches have 4 at most from now on.",
        "4 images do not fit into the memory of cuda:0. Batches have 2 at most from now on.",
    ]


def test_the_size_that_fits_is_remembered():
    memory = Memory(3)
    batches = ElasticBatches(memory.run, 8)
    batches.run(images(8))
    memory.tried.clear()

    assert means(batches.run(images(5))) == list(range(5))
    assert memory.tried == [2, 2, 1]


def test_an_image_that_does_not_fit_alone_is_answered_with_what_to_do():
    found = ElasticBatches(Memory(0).run, 4).run(images(2))

    assert [type(one) for one in found] == [OutOfMemoryError] * 2
    assert str(found[0]).startswith("1 image does not fit into the memory of cuda:0.")
    assert "--precision fp16" in found[0].remedy


def test_no_batch_is_larger_than_what_pays():
    memory = Memory(100)
    ElasticBatches(memory.run, 4).run(images(10))
    assert memory.tried == [4, 4, 2]
