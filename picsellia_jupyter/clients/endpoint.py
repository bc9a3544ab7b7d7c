"""The front of a serving kernel, over HTTP."""

from __future__ import annotations

import contextlib
import itertools
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx

from picsellia_jupyter.clients.batches import IDEMPOTENCY_KEY, BatchRequest, Image, Outcome
from picsellia_jupyter.clients.front import STOP_TIMEOUT_S, Backlog, left, refusal
from picsellia_jupyter.domain.errors import (
    NotServingError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.domain.secret_text import Secret
from picsellia_jupyter.wire.resources import reply_from_json, running_from_json

PREDICT_TIMEOUT_S = 90.0
BATCH = 32
"""Images in one request."""
BATCHES_IN_FLIGHT = 2
"""While one is answered, the next is sent."""
BUSY = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
_LOOK_TIMEOUT_S = 3.0
PATIENCE_S = 30.0
"""How long a busy kernel, or one whose worker is being restarted, is asked again."""
_DROPPED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_DROP_PAUSES_S = (0.1, 0.4, 1.0)
"""Between the tries of a request whose connection broke off; its key has it recorded once."""
_RESUME_S = 5.0


class Endpoint:
    """The predicting side of a serving kernel, for one deployment. Thread-safe."""

    def __init__(self, address: str, api_token: str, deployment_id: str) -> None:
        self.address = address
        self._credentials = {"api_token": Secret(api_token), "deployment_id": deployment_id}
        self._deployment_id = deployment_id
        self._jwt: str | None = None
        self._takes_batches = True
        self._http = httpx.Client(base_url=address, timeout=PREDICT_TIMEOUT_S, trust_env=False)

    def predict(
        self, image: bytes, filename: str, *, monitor: bool = True, tags: Sequence[str] = ()
    ) -> PredictedImage:
        """Everything the model finds in one encoded image, unfiltered.

        Args:
            image: an encoded image: JPEG, PNG, WEBP, BMP or TIFF.
            filename: the name it is recorded under.
            monitor: record the prediction and the image in the deployment.
            tags: names of tags for the recorded image.

        Raises:
            InvalidImageError: the bytes are no image that can be predicted on.
            NotServingError: nobody answers there.
        """
        response = self._send(
            "POST",
            f"/api/deployments/{self._deployment_id}/predict",
            files={"media": (filename, image)},
            data={"monitor": str(monitor), "postprocess": "False", "tags": list(tags)},
            key=str(uuid.uuid4()),
        )
        return reply_from_json(response.json(), source=filename)

    def predict_shadow(
        self, prediction_id: str, connector_id: str, object_name: str
    ) -> PredictedImage:
        """Have the shadow model predict on an image of the target datalake, and record that.

        Args:
            prediction_id: of the champion's prediction.
            connector_id: of the storage that the image is in.
            object_name: of the image there.

        Raises:
            ConflictError: the shadow's prediction is recorded already.
            InvalidInputError: there is no shadow model.
            NotServingError: it is not ready, or nobody answers.
        """
        body = {
            "prediction_id": prediction_id,
            "monitor": True,
            "cloud_image": {"connector_id": connector_id, "object_name": object_name},
        }
        path = f"/api/v2/deployments/{self._deployment_id}/predict/shadow"
        response = self._send("POST", path, json=body, key=str(uuid.uuid4()))
        return reply_from_json(response.json(), source=object_name)

    def predict_many(
        self, images: Sequence[Image], *, monitor: bool = True, tags: Sequence[str] = ()
    ) -> list[Outcome]:
        """Predict on many images; all outcomes of `predict_each` at once."""
        return list(self.predict_each(images, monitor=monitor, tags=tags))

    def predict_each(
        self, images: Iterable[Image], *, monitor: bool = True, tags: Sequence[str] = ()
    ) -> Iterator[Outcome]:
        """Predict on many images, some dozen in a request and a few requests at once.

        Never holds more than the outcomes of three requests; one who stops to ask waits for
        those that are in flight.

        Args:
            images: file names, and what reads each image when it is its turn.
            monitor: record the predictions and the images in the deployment.
            tags: names of tags for the recorded images.

        Yields:
            In their order, what was found in each, unfiltered, or why that failed.
        """
        left = iter(images)
        waiting: deque[Future[list[Outcome]]] = deque()
        with ThreadPoolExecutor(BATCHES_IN_FLIGHT, thread_name_prefix="predict") as pool:
            try:
                while few := list(itertools.islice(left, BATCH)):
                    waiting.append(pool.submit(self._predict_few, few, monitor, tags))
                    if len(waiting) > BATCHES_IN_FLIGHT:
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _predict_few(
        self, images: Sequence[Image], monitor: bool, tags: Sequence[str]
    ) -> list[Outcome]:
        try:
            if self._takes_batches and len(images) > 1:
                outcomes = self._send_batch(images, monitor, tags)
                if outcomes is not None:
                    return outcomes
            self._takes_batches = self._takes_batches and len(images) == 1
        except PicselliaJupyterError as error:
            return [error] * len(images)
        return [self._predict_one(image, monitor, tags) for image in images]

    def _predict_one(self, image: Image, monitor: bool, tags: Sequence[str]) -> Outcome:
        filename, read = image
        try:
            return self.predict(read(), filename, monitor=monitor, tags=tags)
        except PicselliaJupyterError as error:
            return error

    def _send_batch(
        self, images: Sequence[Image], monitor: bool, tags: Sequence[str]
    ) -> list[Outcome] | None:
        """What came of each image; None where the kernel takes no batches.

        Where the answer breaks off the whole is sent again, and recorded once.
        """
        key, patience_s = str(uuid.uuid4()), PATIENCE_S
        known: list[Outcome] | None = None
        for pause_s in (*_DROP_PAUSES_S, None):
            request = BatchRequest(images, monitor=monitor, tags=tags, key=key)
            try:
                known = self._answered(request, patience_s)
            except _DroppedError as error:
                if pause_s is None:
                    raise self._silent() from error
            except PicselliaJupyterError:
                if known is None:
                    raise
                return known
            if known is None or request.is_whole or pause_s is None:
                return known
            time.sleep(pause_s)
            patience_s = _RESUME_S
        return known

    def _answered(self, request: BatchRequest, patience_s: float) -> list[Outcome] | None:
        """What came of each image of a request; None where the kernel takes no batches."""
        until = time.monotonic() + patience_s
        logged_in = self._jwt is None
        while True:
            with self._streamed(request) as response:
                if response.status_code == httpx.codes.OK:
                    return request.outcomes(response.iter_lines())
                response.read()
            if response.status_code == httpx.codes.UNAUTHORIZED and not logged_in:
                self._jwt, logged_in = None, True
            elif response.status_code in BUSY and time.monotonic() < until:
                time.sleep(_pause_s(response))
            elif _is_unknown_route(response):
                return None
            else:
                raise refusal(response)

    @contextlib.contextmanager
    def _streamed(self, request: BatchRequest) -> Iterator[httpx.Response]:
        path = f"/api/deployments/{self._deployment_id}/predict/batch"
        try:
            if self._jwt is None and (busy := self._enter()) is not None:
                yield busy
                return
            headers = {**self._headers, **request.headers}
            with self._http.stream("POST", path, content=request.body(), headers=headers) as answer:
                yield answer
        except _DROPPED as error:
            raise _DroppedError(str(self._silent())) from error
        except httpx.TransportError as error:
            raise self._silent() from error

    def flush(self, timeout_s: float) -> Backlog:
        """Wait until every queued prediction is recorded; what is not."""
        path = f"/api/deployments/{self._deployment_id}/flush"
        said = self._send("POST", path, json={"timeout_s": timeout_s}).json()
        trouble = str(said.get("trouble") or "")
        return Backlog(int(said["pending"]), int(said.get("failed") or 0), trouble)

    def stop(self) -> Backlog:
        """Have the kernel answer what is in flight, record what is queued, and end.

        Returns:
            What could not be recorded.
        """
        path = f"/api/deployments/{self._deployment_id}/stop"
        return left(self._send("POST", path, json={}, timeout=STOP_TIMEOUT_S).json())

    def running(self) -> Running | None:
        """What it says of the model that it runs; None where it does not say."""
        path = f"/api/deployments/{self._deployment_id}/running"
        try:
            response = self._try("GET", path, {}, {"timeout": _LOOK_TIMEOUT_S})
        except (httpx.TransportError, PicselliaJupyterError):
            return None
        return running_from_json(response.json()) if response.is_success else None

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _send(self, method: str, path: str, *, key: str = "", **body: Any) -> httpx.Response:
        """Ask, and again while the kernel is busy; with a key also where the connection breaks."""
        pauses_s = iter(_DROP_PAUSES_S if key else ())
        deadline = time.monotonic() + PATIENCE_S
        headers = {IDEMPOTENCY_KEY: key} if key else {}
        while True:
            try:
                response = self._try(method, path, headers, body)
            except _DROPPED as error:
                pause_s = next(pauses_s, None)
                if pause_s is None:
                    raise self._silent() from error
            except httpx.TransportError as error:
                raise self._silent() from error
            else:
                if response.status_code not in BUSY or time.monotonic() >= deadline:
                    break
                pause_s = _pause_s(response)
            time.sleep(pause_s)
        if response.is_error:
            raise refusal(response)
        return response

    def _silent(self) -> NotServingError:
        return NotServingError(
            f"The serving kernel at {self.address} does not answer.",
            "See its state with %deployments, or start it again with %deploy.",
        )

    def _try(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> httpx.Response:
        for _ in range(2):
            if self._jwt is None and (busy := self._enter()) is not None:
                return busy
            said = {**self._headers, **headers}
            response = self._http.request(method, path, headers=said, **body)
            if response.status_code != httpx.codes.UNAUTHORIZED:
                break
            self._jwt = None
        return response

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._jwt}"}

    def log_in(self) -> str:
        """Get a token for this deployment, and use it from now on.

        Raises:
            AuthenticationError: the platform does not know the API token.
            NotServingError: the kernel serves another deployment, or none.
        """
        busy = self._enter()
        if busy is not None or self._jwt is None:
            raise refusal(busy) if busy is not None else self._silent()
        return self._jwt

    def _enter(self) -> httpx.Response | None:
        """Get a token; the answer of a kernel that has none yet, since it is starting."""
        response = self._http.post("/api/login", json=self._credentials)
        if response.status_code in BUSY:
            return response
        if response.is_error:
            raise refusal(response)
        self._jwt = Secret(response.json()["jwt"])
        return None


class _DroppedError(Exception):
    """The connection broke off before there was an answer."""


def _pause_s(response: httpx.Response) -> float:
    try:
        return min(float(response.headers["retry-after"]), 5.0)
    except (KeyError, ValueError):
        return 0.5


def _is_unknown_route(response: httpx.Response) -> bool:
    """Whether a server has no such route, as against no such deployment."""
    if response.status_code == httpx.codes.METHOD_NOT_ALLOWED:
        return True
    if response.status_code != httpx.codes.NOT_FOUND:
        return False
    try:
        return bool(response.json()["error"] == "HTTPException")
    except (ValueError, KeyError, TypeError):
        return True
