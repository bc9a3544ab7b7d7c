"""The settings of a deployment, each an attribute or a verb of its handle."""

from __future__ import annotations

import math

from picsellia_jupyter.domain.alerts import OPERATORS, Alert, AlertMetric
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    NotFoundError,
)
from picsellia_jupyter.domain.loops import Loop, Part
from picsellia_jupyter.domain.registry import ModelReference
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.handles.alerts import Alerts
from picsellia_jupyter.handles.notebook_alerts import NotebookAlerts, Sources
from picsellia_jupyter.handles.pipelines import PipelineView
from picsellia_jupyter.handles.promoting import Promoted, Promoting
from picsellia_jupyter.handles.shadowing import ShadowPredicting
from picsellia_jupyter.wire.settings import alert_to_json
from picsellia_jupyter.workflows.registry import find_datalake, find_model_version


class Settings(ShadowPredicting, Promoting):
    """What can be changed of a deployment; a change holds from the next prediction on."""

    def learn(self, record: DeploymentRecord) -> None:
        """Take note of what another handle of it was told."""
        self._record = record

    @property
    def name(self) -> str:
        """Its name, unique in the organization."""
        return self._record.name

    @name.setter
    def name(self, value: str) -> None:
        name = value.strip()
        if not name:
            raise InvalidInputError("A deployment has a name.", 'Give one: d.name = "my-line"')
        self._change(name=name)

    @property
    def datalake(self) -> str:
        """Name of the datalake that predicted images go into."""
        return self._record.datalake_name

    @datalake.setter
    def datalake(self, name: str) -> None:
        self._change(target_datalake_id=find_datalake(self._platform, name).id)

    @property
    def sample_rate(self) -> float:
        """Share of the predictions kept with their image, in [0, 1]; metrics are of all."""
        return self._record.sample_rate

    @sample_rate.setter
    def sample_rate(self, value: float) -> None:
        rate = float(value)
        if not (math.isfinite(rate) and 0 <= rate <= 1):
            raise InvalidInputError(
                f"A sample rate lies in [0, 1]; got {value:g}.", "1 keeps every image, 0.1 a tenth."
            )
        self._change(sample_rate=rate)

    @property
    def shadow(self) -> str | None:
        """The version that predicts in the champion's shadow: `digits-detector:1`, or None."""
        return self._record.shadow_title or None

    @shadow.setter
    def shadow(self, version: str | None) -> None:
        if version is None:
            self._platform.remove_shadow(self._record)
        else:
            found = find_model_version(self._platform, ModelReference.parse(version))
            self._platform.set_shadow(self.id, found.id)
        self.refresh()

    def promote_shadow(self) -> Promoted:
        """Make the shadow model the champion; the champion becomes its shadow.

        Raises:
            ConflictError: there is no shadow model, or the gate does not let it.
            ServingError: it could not be loaded; the champion stays.
            PlatformError: this is the cloud, where it is done on its page.
        """
        return self.promote(keep_as_shadow=True)

    def pipeline(self) -> PipelineView:
        """Everything from its predictions to its next champion, as one picture.

        Raises:
            PlatformError: this is the cloud, where it is on its page.
        """
        return PipelineView(self._platform.circle(self._record))

    def switches(self) -> Loop:
        """Which parts of the retraining pipeline run; None where one is not set up."""
        return self._platform.loop(self._record)

    def pause(self, part: str) -> None:
        """Pause a part of the retraining pipeline.

        Args:
            part: `feedback_loop`, `continuous_training` or `continuous_deployment`.

        Raises:
            ConflictError: it is not set up.
            NotFoundError: there is no such part.
        """
        self._platform.switch(self.id, Part.named(part), active=False)

    def resume(self, part: str) -> None:
        """Let a paused part of the retraining pipeline run again.

        Args:
            part: as for `pause`.
        """
        self._platform.switch(self.id, Part.named(part), active=True)

    @property
    def alerts(self) -> Alerts:
        """Conditions that are watched: `d.alerts.add("error rate > 5 % over 10 min")`.

        By the local platform, all the time; on a cloud by this notebook, while it is open.
        """
        platform, record = self._platform, self._record
        if platform.is_local:
            return Alerts(platform, record)
        watch = self._watches.of(platform.host, record.id, self._sources)
        return NotebookAlerts(platform, record, watch)

    def _sources(self) -> Sources:
        """Where this notebook's own alerts have their figures from."""
        own = self._beside()  # a connection of its own: a thread will use it

        def running() -> Running | None:
            own.refresh()
            return own._running()

        return Sources(running, lambda since: own._platform.server_figures(own.id, since=since))

    def add_alert(
        self,
        metric: str,
        operator: str = ">",
        limit: float | None = None,
        *,
        name: str | None = None,
    ) -> Alert:
        """Watch a condition: `d.add_alert("latency", ">", 0.5)`.

        Args:
            metric: `latency`, `avg_latency`, `is_drift`, `no_traffic`, …
            operator: `>`, `>=`, `<`, `<=` or `==`.
            limit: latencies in seconds, shares in [0, 1]; without one the metric's own.
            name: of the alert; its condition without one.

        Raises:
            InvalidInputError: there is no such operator, or no limit.
            NotFoundError: there is no such metric.
        """
        if operator not in OPERATORS:
            known = ", ".join(OPERATORS)
            raise InvalidInputError(f"There is no operator {operator!r}.", f"Known: {known}.")
        known_metrics = [one.value for one in AlertMetric]
        if metric not in known_metrics:
            raise NotFoundError.named("metric", metric, known_metrics)
        title = name or f"{metric} {operator} {'its limit' if limit is None else f'{limit:g}'}"
        alert = alert_to_json(title, AlertMetric(metric), operator, limit)
        return self.alerts.put(alert)

    def remove_alert(self, name: str) -> None:
        """Watch a condition no longer; what it noted is removed too.

        Args:
            name: of the alert, or its id.

        Raises:
            NotFoundError: there is none.
        """
        self.alerts.remove(name)

    def _change(self, **changes: object) -> None:
        self._platform.change_deployment(self.id, **changes)
        self.refresh()
