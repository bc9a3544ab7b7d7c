"""The settings of a deployment as JSON: alerts and the retraining pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.domain.alerts import Alert, AlertMetric, Rang
from picsellia_jupyter.domain.loops import Loop, Part
from picsellia_jupyter.wire.predictions import Json

PIPELINE_PATHS: Mapping[Part, str] = {
    Part.FEEDBACK_LOOP: "fl",
    Part.CONTINUOUS_TRAINING: "ct",
    Part.CONTINUOUS_DEPLOYMENT: "cd",
}
"""What each part is called in the paths of its routes."""
_SETTINGS: Mapping[Part, str] = {
    Part.FEEDBACK_LOOP: "set_up",
    Part.CONTINUOUS_TRAINING: "settings",
    Part.CONTINUOUS_DEPLOYMENT: "policy",
}
"""The key that is empty where a part is not set up."""


def loop_from_json(raw: Mapping[str, Any]) -> Loop:
    """Read which parts of the pipeline run."""
    return {
        part: bool(raw[part.value]["active"]) if raw[part.value][key] else None
        for part, key in _SETTINGS.items()
    }


def alert_to_json(
    name: str, metric: AlertMetric, operator: str, limit: float | None, **more: object
) -> Json:
    """Spell a new condition; without a limit it takes the metric's own.

    Args:
        name: of the alert.
        metric: what is watched.
        operator: as in `OPERATORS`.
        limit: seconds, or a share in [0, 1].
        more: its other settings under their names on the wire; None leaves one out.
    """
    given = {key: value for key, value in more.items() if value is not None}
    return {"name": name, "metric": metric.value, "operator": operator, "limit": limit, **given}


def alert_from_json(raw: Mapping[str, Any]) -> Alert:
    """Read a condition that is watched."""
    return Alert(
        id=str(raw["id"]),
        name=str(raw["name"]),
        metric=AlertMetric(raw["metric"]),
        operator=str(raw["operator"]),
        limit=float(raw["limit"]),
        active=bool(raw["active"]),
        state=str(raw["state"]),
        value=raw["value"],
        reason=str(raw["reason"]),
        window_s=float(raw["window_s"]),
        webhook_host=str(raw["webhook_host"] or ""),
    )


def rang_from_json(raw: Mapping[str, Any]) -> Rang:
    """Read what came of trying a webhook."""
    return Rang(str(raw["host"]), bool(raw["delivered"]), str(raw["error"]))
