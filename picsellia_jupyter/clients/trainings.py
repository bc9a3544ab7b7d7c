"""Training runs of deployments, as people see them."""

from __future__ import annotations

from typing import Any

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.reviews import Reviews
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.training import Metric, TrainingPlan, TrainingRun
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.training import plan_from_json, run_from_json


class Trainings(Reviews):
    """Reviews, and the training that they lead to; on a local platform."""

    @sdk.translated
    def training_plan(self, record: DeploymentRecord) -> TrainingPlan:
        """What is set up of continuous training, and how near the next run is.

        Raises:
            PlatformError: this is the cloud.
        """
        return plan_from_json(self._get(self._training(record)))

    @sdk.translated
    def training_runs(self, record: DeploymentRecord) -> tuple[TrainingRun, ...]:
        """The newest training runs of a deployment, newest first."""
        items = self._get(f"{self._training(record)}/runs", {"limit": "100"})["items"]
        return tuple(run_from_json(one) for one in items)

    @sdk.translated
    def start_training(self, record: DeploymentRecord, *, place: str = "") -> TrainingRun:
        """Train now: by the platform's own runner, or by one that is started at a place.

        Raises:
            ConflictError: it is not set up, or a run is under way.
        """
        body = {"place": place}
        return run_from_json(self._send("post", f"{self._training(record)}/runs", body))

    @sdk.translated
    def training_run(self, run_id: str) -> TrainingRun:
        """A training run as it is now."""
        return run_from_json(self._get(_run(run_id)))

    @sdk.translated
    def cancel_training(self, run_id: str) -> TrainingRun:
        """Ask for the end of a run.

        Raises:
            ConflictError: it is over.
        """
        return run_from_json(self._send("post", f"{_run(run_id)}/cancel", {}))

    @sdk.translated
    def retry_training(self, run_id: str, *, place: str = "") -> TrainingRun:
        """Have a run that failed or was cancelled done again.

        Raises:
            ConflictError: it went well, or was tried again already.
        """
        return run_from_json(self._send("post", f"{_run(run_id)}/retry", {"place": place}))

    @sdk.translated
    def training_log(self, run_id: str) -> tuple[str, ...]:
        """The newest lines that a run printed."""
        return tuple(self._get(f"{_run(run_id)}/log")["lines"])

    @sdk.translated
    def training_metrics(self, run_id: str) -> tuple[Metric, ...]:
        """Numbers and curves that a run noted, oldest first."""
        items = self._get(f"{_run(run_id)}/metrics")["items"]
        found = ((str(one["name"]), _numbers(one["data"])) for one in items)
        return tuple(Metric(name, values) for name, values in found if values)

    @sdk.translated
    def add_training_trigger(
        self,
        record: DeploymentRecord,
        *,
        alert_id: str | None,
        every_s: float | None,
        rest_s: float,
    ) -> str:
        """Have training begin by itself; when, in words."""
        body = {"alert_id": alert_id, "every_s": every_s, "cooldown_s": rest_s}
        return str(self._send("post", f"{self._training(record)}/triggers", body)["said"])

    @sdk.translated
    def training_triggers(self, record: DeploymentRecord) -> dict[str, str]:
        """What sets training off beside reviews: in words, by id."""
        items = self._get(f"{self._training(record)}/triggers")["items"]
        return {str(one["id"]): str(one["said"]) for one in items}

    @sdk.translated
    def remove_training_trigger(self, trigger_id: str) -> None:
        """Have it set off training no more."""
        self._sdk.connection.delete(f"/api/local/training/triggers/{trigger_id}")

    @sdk.translated
    def detach_training_data(self, record: DeploymentRecord, name: str) -> None:
        """Have training no longer use the dataset version that it calls so.

        Raises:
            NotFoundError: it calls none so.
        """
        self._sdk.connection.delete(f"{self._training(record)}/datasets/{name}")

    def _training(self, record: DeploymentRecord) -> str:
        if not self.is_local:
            raise PlatformError(
                f"{self.host} trains by itself; only a local platform's runs are shown here.",
                f"Look at {record.name!r} on its page: {record.url or self.host}",
            )
        return f"/api/local/deployments/{record.id}/training"


def _run(run_id: str) -> str:
    return f"/api/local/training/runs/{run_id}"


def _numbers(data: Any) -> tuple[float, ...]:
    """A number, a list of them, or the `y` of a curve; nothing where it is something else."""
    if isinstance(data, dict):
        found: Json = data
        data = found.get("y", next(iter(found.values()), None))
    values = data if isinstance(data, list) else [data]
    is_all = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values)
    return tuple(float(one) for one in values) if is_all else ()
