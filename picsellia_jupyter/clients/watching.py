"""What a local platform noted of its deployments; a cloud has no API for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.deployments import DeploymentRecord


class Watching(SdkConnection):
    """Alerts that have fired."""

    def __init__(self, sdk_client: Any, host: str, ping: Mapping[str, Any]) -> None:
        super().__init__(sdk_client, host, ping)
        self._fired: dict[str, tuple[int, int]] = {}

    @sdk.translated
    def fired_alerts(self, record: DeploymentRecord) -> int | None:
        """How often a deployment's alerts have fired; None on a cloud.

        Predictions fire them, so the platform is asked again only where some have come since.
        """
        if not self.is_local:
            return None
        inferences, fired = self._fired.get(record.id, (-1, 0))
        if record.inferences is not None and inferences != record.inferences:
            path = f"/api/local/deployments/{record.id}/alerts/fired"
            fired = int(self._get(path, {"limit": "1"})["count"] or 0)
            self._fired[record.id] = (record.inferences, fired)
        return fired
