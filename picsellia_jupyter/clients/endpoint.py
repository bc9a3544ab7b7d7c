"""The front of a serving kernel, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx

from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    InvalidImageError,
    NotServingError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.resources import error_from_json, reply_from_json

PREDICT_TIMEOUT_S = 60.0


class Front:
    """The control side of a serving kernel: what its owner may ask of it."""

    def __init__(self, address: str, front_token: str) -> None:
        self.address = address
        # Loopback is never reached through a proxy, whatever the environment says.
        self._http = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {front_token}"},
            timeout=10.0,
            trust_env=False,
        )

    def status(self) -> Json:
        """State, stage, dry run, error and last log lines, as it is now."""
        return self._json(self._http.get("/control/status"))

    def attach(self, deployment_id: str) -> None:
        """Have it serve this deployment and report for it."""
        self._json(self._http.post("/control/attach", json={"deployment_id": deployment_id}))

    def stop(self) -> None:
        """Let it answer what is in flight and record what is queued, then end."""
        self._json(self._http.post("/control/stop", json={}, timeout=15.0))

    def _json(self, response: httpx.Response) -> Json:
        if response.is_error:
            raise _refusal(response)
        return cast("Json", response.json())


class Endpoint:
    """The predicting side of a serving kernel, for one deployment. Thread-safe."""

    def __init__(self, address: str, api_token: str, deployment_id: str) -> None:
        self.address = address
        self._credentials = {"api_token": api_token, "deployment_id": deployment_id}
        self._deployment_id = deployment_id
        self._jwt: str | None = None
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
        )
        return reply_from_json(response.json(), source=filename)

    def flush(self, timeout_s: float) -> int:
        """Wait until every queued prediction is recorded; how many are still queued."""
        response = self._send(
            "POST", f"/api/deployments/{self._deployment_id}/flush", json={"timeout_s": timeout_s}
        )
        return int(response.json()["pending"])

    def stop(self) -> None:
        """Have the kernel answer what is in flight, record what is queued, and end serving."""
        self._send("POST", f"/api/deployments/{self._deployment_id}/stop", json={})

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _send(self, method: str, path: str, **body: Any) -> httpx.Response:
        try:
            if self._jwt is None:
                self._log_in()
            response = self._http.request(method, path, headers=self._headers, **body)
            if response.status_code == httpx.codes.UNAUTHORIZED:
                self._log_in()
                response = self._http.request(method, path, headers=self._headers, **body)
        except httpx.TransportError as error:
            raise NotServingError(
                f"The serving kernel at {self.address} does not answer.",
                "See its state with %deployments, or start it again with %deploy.",
            ) from error
        if response.is_error:
            raise _refusal(response)
        return response

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._jwt}"}

    def _log_in(self) -> None:
        response = self._http.post("/api/login", json=self._credentials)
        if response.is_error:
            raise _refusal(response)
        self._jwt = str(response.json()["jwt"])


def _refusal(response: httpx.Response) -> PicselliaJupyterError:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return ServingError(f"The serving kernel answered HTTP {response.status_code}.")
    if "error" in body:
        return error_from_json(body)
    fact, remedy = str(body.get("message") or "No message."), str(body.get("detail") or "")
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return AuthenticationError(fact, remedy)
    if response.status_code in (400, 413, 415, 422):
        return InvalidImageError(fact, remedy)
    return NotServingError(fact, remedy)
