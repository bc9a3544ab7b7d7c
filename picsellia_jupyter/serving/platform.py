"""What a serving kernel asks of the platform; `clients.platform.PlatformClient` plays it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from picsellia_jupyter.domain.deployments import Heartbeat, ServingJob
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.domain.registry import ModelFile, ModelVersion


class HeartbeatReply(Protocol):
    """What the platform answers to a heartbeat."""

    @property
    def threshold(self) -> float | None:
        """The deployment's threshold now."""

    @property
    def interval_s(self) -> float:
        """Seconds until it expects the next one."""


class Platform(Protocol):
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

    def monitor(
        self,
        deployment_id: str,
        image: bytes,
        predicted: PredictedImage,
        *,
        content_type: str,
        at: float | None = None,
        tags: Sequence[str] = (),
        source: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Record a prediction; ConflictError when it is recorded already."""


Connect = Callable[[], Platform]
"""Makes a new connection, for the thread that calls it."""


def connector(job: ServingJob) -> Connect:
    """What connects to the platform of a job."""

    def connect() -> Platform:
        from picsellia_jupyter.clients.platform import PlatformClient

        client: Platform = PlatformClient.connect(
            job.host, job.token, organization_id=job.organization_id
        )
        return client

    return connect
