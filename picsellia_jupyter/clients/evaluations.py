"""Evaluations, which the platform makes where the predictions and their reviews are."""

from __future__ import annotations

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.evaluation import EvaluationReport
from picsellia_jupyter.wire.evaluation import report_from_json


class Evaluations(SdkConnection):
    """What reviews say of predictions."""

    @sdk.translated
    def evaluation(
        self,
        deployment_id: str,
        *,
        since: float | None = None,
        model_version_id: str | None = None,
        sampled: str | None = None,
        max_detections: int | None = None,
    ) -> EvaluationReport:
        """How well the predictions of a deployment agree with their reviews.

        Args:
            deployment_id: whose.
            since: earliest prediction, seconds since the epoch, UTC.
            model_version_id: only this version's predictions.
            sampled: only images that were chosen for review in this way.
            max_detections: of an image and label so many count; None takes COCO's.

        Raises:
            PlatformError: this is the cloud, which tells its own figures.
            InvalidInputError: there are no metrics for the deployment's type.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} compares predictions with their reviews itself.",
                f"Its figures are on its page: {self.pages.deployment(deployment_id)}",
            )
        body = {
            "from_timestamp": since,
            "model_version_id": model_version_id,
            "sampled": sampled,
            "max_detections": max_detections,
        }
        reply = self._send("post", f"/api/local/deployments/{deployment_id}/evaluation", body)
        return report_from_json(reply["result"])
