"""Rollouts and the gate before a promotion as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.domain.promotion import (
    Cause,
    Evidence,
    Gate,
    Role,
    Rollout,
    RolloutState,
    StoredPrediction,
    Unshadowed,
)
from picsellia_jupyter.wire.predictions import Json


def gate_to_json(gate: Gate) -> Json:
    """Spell a gate."""
    return {
        "metric": gate.metric,
        "by": gate.by,
        "confidence": gate.confidence,
        "at_least": gate.at_least,
        "evidence": gate.evidence.value,
    }


def gate_from_json(raw: Mapping[str, Any] | None) -> Gate | None:
    """Read a gate; None where none is set.

    Raises:
        InvalidInputError: it asks for what cannot be.
    """
    if raw is None:
        return None
    return Gate(
        metric=str(raw["metric"]),
        by=float(raw["by"]),
        confidence=float(raw["confidence"]),
        at_least=int(raw["at_least"]),
        evidence=Evidence(raw["evidence"]),
    )


def unshadowed_from_json(raw: Mapping[str, Any]) -> Unshadowed:
    """Read which images no shadow model has predicted on."""
    names = ("id", "connector_id", "object_name", "filename")
    items = (StoredPrediction(*(str(one[name]) for name in names)) for one in raw["items"])
    return Unshadowed(tuple(items), int(raw["count"]), int(raw["by_others"]))


def rollout_from_json(raw: Mapping[str, Any]) -> Rollout:
    """Read a rollout."""
    return Rollout(
        id=str(raw["id"]),
        version_id=str(raw["version_id"]),
        title=str(raw["title"]),
        role=Role(raw["role"]),
        cause=Cause(raw["cause"]),
        state=RolloutState(raw["state"]),
        at=float(raw["at"]),
        previous=str(raw["previous"]),
        previous_version_id=str(raw["previous_version_id"]),
        forced=raw["forced"] is True,
        said=str(raw["said"]),
        run_id=str(raw["run_id"] or ""),
    )
