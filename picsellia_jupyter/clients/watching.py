"""What a local platform noted of its deployments; a cloud has no API for it."""

from __future__ import annotations

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.news import News
from picsellia_jupyter.wire.news import news_from_json


class Watching(SdkConnection):
    """Alerts that have fired, and what goes on."""

    @sdk.translated
    def fired_alerts(self, record: DeploymentRecord) -> int | None:
        """How often a deployment's alerts have fired; None on a cloud."""
        if not self.is_local:
            return None
        path = f"/api/local/deployments/{record.id}/alerts/fired"
        return int(self._get(path, {"limit": "1"})["count"] or 0)

    @sdk.translated
    def news(self) -> News | None:
        """What goes on in all deployments; None where nobody tells, as on a cloud."""
        if "news" not in self.capabilities:
            return None
        return news_from_json(self._get("/api/local/news"))
