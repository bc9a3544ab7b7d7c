"""A cloud deployment's figures in a user's hand: the platform's first, ours to check them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.cloud_figures import CloudReport, CrossCheck
from picsellia_jupyter.domain.dashboards import Filters
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.monitoring import Dashboard
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.workflows.metrics import summarize
from picsellia_jupyter.workflows.ranges import Range

_MOST = 20_000
"""Recorded predictions up to which each one is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class CloudDashboard:
    """What a cloud tells of a deployment, and what is seen from here; its numbers in `data`."""

    data: CloudReport
    missing: str = ""
    """What was predicted and is not in it, in words."""

    @property
    def url(self) -> str:
        """The page on which the platform draws its own dashboard."""
        return self.data.url

    def __repr__(self) -> str:
        from picsellia_jupyter.display import cards, clouds

        return cards.with_note_text(clouds.text(self.data), self.missing)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import cards, clouds

        html = cards.with_note(clouds.html(self.data), self.missing)
        return {"text/html": html, "text/plain": repr(self)}


def cloud_report(
    platform: PlatformClient,
    record: DeploymentRecord,
    within: Range,
    filters: Filters,
    running: Running | None,
) -> CloudReport:
    """A cloud's own figures of a range, and ours.

    Args:
        platform: the cloud.
        record: of the deployment.
        within: which predictions.
        filters: of these the cloud takes tags alone.
        running: what the serving kernel of ours says.

    Raises:
        PlatformUnreachableError: it does not answer.
    """
    tags = (filters.tag,) if filters.tag else ()
    told = platform.server_figures(record.id, since=within.since, until=within.until, tags=tags)
    until = time.time() if within.until is None else within.until
    return CloudReport(
        record.name,
        platform.host,
        str(record.url),
        within.since,
        until,
        told,
        _cross_check(platform, record, within.since, until, running),
        _notices(filters),
    )


def _cross_check(
    platform: PlatformClient,
    record: DeploymentRecord,
    since: float | None,
    until: float,
    running: Running | None,
) -> CrossCheck:
    recorded = platform.count_recorded(record.id)
    twice = len(platform.duplicates(record.id))
    if recorded is not None and recorded > _MOST:
        why = f"it has over {_MOST:,} predictions, which are not asked for one by one"
        return CrossCheck(recorded, twice, running, None, why)
    computed, why = _computed(platform, record, since, until)
    return CrossCheck(recorded, twice, running, computed, why)


def _computed(
    platform: PlatformClient, record: DeploymentRecord, since: float | None, until: float
) -> tuple[Dashboard | None, str]:
    try:
        log = platform.prediction_log(record.id, since=since, until=until)
    except PicselliaJupyterError as error:
        return None, error.fact
    return summarize(
        log,
        deployment=record.name,
        labels=record.labels,
        threshold=record.threshold,
        since=since,
        until=until,
    ), ""


def _notices(filters: Filters) -> tuple[str, ...]:
    asked = [name for name in ("version", "label", "source") if getattr(filters, name)]
    notices = []
    if asked:
        notices.append(f"Its statistics are not told by {' and '.join(asked)}: they are of all.")
    if filters.tag:
        notices.append("What is seen from here is of all predictions, whatever their tags.")
    return tuple(notices)
