"""Warm-up: a model is tuned, tried, and its best batch found before it is announced."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from picsellia_jupyter.serving import pixels
from picsellia_jupyter.serving.manifest import InputSpec
from picsellia_jupyter.serving.pixels import Photo
from picsellia_jupyter.serving.runtimes import Runtime
from picsellia_jupyter.serving.runtimes.closeness import TOLERANCE, deviation
from picsellia_jupyter.serving.signature import Outputs

LARGEST_BATCH = 64
BUDGET_S = 3.0
"""Seconds that finding the batch takes at most, unless one run takes longer."""
GAIN = 0.05
"""A larger batch must take at least this part less time for each image."""
_WORTH_S = 0.0002
"""Seconds of each image that batches must save in all: gathering them costs as much."""
_COMPARED = 4
"""Images whose outputs alone and in a batch are compared."""
_RUNS = 3
"""The fastest of so many counts: others use the machine too."""

Run = Callable[[NDArray[np.float32]], Sequence[Outputs]]


def warm(runtime: Runtime, spec: InputSpec) -> int:
    """Tune a model to its input, and find the largest batch that pays.

    Raises:
        ModelLoadError: the model fails on an image of that size.
    """
    images = made_up(spec, _COMPARED)
    runtime.tune(images[:1])
    fixed = runtime.signature.batch if runtime.signature else None
    if spec.resize == "none":  # photos of several sizes make no batch
        fixed = 1
    return fixed or best_batch(runtime.run, images)


def made_up(spec: InputSpec, count: int) -> NDArray[np.float32]:
    """Inputs made of noise, each of another brightness: (N, C, H, W)."""
    random = np.random.default_rng(7)
    levels = np.linspace(60, 190, count)[:, None, None, None]
    noise = random.normal(levels, 40, (count, spec.height, spec.width, 3))
    photos = [Image.fromarray(one) for one in np.clip(noise, 0, 255).astype(np.uint8)]
    return np.concatenate([pixels.to_input(Photo.of(each), spec)[0] for each in photos])


def best_batch(
    run: Run, images: NDArray[np.float32], *, clock: Callable[[], float] = time.perf_counter
) -> int:
    """The largest batch at which the time for each image still falls.

    A batch in which an image's outputs are others than alone is none that can be served.

    Args:
        run: outputs of every image of a batch.
        images: a few different ones, (N, C, H, W).
        clock: seconds, monotonic.
    """
    began, best = clock(), 1
    alone_s = fastest = _time(run, images[:1], clock)
    alone = [run(image[None])[0] for image in images]
    for size in _sizes():
        if clock() - began + fastest * size * (_RUNS + 1) > BUDGET_S:
            break
        each = _time_each(run, np.resize(images, (size, *images.shape[1:])), alone, clock)
        if each > fastest * (1 - GAIN):
            break
        best, fastest = size, each
    return best if alone_s - fastest >= _WORTH_S else 1


def _sizes() -> Iterator[int]:
    size = 2
    while size <= LARGEST_BATCH:
        yield size
        size *= 2


def _time_each(
    run: Run, batch: NDArray[np.float32], alone: Sequence[Outputs], clock: Callable[[], float]
) -> float:
    """Seconds for each image of a batch; infinite where the model does not take it as it should."""
    try:
        if not _as_alone(run(batch), alone):
            return math.inf
        return _time(run, batch, clock) / len(batch)
    except Exception:  # noqa: BLE001 - a model that takes no such batch is served with smaller ones
        return math.inf


def _time(run: Run, batch: NDArray[np.float32], clock: Callable[[], float]) -> float:
    """Seconds of the fastest of a few runs; of fewer where they take long."""
    times: list[float] = []
    while len(times) < _RUNS and sum(times) < BUDGET_S / 10:
        began = clock()
        run(batch)
        times.append(clock() - began)
    return min(times)


def _as_alone(found: Sequence[Outputs], alone: Sequence[Outputs]) -> bool:
    """Whether every image's outputs in a batch are those that it has alone."""
    wanted = (alone[index % len(alone)] for index in range(len(found)))
    return all(deviation(got, want) <= TOLERANCE for got, want in zip(found, wanted, strict=True))
