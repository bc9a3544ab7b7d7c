"""What a deployment has recorded: its dashboard and its images in a range of time."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from picsellia_jupyter.clients.front import Backlog
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.dashboards import DashboardReport, Filters
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import MissingExtraError
from picsellia_jupyter.domain.evaluation import EvaluationReport
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.handles.cloud_dashboard import CloudDashboard, cloud_report
from picsellia_jupyter.handles.dashboard import DashboardView
from picsellia_jupyter.handles.recorded import RecordedPrediction
from picsellia_jupyter.handles.recorded_images import RecordedImages
from picsellia_jupyter.handles.watch_controls import Wanted
from picsellia_jupyter.handles.watching import EVERY_S, Watch
from picsellia_jupyter.workflows.ranges import Moment, Range, range_of

FLUSH_TIMEOUT_S = 10.0
_CLICKED = 100
"""Images that a clicked bar shows, of the newest ones."""


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

    @abstractmethod
    def _running(self) -> Running | None:
        """What its serving kernel says of itself; None where none answers."""

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
    ) -> DashboardView | CloudDashboard:
        """Its dashboard over the last `30m`, `24h`, `7d`, … or `all`.

        Predictions that are still on their way are waited for, up to ten seconds; what is
        missing after that is said above the charts. The cloud draws its own: there the figures
        that it tells come first, ours beside them as a cross-check, and the page's address.

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
        _draw_soon()
        record, missing = self.refresh(), self.flush(FLUSH_TIMEOUT_S).in_words()
        if not self._platform.is_local:
            told = cloud_report(self._platform, record, within, filters, self._running())
            return CloudDashboard(told, missing)
        return dashboard_of(self._platform, record, within, filters, missing=missing)

    def watch(
        self,
        last: str = "1h",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        every_s: float = EVERY_S,
        filters: Filters | None = None,
    ) -> Watch:
        """Its dashboard, kept up to date until `stop` is called or its button is clicked.

        The notebook goes on meanwhile; `d.watch().wait()` waits until an interrupt.

        Args:
            last: how far back, at first; of no meaning where `since` is given.
            since: start of the range, at first; as for `dashboard`.
            until: its end; without one it moves on.
            every_s: seconds between two looks; it is drawn anew where something has come.
            filters: which predictions, at first.

        Raises:
            InvalidInputError: the range cannot be read.
        """
        range_of(last, since, until, now=time.time())
        # A connection of its own: a thread will use it.
        platform, record = self._platform.beside(), self.refresh()

        def draw(wanted: Wanted) -> DashboardView:
            within = range_of(wanted.last, wanted.since, wanted.until, now=time.time())
            return dashboard_of(platform, record, within, wanted.filters)

        def images(wanted: Wanted) -> RecordedImages | RecordedPrediction:
            since, until = wanted.images or (None, None)
            within = range_of("all", since, until, now=time.time())
            found = images_of(platform, record, within, wanted.filters, limit=_CLICKED)
            return found[0] if len(found) == 1 else found

        wanted = Wanted(last, filters or Filters(), since, until)
        return Watch(draw, wanted, every_s=every_s, images=images)

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


def _draw_soon() -> None:
    from picsellia_jupyter.display import charts

    charts.get_ready()


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
        PlatformError: this is the cloud.
    """
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
    if not report.has_reviews:
        return None
    chosen = report.filters
    try:
        return platform.evaluation(
            record.id,
            since=within.since,
            until=within.until,
            version=chosen.version,
            label=chosen.label,
            tags=(chosen.tag,) if chosen.tag else (),
            source=chosen.source,
        )
    except MissingExtraError:
        return None
