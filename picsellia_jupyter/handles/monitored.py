"""What a deployment has recorded: its dashboard and its images in a range of time."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from picsellia_jupyter.clients.endpoint import Backlog
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.dashboards import DashboardReport, Filters
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import MissingExtraError, PlatformError
from picsellia_jupyter.domain.evaluation import EvaluationReport
from picsellia_jupyter.handles.dashboard import DashboardView
from picsellia_jupyter.handles.evaluation import EvaluationView
from picsellia_jupyter.handles.recorded_images import RecordedImages
from picsellia_jupyter.handles.watching import EVERY_S, Wanted, Watch
from picsellia_jupyter.workflows.metrics import parse_range, summarize
from picsellia_jupyter.workflows.ranges import Moment, Range, range_of

FLUSH_TIMEOUT_S = 10.0


class Monitored(ABC):
    """What one asks of a deployment about what it predicted."""

    _platform: PlatformClient

    @property
    @abstractmethod
    def id(self) -> str:
        """The platform's id of it."""

    @abstractmethod
    def refresh(self) -> DeploymentRecord:
        """Ask the platform how it is now."""

    @abstractmethod
    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> Backlog:
        """Wait until the serving kernel has recorded its predictions."""

    def dashboard(
        self,
        last: str = "24h",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        version: str | None = None,
        label: str | None = None,
        tag: str | None = None,
        source: str | None = None,
    ) -> DashboardView:
        """Its dashboard over the last `30m`, `24h`, `7d`, … or `all`.

        Predictions that are still on their way are waited for, up to ten seconds; what is
        missing after that is said above the charts.

        Args:
            last: how far back; of no meaning where `since` is given.
            since: start of the range: `"2026-11-28"`, `"2026-11-28T02:10"`, a datetime, or
                seconds since the epoch. Without a zone it is this machine's time.
            until: its end.
            version: only predictions of this model version, such as `digits-detector:0`.
            label: only shapes of this label.
            tag: only predictions that were sent with this tag.
            source: only predictions that were sent with this source.

        Raises:
            InvalidInputError: the range cannot be read.
            NotFoundError: there is no such model version or label.
        """
        within = range_of(last, since, until, now=time.time())
        filters = Filters(version, label, tag, source)
        record, missing = self.refresh(), self.flush(FLUSH_TIMEOUT_S).in_words()
        return dashboard_of(self._platform, record, within, filters, missing=missing)

    def watch(
        self, last: str = "1h", *, every_s: float = EVERY_S, filters: Filters | None = None
    ) -> Watch:
        """Its dashboard, kept up to date until `stop` is called or its button is clicked.

        The notebook goes on meanwhile; `d.watch().wait()` waits until an interrupt.

        Args:
            last: how far back, at first.
            every_s: seconds between two looks; it is drawn anew where something has come.
            filters: which predictions, at first.

        Raises:
            InvalidInputError: the range cannot be read.
        """
        parse_range(last)
        # A connection of its own: a thread will use it.
        platform, record = self._platform.beside(), self.refresh()

        def draw(wanted: Wanted) -> DashboardView:
            within = range_of(wanted.last, None, None, now=time.time())
            return dashboard_of(platform, record, within, wanted.filters)

        return Watch(draw, Wanted(last, filters or Filters()), every_s=every_s)

    def predicted(
        self,
        last: str = "24h",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        version: str | None = None,
        label: str | None = None,
        tag: str | None = None,
        source: str | None = None,
        limit: int = 100,
    ) -> RecordedImages:
        """The images it has recorded in a range, newest first; as for `dashboard`.

        Args:
            last: how far back.
            since: start of the range.
            until: its end.
            version: only predictions of this model version.
            label: only images in which a shape of this label was found.
            tag: only predictions that were sent with this tag.
            source: only predictions that were sent with this source.
            limit: of the newest ones, at most 500.

        Raises:
            PlatformError: this is the cloud.
        """
        within = range_of(last, since, until, now=time.time())
        filters = Filters(version, label, tag, source)
        return images_of(self._platform, self.refresh(), within, filters, limit=limit)

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


def dashboard_of(
    platform: PlatformClient,
    record: DeploymentRecord,
    within: Range,
    filters: Filters,
    *,
    missing: str = "",
) -> DashboardView:
    """The dashboard of a range.

    Raises:
        NotFoundError: there is no such model version or label.
        PlatformError: a cloud's predictions cannot be filtered.
    """
    if not platform.is_local:
        return DashboardView(_of_cloud(platform, record, within, filters), missing=missing)
    report = platform.dashboard(record.id, since=within.since, until=within.until, filters=filters)
    return DashboardView(report, _review(platform, record, within, report), missing)


def images_of(
    platform: PlatformClient,
    record: DeploymentRecord,
    within: Range,
    filters: Filters,
    *,
    limit: int,
) -> RecordedImages:
    """The newest recorded images of a range.

    Raises:
        PlatformError: this is the cloud.
    """
    total, found = platform.recorded_images(
        record, since=within.since, until=within.until, filters=filters, limit=limit
    )
    images, photos = tuple(image for image, _ in found), tuple(photo for _, photo in found)
    return RecordedImages(images, photos, total, record.labels, record.threshold)


def _review(
    platform: PlatformClient,
    record: DeploymentRecord,
    within: Range,
    report: DashboardReport,
) -> EvaluationReport | None:
    # Reviews are not compared by source, nor label by label in another way than by name.
    if not report.has_reviews or report.filters.source:
        return None
    try:
        return platform.evaluation(
            record.id,
            since=within.since,
            until=within.until,
            tags=(report.filters.tag,) if report.filters.tag else (),
        )
    except MissingExtraError:
        return None


def _of_cloud(
    platform: PlatformClient, record: DeploymentRecord, within: Range, filters: Filters
) -> DashboardReport:
    if chosen := filters.in_words():
        raise PlatformError(
            f"{platform.host} does not tell predictions by {chosen}.",
            "Leave the filter out; its pages have filters of their own.",
        )
    log = platform.prediction_log(record.id, since=within.since, until=within.until)
    until = time.time() if within.until is None else within.until
    begin = within.since
    if begin is None:
        begin = float(log.at[0]) if len(log) else until
    figures = summarize(
        log,
        deployment=record.name,
        labels=record.labels,
        threshold=record.threshold,
        since=begin,
        until=max(until, begin),
    )
    return DashboardReport(figures, record.model_title)
