"""What a serving kernel asks of the platform; `clients.kernel.KernelClient` plays it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from picsellia_jupyter.domain.deployments import Heartbeat, ServingJob
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.domain.registry import ModelFile, ModelVersion
from picsellia_jupyter.recording.recipient import Recipient


class HeartbeatReply(Protocol):
    """What the platform answers to a heartbeat."""

    @property
    def threshold(self) -> float | None:
        """The deployment's threshold now."""

    @property
    def interval_s(self) -> float:
        """Seconds until it expects the next one."""

    @property
    def champion_version_id(self) -> str | None:
        """The model version that is to predict; None where the platform does not say."""

    @property
    def shadow_version_id(self) -> str | None:
        """The model version that is to predict in the champion's shadow."""

    @property
    def paused(self) -> str:
        """Why it must not predict now; empty where it may."""


class Platform(Recipient, Protocol):
    """One connection to the platform, used by one thread."""

    def model_version(self, version_id: str) -> ModelVersion:
        """One model version."""

    def files(self, version: ModelVersion) -> Sequence[ModelFile]:
        """Its files."""

    def download(self, file: ModelFile, folder: Path) -> Path:
        """Fetch a file; it appears in the folder whole or not at all."""

    def heartbeat(self, deployment_id: str, beat: Heartbeat) -> HeartbeatReply:
        """Tell how the serving kernel is.

        Raises:
            NotFoundError: the deployment is gone.
            ConflictError: another kernel has claimed it since.
        """

    def monitor_shadow(
        self, deployment_id: str, prediction_id: str, predicted: PredictedImage
    ) -> None:
        """Record the shadow model's prediction; ConflictError when it is recorded already.

        It is of the version that `predicted` names.
        """

    def stored_image(
        self, deployment_id: str, connector_id: str, object_name: str, *, at_most: int
    ) -> bytes:
        """Fetch an image from the target datalake's storage."""


Connect = Callable[[], Platform]
"""Makes a new connection, for the thread that calls it."""


def connector(job: ServingJob, relay: str | None = None) -> Connect:
    """What connects to the platform of a job, through a relay where one is given."""

    def connect() -> Platform:
        from picsellia_jupyter.clients.kernel import KernelClient

        client: Platform = KernelClient.connect(
            job.host, job.token, organization_id=job.organization_id, relay=relay
        )
        return client

    return connect
