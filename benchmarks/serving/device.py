"""A worker whose accelerator is simulated: a batch of n takes 8 ms + 0.5 ms x n, and no CPU."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.predictions import Classification, ImageSize, Prediction
from picsellia_jupyter.serving import worker
from picsellia_jupyter.serving.engine import Prepared
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.tensors import Tensors

MODULE = "benchmarks.serving.device"
CALL_S, IMAGE_S, LARGEST = 0.008, 0.0005, 8
_SIZE = ImageSize(1, 1)


def ideal_per_s(clients: int) -> float:
    """Images a second where every batch is as full as it can be."""
    batch = min(clients, LARGEST)
    return batch / (CALL_S + IMAGE_S * batch)


def hold(count: int) -> None:
    """Hold the device for a batch."""
    time.sleep(CALL_S + IMAGE_S * count)


class Device:
    """Plays `engine.Engine`."""

    loaded = LoadedModel("simulated", device="cuda:0", batch=LARGEST)
    largest_batch = LARGEST

    def prepare(self, image: bytes, name: str, *, record: bool) -> Prepared:
        """Nothing is decoded."""
        del image, name, record
        placement = Placement(0, 0, 1, 1, _SIZE, _SIZE)
        nothing = np.zeros((1, 1, 1, 1), np.float32)
        return Prepared(nothing, placement, _SIZE, "image/jpeg", None)

    def run(self, batch: Sequence[Prepared]) -> list[Prediction | PicselliaJupyterError]:
        """Hold the device."""
        hold(len(batch))
        found = Classification(np.zeros(1, np.int64), np.ones(1, np.float32))
        return [found] * len(batch)

    def infer(self, tensors: Tensors) -> Tensors:
        """Its inputs."""
        return tensors


def answer(_photo: Any = None) -> bytes:
    """What a peer says."""
    return json.dumps({"detection_classes": [0], "detection_scores": [1.0]}).encode()


def load(_request: LoadRequest) -> Device:
    """There is nothing to load."""
    return Device()


if __name__ == "__main__":
    worker.main(load)
