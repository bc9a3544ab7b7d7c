"""A deployment in a user's hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from picsellia_jupyter.clients.endpoint import Endpoint
from picsellia_jupyter.clients.front import Backlog
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain import devices
from picsellia_jupyter.domain.deployments import (
    DeploymentRecord,
    DryRun,
    ServingKernel,
    ServingState,
    Strategy,
)
from picsellia_jupyter.domain.devices import Compute
from picsellia_jupyter.domain.errors import InvalidInputError, NotServingError
from picsellia_jupyter.domain.idling import DEFAULT_IDLE_S
from picsellia_jupyter.domain.links import LinkError
from picsellia_jupyter.domain.registry import ModelFile
from picsellia_jupyter.domain.running import ServedNow
from picsellia_jupyter.handles.batching import BatchProgress
from picsellia_jupyter.handles.downloading import download_all
from picsellia_jupyter.handles.evaluation import EvaluationView
from picsellia_jupyter.handles.images import expand
from picsellia_jupyter.handles.interconnection import Interconnection
from picsellia_jupyter.handles.panels import PanelView, made_live
from picsellia_jupyter.handles.predicting import predict_files
from picsellia_jupyter.handles.predictions import Predictions
from picsellia_jupyter.handles.recorded import RecordedPrediction, wait_for_prediction
from picsellia_jupyter.handles.recording import Recording
from picsellia_jupyter.handles.settings import Settings
from picsellia_jupyter.handles.views import DashboardView
from picsellia_jupyter.workflows.interconnection import Wiring, python_code
from picsellia_jupyter.workflows.metrics import parse_range, summarize

FLUSH_TIMEOUT_S = 10.0
GLANCE_S, STOP_REACH_S = 2.0, 5.0
"""How long a card, and a kernel that is to be stopped, wait for a place to answer."""


class Reach(Protocol):
    """Gives the loopback address of the serving kernel of a deployment."""

    def __call__(
        self,
        platform: PlatformClient,
        record: DeploymentRecord,
        serving: ServingKernel,
        /,
        *,
        within_s: float | None = None,
    ) -> str:
        """Reach it, within so many seconds where that is said."""


class Deployment(Settings, Recording):
    """One deployment: predict with it, look at its dashboard, change its threshold.

    Made by `Session.deploy` and `Session.deployment`; shows itself as a card.
    """

    def __init__(
        self,
        platform: PlatformClient,
        record: DeploymentRecord,
        *,
        undeploy: Callable[[str, bool], None],
        reach: Reach,
        dry_run: DryRun | None = None,
        model_file: str = "model-latest",
        compute: Compute = devices.DEFAULT,
        cache: Path | None = None,
        beside: Callable[[], Deployment] | None = None,
    ) -> None:
        self._platform = platform
        self._record = record
        self._undeploy = undeploy
        self._reach = reach
        self._model_file = model_file
        self._compute = compute
        self._cache = cache
        self._beside = beside
        self._endpoint: Endpoint | None = None
        self.dry_run = dry_run

    @property
    def state(self) -> ServingState:
        """What its serving kernel says now."""
        return self.refresh().state

    @property
    def labels(self) -> dict[int, str]:
        """Class index to label name."""
        return dict(self._record.labels)

    @property
    def address(self) -> str:
        """Where any client of this machine finds its front: `http://127.0.0.1:PORT`.

        Also where the serving kernel runs elsewhere; it holds as long as this session lives.

        Raises:
            NotServingError: no serving kernel answers for this deployment.
        """
        self.refresh()
        return self._served().address

    def predict(
        self,
        *images: str | Path | Sequence[str | Path],
        monitor: bool = True,
        tags: Sequence[str] = (),
    ) -> Predictions:
        """Predict on images: files, globs and folders.

        Where it takes more than a second, a notebook shows how far it is. An interrupt ends
        it early and keeps what was done; what is left is in `undone`.

        Args:
            images: paths; `d.predict("page.jpg")`, `d.predict("pages/", "more/*.png")`.
            monitor: record each prediction with its image in the deployment.
            tags: names of tags for the recorded images.

        Returns:
            What was found, in the order of the images; those that failed are in its
            `failures` and the others went on.

        Raises:
            NotServingError: no serving kernel answers for this deployment.
            NotFoundError: a path names no image.
        """
        paths = expand(_flat(images))
        # Its kernel and threshold may have changed since, by another notebook or the platform.
        self.refresh()
        endpoint, record = self._served(), self._record
        with BatchProgress(len(paths), record.labels, record.threshold) as watch:
            came = predict_files(
                endpoint, paths, monitor=monitor, tags=tags, watch=watch, folder=self._cache
            )
        return Predictions(
            came.found,
            came.failures,
            labels=record.labels,
            threshold=record.threshold,
            undone=came.undone,
        )

    def dashboard(self, last: str = "24h") -> DashboardView:
        """Its dashboard over the last `30m`, `24h`, `7d`, … or `all`.

        Predictions that are still on their way are waited for, up to ten seconds; what is
        missing after that is said above the charts.
        """
        span_s = parse_range(last)
        self.refresh()
        missing = self.flush(FLUSH_TIMEOUT_S).in_words()
        until = time.time()
        since = until - span_s if span_s is not None else None
        if self._platform.is_local:
            # It has the figures added up; the predictions themselves may be millions.
            return DashboardView(self._platform.dashboard(self.id, since=since), missing)
        log = self._platform.prediction_log(self.id, since=since, until=None)
        begin = since if since is not None else (float(log.at[0]) if len(log) else until)
        figures = summarize(
            log,
            deployment=self.name,
            labels=self._record.labels,
            threshold=self._record.threshold,
            since=begin,
            until=max(until, begin),
        )
        return DashboardView(figures, missing)

    def evaluate(
        self,
        last: str = "all",
        *,
        sampled: str | None = None,
        max_detections: int | None = None,
    ) -> EvaluationView:
        """How well its predictions agree with their reviews: `d.evaluate("7d")`.

        Args:
            last: predictions of the last `24h`, `7d`, … or `all`.
            sampled: only images that were chosen for review in this way, such as `random`:
                those tagged `sampled:random`.
            max_detections: of an image and label so many count; COCO's 100 (20 of keypoints)
                if none is given.

        Raises:
            InvalidInputError: there are no metrics for its type.
            PlatformError: this is the cloud, which tells its own figures.
        """
        span_s = parse_range(last)
        report = self._platform.evaluation(
            self.id,
            since=None if span_s is None else time.time() - span_s,
            sampled=sampled,
            max_detections=max_detections,
        )
        return EvaluationView(report)

    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> Backlog:
        """Wait until the serving kernel has recorded its predictions.

        Returns:
            What is not recorded; nothing where no serving kernel answers.
        """
        try:
            return self._served().flush(timeout_s)
        except NotServingError:
            return Backlog()

    def code(self) -> str:
        """Python that connects your own serving infrastructure to this deployment."""
        return python_code(self._wiring())

    def interconnect(self) -> Interconnection:
        """How to connect your own server: files, code to paste, and how to check it.

        Raises:
            InvalidInputError: the SDK cannot send what it predicts.
        """
        names = tuple(file.name for file in self._files())
        return Interconnection(self.refresh(), self._wiring(), names)

    def download(self, folder: str | Path) -> list[Path]:
        """Fetch all files of its model version, to serve it yourself.

        Each appears whole or not at all. A download that was interrupted goes on where it
        stopped, and a file that is there already is left, where the platform knows its SHA-256.

        Raises:
            PlatformUnreachableError: the storage breaks off again and again.
            PlatformError: a file is not what was stored.
            InvalidInputError: the folder cannot be written.
        """
        return download_all(self._platform, self._files(), Path(folder).expanduser())

    def wait_for_prediction(self, timeout_s: float = 300.0) -> RecordedPrediction:
        """The newest recorded prediction, with its image; the first one is waited for.

        Raises:
            NotFoundError: none has come in time.
        """
        return wait_for_prediction(self._platform, self.refresh(), timeout_s)

    def panel(self) -> PanelView:
        """Its panel: dashboard, predictions and settings, live while the kernel lives."""
        made_live()
        return PanelView(self)

    def beside(self) -> Deployment:
        """The same deployment for another thread: a connection of its own."""
        if self._beside is None:
            raise InvalidInputError(
                "This handle is for one thread.", "Take one from a session: s.deployment(name)"
            )
        return self._beside()

    def undeploy(self, *, delete: bool = False) -> None:
        """End its serving kernel; with `delete`, also remove it and its predictions."""
        self._undeploy(self.name, delete)

    def stop_serving(self) -> Backlog | None:
        """Have its serving kernel record what it has and end.

        Returns:
            What could not be recorded; None where no serving kernel answers.
        """
        try:
            return self._served(STOP_REACH_S).stop()
        except NotServingError:
            return None

    def __str__(self) -> str:
        """Its name, so that a magic takes it as a word: `%monitor $d`."""
        return self.name

    def __repr__(self) -> str:
        from picsellia_jupyter.display import cards

        now = self._now()
        return cards.deployment_text(self._record, self.dry_run, self._line(now), now)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import cards, guides

        record = self.refresh()
        by_hand = record.strategy is Strategy.MONITORING and record.serving is None
        now = self._now()
        line = self._line(now)
        code = guides.line(self.name) if by_hand else None
        html = cards.deployment_card(record, self.dry_run, line, now, code=code)
        text = cards.deployment_text(record, self.dry_run, line, now)
        return {"text/html": html, "text/plain": text}

    def _files(self) -> Sequence[ModelFile]:
        version = self._platform.model_version(self._record.model_version_id)
        return self._platform.files(version)

    def _wiring(self) -> Wiring:
        platform = self._platform
        organization = None if platform.is_default_organization else platform.organization_name
        return Wiring.of(
            self._record, platform.host, platform.monitoring_host(self.id), organization
        )

    def _now(self) -> ServedNow | None:
        """Where it can be asked, and what it says there; why not, where it cannot."""
        if self._record.serving is None or not self._platform.is_local:
            return None
        try:
            served = self._served(GLANCE_S)
        except LinkError as error:
            return ServedNow(trouble=str(error))
        except NotServingError:
            return None
        return ServedNow(served.address, served.running())

    def _line(self, now: ServedNow | None) -> str:
        idle_s = now.running.idle_s if now and now.running else DEFAULT_IDLE_S
        return self._record.line(model_file=self._model_file, compute=self._compute, idle_s=idle_s)

    def _served(self, within_s: float | None = None) -> Endpoint:
        record = self._record
        if record.serving is None or record.state is ServingState.STOPPED:
            raise self._not_served(record)
        address = self._reach(self._platform, record, record.serving, within_s=within_s)
        if self._endpoint is None or self._endpoint.address != address:
            if self._endpoint is not None:
                self._endpoint.close()
            self._endpoint = Endpoint(address, self._platform.token, self.id)
        return self._endpoint

    def _not_served(self, record: DeploymentRecord) -> NotServingError:
        if not self._platform.is_local:
            return NotServingError(
                f"{self.name!r} is served by Picsellia, not by a serving kernel of ours.",
                f"Predict through the SDK: session.sdk.get_deployment({self.name!r}).predict(path)",
            )
        why = f": {record.reason}" if record.reason else ""
        return NotServingError(
            f"{self.name!r} has no serving kernel ({record.state.value}{why}).",
            f"Serve it with: %deploy {record.model_title} --strategy {record.strategy.value} "
            f"--on local --name {self.name}",
        )


def _flat(images: Sequence[str | Path | Sequence[str | Path]]) -> list[str | Path]:
    flat: list[str | Path] = []
    for image in images:
        flat.extend([image] if isinstance(image, (str, Path)) else image)
    return flat
