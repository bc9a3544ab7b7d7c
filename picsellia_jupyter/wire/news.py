"""What goes on in all deployments, read from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.domain.news import Firing, News
from picsellia_jupyter.wire.training import run_from_json


def news_from_json(raw: Mapping[str, Any]) -> News:
    """Read what goes on."""
    return News(tuple(map(_firing, raw["alerts"])), tuple(map(run_from_json, raw["training"])))


def _firing(raw: Mapping[str, Any]) -> Firing:
    return Firing(
        id=str(raw["id"]),
        deployment_id=str(raw["deployment_id"]),
        alert=str(raw["alert"]),
        value=float(raw["value"]),
        is_over=raw["ended_at"] is not None,
    )
