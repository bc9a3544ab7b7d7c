"""Picsellia Serving as the cloud hosts it, asked as the official SDK asks it.

It takes one image at a time and knows no keys, so nothing that may have been recorded is ever
sent again.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx

from picsellia_jupyter.clients.batches import Image, Outcome
from picsellia_jupyter.clients.endpoint import PREDICT_TIMEOUT_S, Endpoint
from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    InvalidImageError,
    InvalidPredictionError,
    NotServingError,
    PicselliaJupyterError,
    PlatformError,
    QuotaSpentError,
)
from picsellia_jupyter.domain.pages import Pages
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.wire.predictions import Json, from_raw

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BAD_IMAGE = (400, 413, 415, 422)


class HostedEndpoint(Endpoint):
    """The predicting side of a deployment that Picsellia hosts. Thread-safe."""

    def __init__(
        self, address: str, api_token: str, deployment_id: str, kind: InferenceType, pages: Pages
    ) -> None:
        super().__init__(address, api_token, deployment_id)
        self._kind = kind
        self._page = pages.deployment(deployment_id)
        self._usage = pages.usage
        self._takes_batches = False
        if urlsplit(address).hostname not in _LOOPBACK:
            self._http = httpx.Client(base_url=address, timeout=PREDICT_TIMEOUT_S)

    def predict(
        self, image: bytes, filename: str, *, monitor: bool = True, tags: Sequence[str] = ()
    ) -> PredictedImage:
        """What Picsellia finds in one encoded image, over the deployment's threshold or not.

        Raises:
            InvalidImageError: it is no image, or none that Picsellia takes.
            QuotaSpentError: no MPU is left.
            NotServingError: it does not answer.
            PlatformError: the reply is not as a prediction is spelled elsewhere in its API.
        """
        size = _size(image, filename)
        path = f"/api/deployments/{self._deployment_id}/predict"
        form = {"monitor": str(monitor), "postprocess": "False", "tags": list(tags)}
        began = time.monotonic()
        response = self._ask(path, {"files": {"media": (filename, image)}, "data": form})
        took_s = time.monotonic() - began
        return self._read(response.json(), filename, size, took_s)

    def _predict_one(self, image: Image, monitor: bool, tags: Sequence[str]) -> Outcome:
        filename, read = image
        try:
            return self.predict(read(), filename, monitor=monitor, tags=tags)
        except PicselliaJupyterError as error:
            return error

    def _ask(self, path: str, body: Json) -> httpx.Response:
        try:
            response = self._try("POST", path, {}, body)
        except httpx.TransportError as error:
            raise NotServingError(
                f"Picsellia Serving at {self.address} does not answer ({type(error).__name__}).",
                f"An image under way may have been recorded. See {self._page}",
            ) from error
        if response.is_error:
            raise self._refused(response)
        return response

    def _refused(self, response: httpx.Response) -> PicselliaJupyterError:
        fact, status = _message(response), response.status_code
        if status == httpx.codes.PAYMENT_REQUIRED:
            return QuotaSpentError(
                f"{fact} Is the quota spent?",
                f"{self._usage}, or ask who manages the organization. Your own hardware uses no "
                "MPU: --strategy monitoring --on local.",
            )
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return AuthenticationError(fact, "Connect anew: %picsellia connect")
        if status in _BAD_IMAGE:
            return InvalidImageError(fact)
        return NotServingError(
            f"Picsellia Serving did not predict (HTTP {status}): {fact}", f"See {self._page}"
        )

    def _read(self, said: Json, filename: str, size: ImageSize, took_s: float) -> PredictedImage:
        try:
            found = from_raw(self._kind, said)
        except (InvalidPredictionError, AttributeError) as error:
            raise PlatformError(
                f"Picsellia Serving's reply cannot be read as {self._kind.title}: {error}",
                "It is given as it came by: session.sdk.get_deployment(NAME).predict(PATH). "
                f"What was recorded is at {self._page}",
            ) from error
        known = said.get("id")
        return PredictedImage(
            source=filename,
            size=size,
            found=found,
            latency_s=float(said.get("latency") or took_s),
            prediction_id=str(known) if known else None,
        )


def _size(image: bytes, filename: str) -> ImageSize:
    """Of the upright photo: the reply does not say it."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        with Pillow.open(io.BytesIO(image)) as opened:
            return ImageSize(*ImageOps.exif_transpose(opened).size)
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidImageError(
            f"{filename} cannot be read as an image.", "Send a JPEG or PNG."
        ) from error


def _message(response: httpx.Response) -> str:
    try:
        said = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status_code}."
    return said if said.endswith((".", "!", "?")) else f"{said}."
