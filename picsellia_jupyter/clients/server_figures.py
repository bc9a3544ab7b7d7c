"""The statistics that a platform computes itself, asked for through the SDK."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.cloud_figures import Told
from picsellia_jupyter.domain.errors import (
    PicselliaJupyterError,
    PlatformError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.wire import resources
from picsellia_jupyter.wire.cloud_figures import told_from_json


class ServerFigures(SdkConnection):
    """What `get_stats` of the SDK says."""

    def _sdk_deployment(self, deployment_id: str) -> Any:
        raise NotImplementedError

    @sdk.translated
    def prediction_log(
        self, deployment_id: str, *, since: float | None = None, until: float | None = None
    ) -> PredictionLog:
        """Champion predictions in [since, until], seconds since the epoch, UTC.

        Raises:
            PlatformError: they are told in a form that is not known.
        """
        stats = self._sdk_deployment(deployment_id).get_stats(
            sdk.predictions_data(), from_timestamp=since, to_timestamp=until
        )
        return resources.log_from_json(stats)

    def server_figures(
        self,
        deployment_id: str,
        *,
        since: float | None = None,
        until: float | None = None,
        tags: Sequence[str] = (),
    ) -> tuple[Told, ...]:
        """What the platform itself has computed of a deployment, service by service.

        One that is refused says why, and the others are asked all the same.

        Args:
            deployment_id: whose.
            since: seconds since the epoch, UTC; None begins with the first prediction.
            until: likewise; None ends now.
            tags: only predictions that were sent with one of these.

        Raises:
            PlatformUnreachableError: its monitoring service does not answer.
        """
        asked = {"from_timestamp": since, "to_timestamp": until, "tags": list(tags) or None}
        told = []
        for service in sdk.aggregated_services():
            try:
                told.append(self._told(deployment_id, service, asked))
            except PlatformUnreachableError:
                raise
            except PicselliaJupyterError as error:
                told.append(Told(service.name, trouble=error.fact))
        return tuple(told)

    @sdk.translated
    def _told(self, deployment_id: str, service: Any, asked: dict[str, Any]) -> Told:
        try:
            reply = self._sdk_deployment(deployment_id).get_stats(service, **asked)
        except json.JSONDecodeError as error:
            raise PlatformError("Its reply is no JSON.", "Look at its page.") from error
        return told_from_json(service.name, reply)
