"""Outlier models, which the local platform fits beside its images."""

from __future__ import annotations

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.drift import Verdict
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.outliers import EmbeddingDrift, OutlierFit
from picsellia_jupyter.wire.predictions import Json


class OutlierModels(SdkConnection):
    """Auto-encoders of deployments; on the local platform alone."""

    @sdk.translated
    def begin_outlier_fit(self, deployment_id: str, contamination: float) -> OutlierFit:
        """Have a deployment's model fitted in the background; what it had is replaced.

        Args:
            deployment_id: whose.
            contamination: share of the training images that are to count as outliers.

        Raises:
            PlatformError: this is the cloud, which fits its own.
            InvalidInputError: there are too few training data, or the share is none.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} fits its outlier models itself.",
                f"Open {self.pages.deployment(deployment_id)}",
            )
        path = f"/api/local/deployments/{deployment_id}/outliers"
        return _fit(self._send("post", path, {"contamination": contamination}))

    @sdk.translated
    def outlier_fit(self, deployment_id: str) -> OutlierFit:
        """How far it is."""
        return _fit(self._get(f"/api/local/deployments/{deployment_id}/outliers"))

    @sdk.translated
    def embedding_drift(
        self, deployment_id: str, *, since: float | None, until: float | None
    ) -> EmbeddingDrift:
        """Whether the images of a range are still those of before.

        Raises:
            PlatformError: this is the cloud, which keeps no embeddings of ours.
        """
        if not self.is_local:
            raise PlatformError(
                f"{self.host} tells no embeddings of its images.",
                f"Open {self.pages.deployment(deployment_id)}",
            )
        asked = {"from_timestamp": since, "to_timestamp": until}
        given = {name: str(value) for name, value in asked.items() if value is not None}
        found = self._get(f"/api/local/deployments/{deployment_id}/outliers/drift", given)
        return EmbeddingDrift(**{**found, "verdict": Verdict(found["verdict"])})


def _fit(reply: Json) -> OutlierFit:
    return OutlierFit(
        state=str(reply["state"]),
        reason=str(reply["reason"]),
        images=int(reply["images"]),
        contamination=reply["contamination"],
        threshold=reply["threshold"],
        waiting=int(reply["waiting"]),
    )
