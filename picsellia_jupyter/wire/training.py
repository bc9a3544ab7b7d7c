"""Training runs and what is set up of them, read from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.domain.training import Cause, HeldOut, RunState, TrainingPlan, TrainingRun
from picsellia_jupyter.wire.evaluation import comparison_from_json


def run_from_json(raw: Mapping[str, Any]) -> TrainingRun:
    """Read a training run."""
    return TrainingRun(
        id=str(raw["id"]),
        deployment_id=str(raw["deployment_id"]),
        cause=Cause(raw["cause"]),
        said=str(raw["said"]),
        state=RunState(raw["state"]),
        place=str(raw["place"]),
        created_at=float(raw["created_at"]),
        started_at=raw["started_at"],
        ended_at=raw["ended_at"],
        attempt=int(raw["attempt"]),
        progress=float(raw["progress"]),
        step=str(raw["step"]),
        error=str(raw["error"]),
        experiment_id=str(raw["experiment_id"] or ""),
        experiment=str(raw["experiment"]),
        base=str(raw["base"]),
        version=str(raw["version"]),
        version_id=str(raw["version_id"] or ""),
        held_out=_held_out(raw["held_out"]),
    )


def plan_from_json(raw: Mapping[str, Any]) -> TrainingPlan:
    """Read what is set up of continuous training."""
    return TrainingPlan(
        is_set_up=raw["is_set_up"] is True,
        is_active=raw["is_active"] is True,
        project=str(raw["project"]),
        threshold=raw["threshold"],
        untrained=int(raw["untrained"]),
        parameters=dict(raw["parameters"]),
        datasets={str(name): str(title) for name, title in raw["datasets"].items()},
    )


def _held_out(raw: Mapping[str, Any] | None) -> HeldOut | None:
    if raw is None:
        return None
    compared = raw["comparison"]
    comparison = comparison_from_json(compared) if compared else None
    return HeldOut(str(raw["dataset"]), comparison, str(raw["said"]))
