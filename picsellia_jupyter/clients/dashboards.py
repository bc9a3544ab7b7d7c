"""Dashboards that the local platform computes beside its data."""

from __future__ import annotations

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.monitoring import Dashboard
from picsellia_jupyter.wire.dashboards import dashboard_from_json


class Dashboards(SdkConnection):
    """The figures of an organization's deployments; on the local platform alone."""

    @sdk.translated
    def dashboard(self, deployment_id: str, *, since: float | None) -> Dashboard:
        """A deployment's dashboard until now.

        Args:
            deployment_id: whose.
            since: seconds since the epoch, UTC; None begins with the first prediction.

        Raises:
            PlatformError: this is the cloud, which draws its own.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} draws its dashboards itself; its API gives no figures to draw.",
                f"Open {self.pages.deployment(deployment_id)}",
            )
        path = f"/api/local/deployments/{deployment_id}/dashboard"
        return dashboard_from_json(
            self._get(path, {} if since is None else {"from_timestamp": str(since)})
        )
