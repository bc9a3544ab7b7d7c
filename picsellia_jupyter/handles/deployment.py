"""A deployment in a user's hand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from picsellia_jupyter.clients.front import Backlog
from picsellia_jupyter.domain.deployments import (
    ServingState,
    Strategy,
)
from picsellia_jupyter.domain.errors import NotServingError, PicselliaJupyterError
from picsellia_jupyter.domain.idling import DEFAULT_IDLE_S
from picsellia_jupyter.domain.running import ServedNow
from picsellia_jupyter.handles.batching import BatchProgress
from picsellia_jupyter.handles.campaigns import Campaigning
from picsellia_jupyter.handles.evaluation import EvaluationView
from picsellia_jupyter.handles.images import expand
from picsellia_jupyter.handles.live import in_a_kernel
from picsellia_jupyter.handles.monitored import FLUSH_TIMEOUT_S, Monitored
from picsellia_jupyter.handles.outliers import Outlying
from picsellia_jupyter.handles.own_server import OwnServer
from picsellia_jupyter.handles.panels import PanelView, made_live
from picsellia_jupyter.handles.predicting import labels_of, predict_files
from picsellia_jupyter.handles.predictions import Predictions
from picsellia_jupyter.handles.recording import Recording
from picsellia_jupyter.handles.reviews import Reviews, open_reviews
from picsellia_jupyter.handles.settings import Settings
from picsellia_jupyter.handles.training import Training
from picsellia_jupyter.workflows.metrics import parse_range

STOP_REACH_S = 5.0
"""How long a kernel that is to be stopped waits for a place to answer."""


class Deployment(Settings, Campaigning, Recording, OwnServer, Monitored, Outlying):
    """One deployment: predict with it, look at its dashboard, change its threshold.

    Made by `Session.deploy` and `Session.deployment`; shows itself as a card.
    """

    def predict(
        self,
        *images: str | Path | Iterable[str | Path],
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
            InvalidInputError: what was given is no path.
            NotFoundError: a path names no image.
        """
        paths = expand(images)
        # Its kernel and threshold may have changed since, by another notebook or the platform.
        record = self.refresh()
        hosted = record.state is ServingState.HOSTED
        endpoint = self._platform.hosted_endpoint(record) if hosted else self._served()
        with BatchProgress(len(paths), record.labels, record.threshold) as watch:
            came = predict_files(
                endpoint, paths, monitor=monitor, tags=tags, watch=watch, folder=self._cache
            )
        return Predictions(
            came.found,
            came.failures,
            labels=labels_of(record, came.versions, self._platform.model_version),
            threshold=record.threshold,
            undone=came.undone,
        )

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

    def duplicates(self) -> dict[str, int]:
        """Predictions of the newest thousand that are recorded more than once, and how often.

        By the ids that serving kernels give them. The local platform has none; the cloud records
        one twice where its reply to the first time was lost.
        """
        return self._platform.duplicates(self.id)

    def reviews(
        self, policy: str = "random", *, limit: int = 100, label: str | None = None
    ) -> Reviews:
        """Its predictions that are to be reviewed: `for item in d.reviews(): item.accept()`.

        Args:
            policy: `random` (the only one whose metrics speak for all images), `uncertain`,
                `outliers`, `disagreements` of champion and shadow, or `label`.
            limit: at most so many images.
            label: name of the label that `label` looks for.

        Raises:
            NotFoundError: there is no such policy or label.
            InvalidInputError: nothing is known that the policy could go by.
            PlatformError: this is the cloud.
        """
        return open_reviews(self._platform, self._record, policy, limit=limit, label=label)

    @property
    def training(self) -> Training:
        """Its continuous training: `d.training.start()`, `d.training.runs`."""
        return Training(self._platform, self._record, self._trainers)

    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> Backlog:
        """Wait until the serving kernel has recorded its predictions.

        Returns:
            What is not recorded; nothing where no serving kernel answers.
        """
        try:
            return self._served().flush(timeout_s)
        except NotServingError:
            return Backlog()

    def panel(self) -> PanelView:
        """Its panel: dashboard, predictions and settings, live while the kernel lives."""
        made_live()
        return PanelView(self)

    def beside(self) -> Deployment:
        """The same deployment for another thread: a connection of its own."""
        made = self._beside()
        assert isinstance(made, Deployment)  # noqa: S101 - for the type checker
        return made

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
        return cards.deployment_text(
            self._record, self.dry_run, self._line(now), now, alerts=self._alerts_in_words()
        )

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import cards, charts, guides

        if in_a_kernel():
            charts.get_ready()  # its dashboard is likely to be next
        record = self.refresh()
        by_hand = record.strategy is Strategy.MONITORING and record.serving is None
        now = self._now()
        line = self._line(now)
        code, alerts = guides.line(self.name) if by_hand else None, self._alerts_in_words()
        html = cards.deployment_card(record, self.dry_run, line, now, code=code, alerts=alerts)
        text = cards.deployment_text(record, self.dry_run, line, now, alerts=alerts)
        return {"text/html": html, "text/plain": text}

    def _alerts_in_words(self) -> str:
        """How its alerts stand; nothing where the platform does not say."""
        try:
            return self.alerts.in_words()
        except PicselliaJupyterError:
            return ""

    def _line(self, now: ServedNow | None) -> str:
        idle_s = now.running.idle_s if now and now.running else DEFAULT_IDLE_S
        return self._record.line(model_file=self._model_file, compute=self._compute, idle_s=idle_s)
