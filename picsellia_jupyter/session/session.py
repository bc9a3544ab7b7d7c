"""A session: every verb the magics have."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from picsellia_jupyter.domain.deployments import (
    DeploymentRecord,
    Progress,
    ProgressListener,
    ServingState,
    Stage,
)
from picsellia_jupyter.domain.errors import (
    MissingExtraError,
)
from picsellia_jupyter.domain.registry import Datalake
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.handles.predictions import Predictions
from picsellia_jupyter.handles.views import (
    DatalakeListing,
    DeploymentListing,
    RegistryListing,
)
from picsellia_jupyter.launch.fleet import Staged
from picsellia_jupyter.session.metering import Metering
from picsellia_jupyter.session.placing import Placing
from picsellia_jupyter.session.promoting import Promoting
from picsellia_jupyter.session.reviewing import Reviewing
from picsellia_jupyter.session.tending import Tending
from picsellia_jupyter.session.training import Retraining
from picsellia_jupyter.session.watching import Watching
from picsellia_jupyter.workflows import deploying
from picsellia_jupyter.workflows import registry as finding


class Session(Metering, Placing, Promoting, Retraining, Reviewing, Tending, Watching):
    """A connection to one platform, and the verbs on what it holds.

    Without arguments it follows the environment: the Picsellia cloud where
    `PICSELLIA_TOKEN` is set, else the local platform, which it starts if none runs. With
    `home`, it is the local platform of that data directory, whatever the environment says.

    Example:
        >>> s = Session()  # doctest: +SKIP
        >>> d = s.deploy("digits-detector", threshold=0.3)  # doctest: +SKIP
        >>> d.predict("page.jpg")  # doctest: +SKIP
    """

    def registry(self) -> RegistryListing:
        """The private models, each with its versions."""
        return RegistryListing(tuple(self.platform.registry()))

    def datalakes(self) -> DatalakeListing:
        """Where predicted images can be stored, the default datalake first."""
        return DatalakeListing(tuple(self.platform.datalakes()))

    def create_datalake(
        self,
        name: str,
        place: str | Path | None = None,
        *,
        options: Mapping[str, Any] | None = None,
    ) -> Datalake:
        """Make a datalake: `s.create_datalake("press-line", "s3://bucket/folder")`.

        On the local platform, which tries the place out first; a cloud's are made on its pages.

        Args:
            name: of the datalake, for `--datalake`.
            place: a bucket (`s3://`, `gs://`, `az://`) or a folder of this machine; the
                default storage if none is given.
            options: for fsspec's file system there. Better than a secret itself is where it
                comes from: `{"secret": {"env": "PRESS_LINE_SECRET"}}`.

        Raises:
            ConflictError: the name is taken.
            InvalidInputError: the place cannot be read.
            PlatformError: the place cannot hold files; or this is the cloud.
        """
        return self.platform.create_datalake(name, place, options or {})

    def deploy(  # noqa: PLR0913 - one keyword an option of %deploy
        self,
        model: str,
        *,
        strategy: str = "serving",
        threshold: float | None = None,
        datalake: str | None = None,
        on: str | None = None,
        name: str | None = None,
        file: str = "model-latest",
        device: str | None = None,
        precision: str | None = None,
        workers: int | None = None,
        idle: str | None = None,
        replicas: str | None = None,
        install: bool = False,
        progress: ProgressListener | None = None,
    ) -> Deployment:
        """Deploy a model version: `s.deploy("digits-detector:0", threshold=0.3)`.

        An interrupt or a failure leaves nothing behind. The same name for the same model
        version is the same deployment: it is served again, not made twice.

        Args:
            model: a model's name, or name:version; the newest version by default.
            strategy: `serving` (Picsellia Serving) or `monitoring` (Monitoring only).
            threshold: in [0, 1]; only shapes scored over it are considered. Starts at a low
                0.1; none for classification.
            datalake: where predicted images are stored; the default one if none is named.
            on: where the serving kernel runs: `local`, the name or address of a Jupyter
                server, `ray` or `ray:ADDRESS`. With Monitoring only, none is started unless a
                place is named.
            name: of the deployment; two words are made up if none is given.
            file: name of the model file to serve.
            device: what it runs on: `auto` (the default), `cpu`, `cuda` or `cuda:N`.
            precision: `auto` (the default), `fp32`, `fp16` or `bf16`. Less than fp32 is taken
                only where the model's outputs stay close to those of fp32.
            workers: processes that hold the model, 1 to 16; by default one a core, at most
                four, on the CPU, and one a device with CUDA.
            idle: its serving kernel ends after so long without a request: `12h` (the
                default), `90m`, … or `never`.
            replicas: on Ray, how many serve it: `2`, or bounds such as `1..4`.
            install: install this package at the place where it is missing.
            progress: told of every stage.

        Raises:
            NotFoundError: the model, its version or file, or the datalake does not exist.
            InvalidThresholdError: the threshold is out of range, or none applies.
            LinkError: the place does not answer or does not let us in.
            ServingError: the model could not be loaded, or its dry run failed.
            QuotaSpentError: no MPU is left for Picsellia Serving.
        """
        began = time.monotonic()
        listen = progress or _ignore
        listen(Progress(Stage.RESOLVE, f"looking up {model}", 0.0))
        platform = self.platform
        place = self._fleet.places.parse(on).name if on else None
        request = deploying.DeployRequest(
            model=model,
            strategy=strategy,
            threshold=threshold,
            datalake=datalake,
            place=place,
            name=name,
            model_file=file,
            device=device,
            precision=precision,
            workers=workers,
            idle=idle,
            replicas=replicas,
        )
        plan = deploying.check(
            request,
            platform,
            platform,
            serves_itself=not platform.is_local,
            saved=self._fleet.places.saved,
        )
        if plan.place:
            _check_serving_installed()
        deployed = deploying.deploy(
            plan,
            platform,
            self._fleet.launcher(platform, plan, install=install),
            listen=listen,
            clock=time.monotonic,
            began=began,
        )
        if deployed.staged is not None:
            self._fleet.keep(deployed.record.id, cast("Staged", deployed.staged))
        handle = self._handle(
            deployed.record,
            dry_run=deployed.dry_run,
            model_file=plan.model_file,
            compute=plan.compute,
        )
        handle.refresh()
        return handle

    def deployments(self) -> DeploymentListing:
        """All deployments, newest first."""
        return DeploymentListing(tuple(self.platform.deployments()))

    def deployment(self, name: str | None = None) -> Deployment:
        """A deployment by its name or id; the newest one if none is named.

        Raises:
            NotFoundError: there is none.
        """
        platform = self.platform
        if name is None:
            record = finding.only_deployment(platform.deployments(), verb="use")
        else:
            record = finding.find_deployment(platform, name)
        return self._handle(record)

    def predict(
        self,
        *images: str | Path | Sequence[str | Path],
        on: str | None = None,
        monitor: bool = True,
        tags: Sequence[str] = (),
    ) -> Predictions:
        """Predict on images with a deployment, the newest one if none is named."""
        return self.deployment(on).predict(*images, monitor=monitor, tags=tags)

    def undeploy(self, name: str, delete: bool = False) -> None:
        """End a deployment's serving kernel; its predictions and dashboard stay.

        The kernel first records the predictions it still has; where the platform does not
        take them, a warning says how many it keeps on disk and why.

        Args:
            name: of the deployment, or its id.
            delete: also remove the deployment with its predictions. Images stay in their
                datalake.

        Raises:
            NotFoundError: there is no deployment of that name.
        """
        platform = self.platform
        record = finding.find_deployment(platform, name)
        handle = self._handle(record)
        left, trouble = self._fleet.end(record, handle.stop_serving())
        for said in (left.in_words(), str(trouble or "")):
            if said:
                warnings.warn(said, stacklevel=2)
        if delete:
            platform.delete_deployment(record.id)
        elif record.state is ServingState.HOSTED:
            warnings.warn(
                f"{record.name!r} is served by Picsellia, which goes on and may use MPU: no API "
                f"ends it. Pause it on its page, {record.url}, or remove it with: "
                f"%undeploy {record.name} --delete",
                stacklevel=2,
            )

    def _handle(self, record: DeploymentRecord, **known: Any) -> Deployment:
        """A deployment in the user's hand, with what is known of how it was made."""
        return Deployment(
            self.platform,
            record,
            undeploy=self.undeploy,
            reach=self._fleet.address,
            trainers=self._fleet.trainers,
            cache=self._settings.results,
            beside=lambda: self.beside().deployment(record.id),
            watches=self._watches,
            **known,
        )


def _check_serving_installed() -> None:
    from importlib.util import find_spec

    needed = ("onnxruntime", "starlette", "uvicorn", "jwt", "multipart", "prometheus_client")
    for module in needed:
        if find_spec(module) is None:
            raise MissingExtraError("A serving kernel", module, "serving")


def _ignore(_progress: Progress) -> None:
    return None
