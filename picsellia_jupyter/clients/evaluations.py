"""Evaluations, which the platform makes where the predictions and their reviews are."""

from __future__ import annotations

from collections.abc import Sequence

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
        until: float | None = None,
        model_version_id: str | None = None,
        version: str | None = None,
        label: str | None = None,
        tags: Sequence[str] = (),
        source: str | None = None,
        sampled: str | None = None,
        max_detections: int | None = None,
    ) -> EvaluationReport:
        """How well the predictions of a deployment agree with their reviews.

        Args:
            deployment_id: whose.
            since: earliest prediction, seconds since the epoch, UTC.
            until: latest, likewise.
            model_version_id: only this version's predictions.
            version: the same by its title, such as `digits-detector:0`.
            label: only objects of this label; classes of whole images stay together.
            tags: only predictions that were sent with one of these.
            source: only predictions that were sent with this source.
            sampled: only images that were chosen for review in this way.
            max_detections: of an image and label so many count; None takes COCO's.

        Raises:
            PlatformError: this is the cloud, which tells its own figures.
            InvalidInputError: there are no metrics for the deployment's type.
            NotFoundError: there is no such model version or label.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} compares predictions with their reviews itself.",
                f"Its figures are on its page: {self.pages.deployment(deployment_id)}",
            )
        body = {
            "from_timestamp": since,
            "to_timestamp": until,
            "model_version_id": model_version_id,
            "version": version,
            "label": label,
            "tags": list(tags),
            "source": source,
            "sampled": sampled,
            "max_detections": max_detections,
        }
        reply = self._send("post", f"/api/local/deployments/{deployment_id}/evaluation", body)
        return report_from_json(reply["result"])
