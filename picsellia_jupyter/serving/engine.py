"""A loaded model with its input and output conventions: photos in, predictions out."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.predictions import ImageSize, Prediction
from picsellia_jupyter.serving import (
    class_counts,
    conventions,
    manifest,
    pixels,
    runtimes,
    warming,
)
from picsellia_jupyter.serving.decoding import DecodingLimit
from picsellia_jupyter.serving.elastic import ElasticBatches
from picsellia_jupyter.serving.heads import Head, head_of
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.messages import LoadRequest, WorkerReply
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.resampling import Torch
from picsellia_jupyter.serving.runtimes import Runtime, options
from picsellia_jupyter.serving.runtimes.memory import OutOfMemoryError
from picsellia_jupyter.serving.signature import LoadedModel, Outputs
from picsellia_jupyter.serving.tensors import Tensors


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One photo, ready for the model."""

    input: NDArray[np.float32]
    """(1, C, H, W)."""
    placement: Placement
    size: ImageSize
    """Of the upright photo."""
    content_type: str
    """`image/jpeg` or `image/png`: of `png`, or of the image that was sent."""
    png: bytes | None
    """The photo as PNG, where it is to be recorded and cannot be as it was sent."""


class Engine:
    """Prepares photos in any thread, and predicts on batches of them in one."""

    def __init__(
        self, runtime: Runtime, settled: Manifest, head: Head, *, largest_batch: int = 1
    ) -> None:
        self._runtime = runtime
        self._settled = settled
        self._input = settled.input
        self._head = head
        self._batches = ElasticBatches(runtime.run, largest_batch, _log)
        self._torch = Torch()
        self._decoding = DecodingLimit()

    @classmethod
    def load(cls, request: LoadRequest) -> Self:
        """Load a model and its serving.json.

        Raises:
            ModelLoadError: one of them cannot be used, or they contradict each other, or the
                device is not there.
        """
        how, said = options.split(
            manifest.read(request.manifest), device=request.device, precision=request.precision
        )
        runtime = runtimes.load(request.model, how)
        settled = conventions.settle(said, request.kind, request.labels, runtime)
        batch = warming.warm(runtime, settled.input)
        return cls(runtime, settled, head_of(settled), largest_batch=batch)

    @property
    def loaded(self) -> LoadedModel:
        """What there is to know of the model."""
        runtime, settled = self._runtime, self._settled
        return LoadedModel(
            runtime.title,
            runtime.device,
            runtime.precision,
            head=settled.head,
            notes=settled.notes,
            labels=class_counts.labels_of(settled, runtime.outputs),
            inputs=runtime.inputs,
            outputs=runtime.outputs,
            batch=self._batches.largest,
            memory_bytes=runtime.memory_bytes(),
        )

    @property
    def largest_batch(self) -> int:
        """Images that go into a batch at most; fewer once a batch did not fit into memory."""
        return self._batches.largest

    def prepare(self, image: bytes, name: str, *, record: bool) -> Prepared:
        """Decode a photo and make the model's input of it. Thread-safe.

        Args:
            image: JPEG, PNG, WEBP, BMP or TIFF.
            name: what to call it in an error.
            record: whether a PNG is wanted where the platform cannot store the image.

        Raises:
            InvalidImageError: it is no image, or one that cannot be predicted on.
        """
        with self._decoding.photo() as claim:
            photo = pixels.decode(image, name, self._input, claim)
            tensor, placement = pixels.to_input(photo, self._input, self._torch)
            png = pixels.as_png(photo) if record and photo.content_type is None else None
        return Prepared(tensor, placement, photo.size, photo.content_type or "image/png", png)

    def run(self, batch: Sequence[Prepared]) -> list[Prediction | PicselliaJupyterError]:
        """What the model finds in every photo of a batch, or why that cannot be read.

        Outputs that do not fit the head fail their own image alone. Where a batch does not fit
        into the device's memory, it and all later ones are halved.
        """
        outputs = self._batches.run([prepared.input for prepared in batch])
        return [self._read(each, p) for each, p in zip(outputs, batch, strict=True)]

    def predict(self, image: bytes, name: str, *, record: bool) -> WorkerReply:
        """Everything the model finds in one encoded image.

        Raises:
            InvalidImageError: it is no image, or one that cannot be predicted on.
            InvalidPredictionError: the model's outputs do not fit its head.
        """
        began = time.perf_counter()
        prepared = self.prepare(image, name, record=record)
        (found,) = self.run([prepared])
        if isinstance(found, PicselliaJupyterError):
            raise found
        latency = time.perf_counter() - began
        return WorkerReply(found, prepared.size, latency, prepared.content_type, prepared.png)

    def infer(self, tensors: Tensors) -> Tensors:
        """The model's own outputs for its own inputs, nothing converted.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """
        return self._runtime.infer(tensors)

    def _read(
        self, outputs: Outputs | OutOfMemoryError, prepared: Prepared
    ) -> Prediction | PicselliaJupyterError:
        if isinstance(outputs, OutOfMemoryError):
            return outputs
        try:
            return self._head(outputs, prepared.placement)
        except PicselliaJupyterError as error:
            return error


def _log(line: str) -> None:
    """Write to the worker's log."""
    sys.stderr.write(f"{line}\n")
