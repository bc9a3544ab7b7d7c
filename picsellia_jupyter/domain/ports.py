"""Roles the workflows ask for; adapters in `clients` and `launch` play them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.deployments import (
    DeploymentPlan,
    DeploymentRecord,
    DryRun,
    ServingKernel,
    Stage,
)
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.domain.registry import Datalake, Model, ModelFile, ModelVersion


class Registry(Protocol):
    """Read side of the Private Model Registry."""

    def models(self) -> Sequence[Model]:
        """Every private model, without its versions."""

    def versions(self, model: Model) -> Sequence[ModelVersion]:
        """The versions of a model, oldest first."""

    def files(self, version: ModelVersion) -> Sequence[ModelFile]:
        """The files of a model version."""


class Datalakes(Protocol):
    """The organization's datalakes."""

    def datalakes(self) -> Sequence[Datalake]:
        """All of them, the default one first."""


class KnownDeployments(Protocol):
    """Where a deployment is looked up."""

    def find_deployment(self, name: str) -> DeploymentRecord | None:
        """The one of a name or an id, if there is one."""


class Deployments(KnownDeployments, Protocol):
    """The organization's deployments."""

    def deployments(self) -> Sequence[DeploymentRecord]:
        """All of them, newest first."""

    def allowance(self) -> Allowance | None:
        """MPU that are left for Picsellia Serving; None where the platform does not tell."""

    def create_deployment(self, plan: DeploymentPlan) -> DeploymentRecord:
        """Make the deployment a plan asks for."""

    def set_threshold(self, deployment_id: str, threshold: float) -> DeploymentRecord:
        """Change a deployment's threshold; it holds from the next prediction on."""

    def delete_deployment(self, deployment_id: str) -> None:
        """Remove it with its predicted assets; the images stay in their datalake."""

    def prediction_log(
        self, deployment_id: str, *, since: float | None, until: float | None
    ) -> PredictionLog:
        """Champion predictions in [since, until], seconds since the epoch, UTC."""


class Predictor(Protocol):
    """The front of a serving kernel."""

    def predict(
        self, image: bytes, filename: str, *, monitor: bool, tags: Sequence[str]
    ) -> PredictedImage:
        """Everything the model finds in one encoded image."""

    def predict_each(
        self,
        images: Iterable[tuple[str, Callable[[], bytes]]],
        *,
        monitor: bool,
        tags: Sequence[str],
    ) -> Iterator[PredictedImage | PicselliaJupyterError]:
        """What is found in each image, or why that failed; each is read when it is its turn."""


class StagedServing(Protocol):
    """A serving kernel that was started and is not announced yet."""

    def prepare(self, on_stage: Callable[[Stage, str], None]) -> DryRun:
        """Wait for download, load and dry run, telling each as it begins and while it lasts."""

    def attach(self, record: DeploymentRecord) -> ServingKernel:
        """Have it serve this deployment and report for it."""

    def stop(self) -> object:
        """End the kernel and everything it started, once it has recorded what it has."""


class Launcher(Protocol):
    """Starts serving kernels at one place."""

    def start(self, plan: DeploymentPlan) -> StagedServing:
        """Start a kernel that begins to download the plan's model."""


Clock = Callable[[], float]
"""Seconds; wall clocks count from the epoch, UTC."""
