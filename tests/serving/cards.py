"""A worker on a card that is made up: `python -m tests.serving.cards`.

The model's file says how many images there is room for; it is read anew for every batch.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from picsellia_jupyter.domain.predictions import Classification, ImageSize
from picsellia_jupyter.serving import worker
from picsellia_jupyter.serving.elastic import ElasticBatches
from picsellia_jupyter.serving.engine import Prepared, _log
from picsellia_jupyter.serving.runtimes.memory import OutOfMemoryError
from picsellia_jupyter.serving.signature import LoadedModel

LARGEST = 16
FOUND = Classification(np.zeros(1, np.int64), np.ones(1, np.float32))


class Card:
    """Plays `engine.Engine`."""

    loaded = LoadedModel("a test's card", device="cuda:0", sandbox="full", batch=LARGEST)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._batches = ElasticBatches(self._run, LARGEST, _log)

    @property
    def largest_batch(self):
        return self._batches.largest

    def prepare(self, image, name, *, record):
        nothing = np.zeros((1, 1, 1, 1), np.float32)
        return Prepared(nothing, image.decode(), ImageSize(1, 1), "image/png", None)

    def run(self, batch):
        found = self._batches.run([one.input for one in batch])
        return [one if isinstance(one, OutOfMemoryError) else FOUND for one in found]

    def infer(self, tensors):
        (images,) = tensors.values()
        self._check(len(images))
        return tensors

    def _run(self, images):
        self._check(len(images))
        time.sleep(0.005)
        return [{"there": np.ones(1)}] * len(images)

    def _check(self, count):
        if count > int(self._path.read_text()):
            raise OutOfMemoryError("cuda:0", count)


if __name__ == "__main__":
    worker.main(lambda request: Card(request.model))
