"""A session: every verb the magics have."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.deployments import (
    Progress,
    ProgressListener,
    Stage,
)
from picsellia_jupyter.domain.diagnosis import Finding
from picsellia_jupyter.domain.errors import (
    MissingExtraError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.places import Place
from picsellia_jupyter.domain.registry import Datalake, Model
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.handles.diagnosis import DiagnosisView
from picsellia_jupyter.handles.evaluation import EvaluationView
from picsellia_jupyter.handles.predictions import Predictions
from picsellia_jupyter.handles.views import (
    DashboardView,
    DatalakeListing,
    DeploymentListing,
    PlaceListing,
    RegistryListing,
    Status,
)
from picsellia_jupyter.launch import asking, logs, strays
from picsellia_jupyter.launch.fleet import Fleet, Staged
from picsellia_jupyter.session.connection import Connection, settings_for
from picsellia_jupyter.session.names import Names
from picsellia_jupyter.session.signing_in import LOCAL, settings_of, sign_in
from picsellia_jupyter.workflows import deploying
from picsellia_jupyter.workflows import registry as finding


class Session:
    """A connection to one platform, and the verbs on what it holds.

    Without arguments it follows the environment: the Picsellia cloud where
    `PICSELLIA_TOKEN` is set, else the local platform, which it starts if none runs. With
    `home`, it is the local platform of that data directory, whatever the environment says.

    Example:
        >>> s = Session()  # doctest: +SKIP
        >>> d = s.deploy("digits-detector", threshold=0.3)  # doctest: +SKIP
        >>> d.predict("page.jpg")  # doctest: +SKIP
    """

    def __init__(
        self,
        host: str | None = None,
        token: str | None = None,
        *,
        organization: str | None = None,
        home: str | Path | None = None,
    ) -> None:
        self._asked = self._settings = settings_for(host, token, organization, home)
        self._connection = Connection(self._settings)
        self._fleet = Fleet(self._settings.home, self._settings.place_tokens, asking.for_secret)

    def __repr__(self) -> str:
        return f"Session({self._connection.host or 'not connected yet'})"

    def beside(self) -> Session:
        """The same session for another thread: a connection of its own, the same kernels."""
        other = copy.copy(self)
        other._connection = Connection(self._settings)
        return other

    @property
    def platform(self) -> PlatformClient:
        """The platform's client; connected on first use.

        Raises:
            PlatformUnreachableError: nobody answers there.
            AuthenticationError: the token is missing or not accepted.
        """
        return self._connection.platform()

    def connect(self, host: str | None = None, *, organization: str | None = None) -> Status:
        """Go on at another platform: `s.connect("https://app.picsellia.com")`.

        The token comes from the environment (for its own host alone), the keyring, or a hidden
        prompt; one that was typed and accepted is offered to the keyring. What was made before
        stays with its own platform.

        Args:
            host: of the platform; `local` is the local one, and without one it is that of
                `PICSELLIA_HOST` or the Picsellia cloud.
            organization: its name, where not the token's default one.

        Raises:
            AuthenticationError: no token is accepted.
            PlatformUnreachableError: nobody answers there.
            NotFoundError: there is no such organization.
        """
        settings = settings_of(self._asked, host, organization)
        platform = None
        if host != LOCAL:
            settings, platform = sign_in(settings, asking.for_secret)
        self._settings, self._connection = settings, Connection(settings, platform)
        return self.status()

    @property
    def is_up(self) -> bool:
        """Whether asking starts nothing: a local platform runs, or a cloud is connected."""
        return self._connection.is_up

    @property
    def sdk(self) -> Any:
        """The official SDK's own `picsellia.Client`, for all that has no verb here."""
        return self.platform.sdk_client

    def registry(self) -> RegistryListing:
        """The private models, each with its versions."""
        models = self.platform.models()
        return RegistryListing(
            tuple(Model(m.id, m.name, tuple(self.platform.versions(m))) for m in models)
        )

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
        handle = Deployment(
            platform,
            deployed.record,
            undeploy=self.undeploy,
            reach=self._fleet.address,
            dry_run=deployed.dry_run,
            model_file=plan.model_file,
            compute=plan.compute,
            cache=self._settings.results,
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
        return Deployment(
            platform,
            record,
            undeploy=self.undeploy,
            reach=self._fleet.address,
            cache=self._settings.results,
        )

    def predict(
        self,
        *images: str | Path | Sequence[str | Path],
        on: str | None = None,
        monitor: bool = True,
        tags: Sequence[str] = (),
    ) -> Predictions:
        """Predict on images with a deployment, the newest one if none is named."""
        return self.deployment(on).predict(*images, monitor=monitor, tags=tags)

    def monitor(self, name: str | None = None, *, last: str = "24h") -> DashboardView:
        """A deployment's dashboard over the last `30m`, `24h`, `7d`, … or `all`."""
        return self.deployment(name).dashboard(last)

    def evaluate(
        self, name: str | None = None, *, last: str = "all", sampled: str | None = None
    ) -> EvaluationView:
        """How well a deployment's predictions agree with their reviews."""
        return self.deployment(name).evaluate(last, sampled=sampled)

    def log(self, name: str, *, lines: int = 200) -> tuple[str, ...]:
        """The last lines that a deployment's serving kernel wrote, oldest first.

        Raises:
            NotFoundError: there is no deployment of that name, or no log of it here.
        """
        record = finding.find_deployment(self.platform, name)
        return logs.tail(self._settings.home, record, lines)

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
        handle = Deployment(platform, record, undeploy=self.undeploy, reach=self._fleet.address)
        left, trouble = self._fleet.end(record, handle.stop_serving())
        for said in (left.in_words(), str(trouble or "")):
            if said:
                warnings.warn(said, stacklevel=2)
        if delete:
            platform.delete_deployment(record.id)

    def places(self) -> PlaceListing:
        """Where serving kernels can run, and what each of these places has.

        All are asked at once; one that does not answer is told as such.
        """
        return PlaceListing(self._fleet.reports())

    @property
    def saved_places(self) -> Mapping[str, str]:
        """The addresses of the saved places by their names; none of them is asked."""
        return self._fleet.places.saved

    def add_place(self, name: str, address: str) -> Place:
        """Save a Jupyter server under a name: `s.add_place("gpu1", "https://gpu-box:8888")`.

        Its token is not saved with it; see `PICSELLIA_PLACE_TOKEN`.

        Raises:
            InvalidInputError: the name or the address cannot be taken.
        """
        return self._fleet.places.add(name, address)

    def remove_place(self, name: str) -> None:
        """Forget a saved place; what it serves goes on.

        Raises:
            NotFoundError: no place of that name is saved.
        """
        self._fleet.places.remove(name)

    def names(self) -> Names:
        """What the platform has by name, for another thread than the session's own."""
        return Names(lambda: self._settings, lambda: self._fleet.places.saved)

    def status(self) -> Status:
        """Where the session is connected, and what it found there."""
        return Status(self._connection.facts())

    def doctor(self, *, fix: bool = False) -> DiagnosisView:
        """The serving kernels of this machine, and what they left behind.

        Args:
            fix: whether to put right what can be.
        """
        logs = self._settings.home / "cache" / "logs"
        found = strays.diagnose(logs=logs, fix=fix)
        try:
            halted = strays.halted(self.platform.deployments(), found.kernels)
        except PicselliaJupyterError as error:
            halted = (Finding(error.fact, error.remedy),)
        return DiagnosisView(replace(found, findings=found.findings + halted))


def _check_serving_installed() -> None:
    from importlib.util import find_spec

    needed = ("onnxruntime", "starlette", "uvicorn", "jwt", "multipart", "prometheus_client")
    for module in needed:
        if find_spec(module) is None:
            raise MissingExtraError("A serving kernel", module, "serving")


def _ignore(_progress: Progress) -> None:
    return None
