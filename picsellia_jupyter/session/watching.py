"""What deployments saw and how well they did."""

from __future__ import annotations

from typing import Protocol

from picsellia_jupyter.domain.dashboards import Filters
from picsellia_jupyter.handles.alerts import Alerts
from picsellia_jupyter.handles.cloud_dashboard import CloudDashboard
from picsellia_jupyter.handles.dashboard import DashboardView
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.handles.evaluation import EvaluationView
from picsellia_jupyter.handles.watching import Watch
from picsellia_jupyter.workflows.ranges import Moment


class FindsDeployments(Protocol):
    """Knows deployments by their names."""

    def deployment(self, name: str | None = None) -> Deployment:
        """One of them; the newest one if none is named."""


class Watching:
    """Verbs on what was predicted."""

    def monitor(
        self: FindsDeployments,
        name: str | None = None,
        *,
        last: str = "24h",
        since: Moment | None = None,
        until: Moment | None = None,
        version: str | None = None,
        label: str | None = None,
        tag: str | None = None,
        source: str | None = None,
    ) -> DashboardView | CloudDashboard:
        """A deployment's dashboard over the last `30m`, `24h`, `7d`, … or `all`.

        The arguments are those of `Deployment.dashboard`.
        """
        return self.deployment(name).dashboard(
            last, since=since, until=until, version=version, label=label, tag=tag, source=source
        )

    def watch(
        self: FindsDeployments,
        name: str | None = None,
        *,
        last: str = "1h",
        since: Moment | None = None,
        until: Moment | None = None,
        version: str | None = None,
        label: str | None = None,
        tag: str | None = None,
        source: str | None = None,
    ) -> Watch:
        """A deployment's dashboard, kept up to date until it is stopped."""
        filters = Filters(version, label, tag, source)
        return self.deployment(name).watch(last, since=since, until=until, filters=filters)

    def alerts(self: FindsDeployments, name: str | None = None) -> Alerts:
        """What is watched in a deployment; alerts are added, removed and tried there."""
        return self.deployment(name).alerts

    def evaluate(
        self: FindsDeployments,
        name: str | None = None,
        *,
        last: str = "all",
        sampled: str | None = None,
    ) -> EvaluationView:
        """How well a deployment's predictions agree with their reviews."""
        return self.deployment(name).evaluate(last, sampled=sampled)
