"""What goes on in all deployments: alerts that fire, training that is under way."""

from __future__ import annotations

from dataclasses import dataclass

from picsellia_jupyter.domain.training import TrainingRun


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert's condition is met, or was until a moment ago."""

    id: str
    """Of the episode: the same as long as it goes on."""
    deployment_id: str
    alert: str
    """Its name, such as `latency > 0.5`."""
    value: float
    """Of its metric, that met it first."""
    is_over: bool


@dataclass(frozen=True, slots=True)
class News:
    """What goes on or ended a moment ago, each newest first."""

    alerts: tuple[Firing, ...] = ()
    runs: tuple[TrainingRun, ...] = ()

    def alerts_of(self, deployment_id: str) -> tuple[Firing, ...]:
        """Those of one deployment."""
        return tuple(one for one in self.alerts if one.deployment_id == deployment_id)

    def run_of(self, deployment_id: str) -> TrainingRun | None:
        """The newest training run of a deployment, if it is news."""
        return next((one for one in self.runs if one.deployment_id == deployment_id), None)
