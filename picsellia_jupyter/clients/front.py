"""The control side of a serving kernel's front, and what its refusals say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import httpx

from picsellia_jupyter.domain.counting import count
from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    InvalidImageError,
    NotServingError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.resources import error_from_json

STOP_TIMEOUT_S = 150.0
"""A kernel that stops first records what it has."""
_LATER = "kept, and recorded when the deployment is served there again"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Predictions that a serving kernel has made and the platform has not."""

    pending: int = 0
    """Still on their way."""
    failed: int = 0
    """That the platform would not take; the kernel has set them aside on disk."""
    trouble: str = ""
    """Why, in words."""
    kept: int = 0
    """On the disk of a kernel that has ended; recorded when the deployment is served again."""

    def in_words(self) -> str:
        """What is not recorded; empty where everything is."""
        parts = []
        if self.pending:
            one, more = "prediction is still on its way", "predictions are still on their way"
            parts.append(count(self.pending, one, more))
        if self.kept:
            parts.append(f"{count(self.kept, 'prediction is', 'predictions are')} {_LATER}")
        if self.failed:
            parts.append(f"{count(self.failed, 'prediction')} could not be recorded")
        why = f": {self.trouble}" if parts and self.trouble else ""
        return f"{' and '.join(parts)}{why}." if parts else ""


class Front:
    """The control side of a serving kernel: what its owner may ask of it."""

    def __init__(self, address: str, front_token: str, *, timeout_s: float = 10.0) -> None:
        self.address = address
        # Loopback is never reached through a proxy, whatever the environment says.
        self._http = httpx.Client(
            base_url=address,
            headers={"Authorization": f"Bearer {front_token}"},
            timeout=timeout_s,
            trust_env=False,
        )

    def status(self) -> Json:
        """State, stage, dry run, error and last log lines, as it is now."""
        return self._json(self._http.get("/control/status"))

    def attach(self, deployment_id: str) -> None:
        """Have it serve this deployment and report for it."""
        self._post("/control/attach", {"deployment_id": deployment_id})

    def stop(self) -> Backlog:
        """Let it answer what is in flight and record what is queued, then end.

        Returns:
            What could not be recorded.
        """
        return left(self._post("/control/stop", {}, timeout_s=STOP_TIMEOUT_S))

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def _post(self, path: str, body: Json, *, timeout_s: float = 30.0) -> Json:
        try:
            return self._json(self._http.post(path, json=body, timeout=timeout_s))
        except httpx.TransportError as error:
            raise NotServingError(
                f"The serving kernel at {self.address} does not answer ({type(error).__name__}).",
                "See its state with %deployments.",
            ) from error

    def _json(self, response: httpx.Response) -> Json:
        if response.is_error:
            raise refusal(response)
        return cast("Json", response.json())


def left(said: Json) -> Backlog:
    """What a stopped kernel says it could not record."""
    failed, kept = int(said.get("failed") or 0), int(said.get("kept") or 0)
    return Backlog(0, failed, str(said.get("trouble") or ""), kept)


def refusal(response: httpx.Response) -> PicselliaJupyterError:
    """Why a serving kernel refuses, as it says it."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return ServingError(
            f"The serving kernel answered HTTP {response.status_code}.",
            "Its log tells more: Session().log(NAME)",
        )
    if "error" in body:
        return error_from_json(body)
    fact, remedy = str(body.get("message") or "No message."), str(body.get("detail") or "")
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return AuthenticationError(fact, remedy)
    if response.status_code in (400, 413, 415, 422):
        return InvalidImageError(fact, remedy)
    return NotServingError(fact, remedy)
