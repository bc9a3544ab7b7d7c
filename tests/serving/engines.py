"""A worker whose model does what a photo tells it: `python -m tests.serving.engines`.

A photo is a text: a word, then a colon and a number where one belongs to it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from dataclasses import replace

import numpy as np

from picsellia_jupyter.domain.errors import (
    InvalidImageError,
    InvalidInputError,
    InvalidPredictionError,
)
from picsellia_jupyter.domain.predictions import Classification, ImageSize
from picsellia_jupyter.serving import worker
from picsellia_jupyter.serving.engine import Prepared
from picsellia_jupyter.serving.signature import LoadedModel, TensorSignature


class Engine:
    """Finds, in every photo, one class: the number of images in its batch."""

    def __init__(self, batch=1, device="cpu"):
        self.loaded = LoadedModel("a test's engine", device=device, batch=batch)
        self.largest_batch = batch

    @classmethod
    def load(cls, request):
        """Do what the model's name tells."""
        word, _, number = request.model.name.partition(":")
        if word == "slow":
            time.sleep(float(number))
        elif word == "exit":
            os._exit(int(number))
        elif word == "tensors":
            return Tensors(int(number))
        elif word == "batches":
            return cls(int(number), "cuda:0")
        return cls()

    def prepare(self, image, name, *, record):
        word, _, _ = image.decode().partition(":")
        if word == "corrupt":
            raise InvalidImageError(f"{name!r} is no image.")
        return Prepared(
            np.zeros((1, 1, 1, 1), np.float32), image.decode(), ImageSize(1, 1), "image/png", None
        )

    def run(self, batch):
        """Do what the photos tell; what a photo does to its batch, it does to all of it."""
        for photo in batch:
            word, _, number = photo.placement.partition(":")
            getattr(self, f"_{word}")(float(number or 0), len(batch))
        return [self._found(photo.placement, len(batch)) for photo in batch]

    def infer(self, tensors):
        return {name: array + 1 for name, array in tensors.items()}

    def _found(self, told, count):
        if told == "unreadable":
            return InvalidPredictionError("The outputs fit no head.")
        return Classification(np.array([count]), np.array([1.0], np.float32))

    def _fine(self, _number, _count):
        pass

    _unreadable = _fine

    def _sleep(self, seconds, _count):
        time.sleep(seconds)

    def _fail(self, _number, _count):
        raise RuntimeError("the model says no")

    def _memory(self, most, count):
        if count > most:
            raise MemoryError

    def _shrink(self, number, _count):
        """From now on there is room for so many only."""
        self.largest_batch = int(number)

    def _spin(self, _number, _count):
        while True:
            pass

    def _hold(self, seconds, _count):
        """Let no other thread run."""
        ctypes.PyDLL(None).usleep(int(seconds * 1e6))

    def _segfault(self, _number, _count):
        ctypes.string_at(0)

    def _kill(self, _number, _count):
        os.kill(os.getpid(), signal.SIGKILL)

    def _garbage(self, _number, _count):
        """Say to the front what is no message."""
        [channel] = (arg for arg in sys.argv if arg.startswith("--channel="))
        os.write(int(channel.partition("=")[2]), b"\xff" * 64)

    def _exit(self, code, _count):
        raise SystemExit(int(code))


class Tensors(Engine):
    """Takes tensors of any number of rows, and tells with how many they were run."""

    def __init__(self, batch):
        super().__init__(batch, "cuda:0")
        sides = [TensorSignature(name, "float32", (None, None)) for name in ("x", "y", "rows")]
        self.loaded = replace(self.loaded, inputs=(sides[0],), outputs=tuple(sides[1:]))

    def infer(self, tensors):
        (array,) = tensors.values()
        time.sleep(0.05)
        if (array < 0).any():
            raise InvalidInputError("A value is negative.")
        return {"y": array + 1, "rows": np.full((len(array), 1), len(array), np.float32)}


if __name__ == "__main__":
    worker.main(Engine.load)
