"""A loaded model with its input and output conventions: photo in, prediction out."""

from __future__ import annotations

import time

from typing_extensions import Self

from picsellia_jupyter.serving import manifest, pixels, runtimes
from picsellia_jupyter.serving.heads import Head, head_of
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.messages import LoadRequest, WorkerReply
from picsellia_jupyter.serving.runtimes import Runtime


class Engine:
    """Predicts on one image at a time."""

    def __init__(self, runtime: Runtime, conventions: Manifest, head: Head) -> None:
        self._runtime = runtime
        self._input = conventions.input
        self._head = head

    @classmethod
    def load(cls, request: LoadRequest) -> Self:
        """Load a model and its serving.json.

        Raises:
            ModelLoadError: one of them cannot be used, or they contradict each other.
        """
        said = manifest.read(request.manifest)
        runtime = runtimes.load(request.model)
        conventions = manifest.parse(said, request.kind, runtime.input_shape)
        return cls(runtime, conventions, head_of(conventions))

    @property
    def title(self) -> str:
        """What runs the model, in words."""
        return self._runtime.title

    def predict(self, image: bytes, name: str, *, record: bool) -> WorkerReply:
        """Everything the model finds in an encoded image.

        Args:
            image: JPEG, PNG, WEBP, BMP or TIFF.
            name: what to call it in an error.
            record: whether a PNG is wanted where the platform cannot store the image.

        Raises:
            InvalidImageError: it is no image, or one that cannot be predicted on.
            InvalidPredictionError: the model's outputs do not fit its head.
        """
        began = time.perf_counter()
        photo = pixels.decode(image, name)
        batch, placement = pixels.to_input(photo, self._input)
        found = self._head(self._runtime.run(batch), placement)
        latency = time.perf_counter() - began
        png = pixels.as_png(photo) if record and photo.content_type is None else None
        return WorkerReply(found, photo.size, latency, photo.content_type or "image/png", png)
