"""What can be changed of a deployment after it was made."""

from __future__ import annotations

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.campaigns import Campaigns
from picsellia_jupyter.domain.alerts import Alert, Rang
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.loops import Loop, Part
from picsellia_jupyter.wire import settings
from picsellia_jupyter.wire.predictions import Json


class DeploymentSettings(Campaigns):
    """The settings of an organization's deployments.

    Name, threshold, datalake, sample rate, shadow model and the pipeline's switches are the
    SDK's own routes; the rest is the local platform's, and is refused on a cloud.
    """

    @sdk.translated
    def change_deployment(self, deployment_id: str, **changes: object) -> None:
        """Change settings under their names on the wire: `min_threshold=0.4`.

        Raises:
            ConflictError: the name is taken.
            InvalidInputError: a value is out of range.
        """
        self._send("patch", f"/api/deployment/{deployment_id}", changes)

    @sdk.translated
    def set_shadow(self, deployment_id: str, version_id: str) -> None:
        """Have another version predict in the champion's shadow."""
        path = f"/api/deployment/{deployment_id}/shadow"
        self._send("post", path, {"model_version_id": version_id})

    @sdk.translated
    def remove_shadow(self, record: DeploymentRecord) -> None:
        """Have no version predict in the champion's shadow."""
        self._local("the shadow model cannot be taken away", record)
        self._sdk.connection.delete(f"/api/local/deployments/{record.id}/shadow")

    @sdk.translated
    def loop(self, record: DeploymentRecord) -> Loop:
        """Which parts of the retraining pipeline run."""
        self._local("the retraining pipeline cannot be read", record)
        return settings.loop_from_json(self._get(f"/api/local/deployments/{record.id}/loop"))

    @sdk.translated
    def switch(self, deployment_id: str, part: Part, *, active: bool) -> None:
        """Pause a part of the pipeline, or let it run again.

        Raises:
            ConflictError: it is not set up.
        """
        path = f"/api/deployment/{deployment_id}/pipeline/{settings.PIPELINE_PATHS[part]}"
        self._send("put", path, {"active": active})

    @sdk.translated
    def alerts(self, record: DeploymentRecord) -> tuple[Alert, ...]:
        """Conditions that are watched, newest first."""
        items = self._get(self._alerts(record))["items"]
        return tuple(map(settings.alert_from_json, items))

    @sdk.translated
    def add_alert(self, record: DeploymentRecord, alert: Json) -> Alert:
        """Watch a condition.

        Args:
            record: of the deployment.
            alert: as `wire.settings.alert_to_json` spells it.

        Raises:
            InvalidInputError: there is no limit, or it is no such metric.
        """
        return settings.alert_from_json(self._send("post", self._alerts(record), alert))

    @sdk.translated
    def remove_alert(self, record: DeploymentRecord, alert_id: str) -> None:
        """Watch a condition no longer; what it noted goes too."""
        self._local("alerts cannot be changed", record)
        self._sdk.connection.delete(f"/api/local/alerts/{alert_id}")

    @sdk.translated
    def ring(self, record: DeploymentRecord, alert_id: str) -> Rang:
        """Send a message to an alert's webhook, to try it.

        Raises:
            InvalidInputError: it has none.
        """
        self._local("webhooks cannot be tried", record)
        return settings.rang_from_json(self._send("post", f"/api/local/alerts/{alert_id}/test", {}))

    @sdk.translated
    def webhook_secret(self, record: DeploymentRecord, alert_id: str) -> str:
        """What an alert's messages are signed with."""
        self._local("webhooks cannot be read", record)
        return str(self._get(f"/api/local/alerts/{alert_id}/webhook")["secret"])

    def _alerts(self, record: DeploymentRecord) -> str:
        self._local("alerts cannot be read", record)
        return f"/api/local/deployments/{record.id}/alerts"
