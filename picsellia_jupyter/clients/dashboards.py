"""Dashboards that the local platform computes beside its data."""

from __future__ import annotations

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.outliers import OutlierModels
from picsellia_jupyter.domain.dashboards import DashboardReport, Filters
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.wire.reports import report_from_json


class Dashboards(OutlierModels):
    """The figures of an organization's deployments; on the local platform alone."""

    @sdk.translated
    def dashboard(
        self,
        deployment_id: str,
        *,
        since: float | None,
        until: float | None = None,
        filters: Filters | None = None,
    ) -> DashboardReport:
        """A deployment's dashboard.

        Args:
            deployment_id: whose.
            since: seconds since the epoch, UTC; None begins with the first prediction.
            until: likewise; None ends now.
            filters: which of its predictions; all without them.

        Raises:
            PlatformError: this is the cloud, which draws its own.
            NotFoundError: there is no such model version or label.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} draws its dashboards itself; its API gives no figures to draw.",
                f"Open {self.pages.deployment(deployment_id)}",
            )
        chosen = filters or Filters()
        asked = {
            "from_timestamp": since, "to_timestamp": until,
            **{name: getattr(chosen, name) for name in ("version", "label", "tag", "source")},
        }  # fmt: skip
        given = {name: str(value) for name, value in asked.items() if value is not None}
        return report_from_json(self._get(f"/api/local/deployments/{deployment_id}/report", given))
