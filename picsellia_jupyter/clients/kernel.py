"""What a serving kernel asks of the platform, and tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.deployments import Heartbeat
from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidImageError,
    InvalidInputError,
    NotFoundError,
    PlatformError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.wire import resources

CLOUD_INTERVAL_S = 30.0
"""How often a serving kernel asks the cloud for what was changed there."""
_FETCH_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class HeartbeatReply:
    """What the platform answers to a heartbeat."""

    threshold: float | None
    """The deployment's threshold now; it may have been changed in its settings."""
    interval_s: float
    """Seconds until it expects the next one."""
    shadow_version_id: str | None = None
    """The model version that is to predict in the champion's shadow."""
    paused: str = ""
    """Why it must not predict now; empty where it may."""
    champion_version_id: str | None = None
    """The model version that is to predict; None where the platform does not say."""


class KernelClient(PlatformClient):
    """A serving kernel's connection to the platform. Not thread-safe."""

    @sdk.translated
    def heartbeat(self, deployment_id: str, beat: Heartbeat) -> HeartbeatReply:
        """Tell the local platform how a deployment's serving kernel is.

        The cloud takes no heartbeats; there it is asked for the deployment alone.

        Raises:
            NotFoundError: the deployment is gone; its kernel should end.
            QuotaSpentError: no MPU is left for a kernel that begins.
        """
        if self.is_local:
            path = f"/api/local/deployments/{deployment_id}/heartbeat"
            said = self._send("post", path, resources.heartbeat_to_json(beat))
            interval_s = float(said.get("interval_s") or 2.0)
        else:
            said = self._get(f"/api/deployment/{deployment_id}")
            interval_s = CLOUD_INTERVAL_S
        champion, shadow = said.get("model_version_id"), said.get("shadow_model_version_id")
        return HeartbeatReply(
            said.get("min_threshold"),
            interval_s,
            str(shadow) if shadow else None,
            str(said.get("paused") or ""),
            str(champion) if champion else None,
        )

    @sdk.translated
    def monitor(self, deployment_id: str, record: Record, *, again: bool = False) -> str:
        """Record a prediction with its image in the deployment.

        The local platform stores each `prediction_id` once. The cloud knows no ids of ours:
        there, what may have been sent already is first looked for, and so is what it says it has.

        Args:
            deployment_id: where it is recorded.
            record: the prediction, its image, and what is recorded beside them.
            again: it may have been sent before, and its reply be lost.

        Returns:
            The platform's own id of the prediction.

        Raises:
            ConflictError: the platform has this prediction already.
            InvalidInputError: the platform says that it is no prediction.
            NotFoundError: the deployment is gone.
            PlatformError: it may go well later.
        """
        predicted = record.predicted
        if again and (known := self._known(deployment_id, predicted)):
            return known
        name = Path(predicted.source).name
        image = record.stored_as or (name, record.image)
        try:
            return self._recorded(deployment_id, image, self._said(record))
        except ConflictError as error:
            if self.is_local:
                raise
            return self._known(deployment_id, predicted) or self._denied(deployment_id, error)

    def _said(self, record: Record) -> dict[str, Any]:
        """Everything but the image, as the SDK takes it."""
        predicted, custom = record.predicted, dict(record.custom_metadata or {})
        if predicted.prediction_id:
            custom[resources.PREDICTION_ID_KEY] = predicted.prediction_id
        if self.is_local and predicted.model_version_id:
            custom[resources.MODEL_VERSION_KEY] = predicted.model_version_id
        return {
            "content_type": record.content_type,
            "latency": float(predicted.latency_s),
            "height": predicted.size.height,
            "width": predicted.size.width,
            "prediction": sdk.prediction_format(predicted),
            "source": record.source,
            "tags": list(record.tags) or None,
            "timestamp": record.at,
            "metadata": dict(record.metadata) if record.metadata else None,
            "custom_metadata": custom or None,
        }

    @sdk.translated
    def _recorded(
        self, deployment_id: str, image: str | tuple[str, bytes], said: Mapping[str, Any]
    ) -> str:
        """Record an image by its object name, or with its own name and bytes."""
        deployment = self._sdk_deployment(deployment_id)
        try:
            if isinstance(image, str):
                return str(deployment.monitor_cloud_image(image, **said)["id"])
            name, photo = image
            return str(deployment.monitor_bytes(raw_image=photo, filename=name, **said)["id"])
        except (KeyError, TypeError) as error:
            # The SDK looks for `message` in a 409, and we for `id`; without it nothing is certain.
            raise PlatformUnreachableError(
                f"What answered is not the platform: its reply has no {error}.",
                "Check its address, and any proxy on the way.",
            ) from error

    def _known(self, deployment_id: str, predicted: PredictedImage) -> str | None:
        """The cloud's id of a prediction that it has recorded."""
        if self.is_local or predicted.prediction_id is None:
            return None
        found = self.recorded_as(deployment_id, predicted.prediction_id)
        return found[0] if found else None

    def _denied(self, deployment_id: str, why: ConflictError) -> NoReturn:
        raise InvalidInputError(
            f"{self.host} says that it has this prediction, and does not show it: {why.fact}",
            f"Compare with its page: {self.pages.deployment(deployment_id)}",
        ) from why

    @sdk.translated
    def monitor_shadow(
        self, deployment_id: str, prediction_id: str, predicted: PredictedImage
    ) -> None:
        """Record what the shadow model found in an image, beside the champion's prediction.

        Raises:
            NotFoundError: the champion's prediction is not recorded.
            ConflictError: the shadow's is recorded already.
        """
        deployment = self._sdk_deployment(deployment_id)
        latency, found = float(predicted.latency_s), sdk.prediction_format(predicted)
        if self.is_local and predicted.model_version_id:
            # The shadow may have changed since; the SDK has no word for whose prediction it is.
            sdk.monitor_shadow_of(
                deployment, prediction_id, latency, found, predicted.model_version_id
            )
        else:
            deployment.monitor_shadow_from_oracle_prediction_id(prediction_id, latency, found)

    @sdk.translated
    def stored_image(
        self, deployment_id: str, connector_id: str, object_name: str, *, at_most: int
    ) -> bytes:
        """Fetch an image from the storage of a deployment's target datalake.

        The platform says where it is; nobody else's address is ever asked.

        Raises:
            InvalidInputError: another storage is named.
            NotFoundError: nothing is stored there under this name.
            InvalidImageError: it has more than `at_most` bytes.
        """
        own = str(self._get(f"/api/deployment/{deployment_id}/datalake/connector")["id"])
        if connector_id != own:
            raise InvalidInputError(
                f"cloud_image.connector_id is {connector_id!r}, which is not that of the "
                "deployment's target datalake.",
                f"Upload the image to the target datalake; its connector is {own}.",
            )
        url = self._sdk.connection.init_download(object_name, UUID(own))
        relay = self._relay if urlsplit(url).netloc == urlsplit(self.host).netloc else None
        return _fetch(url, object_name, at_most, relay)


def _fetch(url: str, name: str, at_most: int, relay: str | None) -> bytes:
    """What is at an address that the platform has signed."""
    remote = urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1")
    whole = bytearray()
    try:
        with (
            httpx.Client(trust_env=remote, timeout=_FETCH_TIMEOUT_S, proxy=relay) as http,
            http.stream("GET", url) as reply,
        ):
            _check(reply, name)
            for chunk in reply.iter_bytes():
                whole += chunk
                if len(whole) > at_most:
                    raise InvalidImageError(
                        f"{name} has more than {at_most / 2**20:.0f} MiB.", "Resize it first."
                    )
    except httpx.TransportError as error:
        raise PlatformUnreachableError(
            f"The storage of {name} does not answer ({type(error).__name__}).", "Try again soon."
        ) from error
    return bytes(whole)


def _check(reply: httpx.Response, name: str) -> None:
    if reply.status_code == httpx.codes.NOT_FOUND:
        raise NotFoundError(f"Nothing is stored as {name}.", "Upload it first.")
    if reply.status_code != httpx.codes.OK:
        raise PlatformError(
            f"The storage of {name} answered HTTP {reply.status_code}.", "Try again soon."
        )
