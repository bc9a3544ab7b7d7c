"""Dashboards as JSON: computed where the predictions are, drawn where the user is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.monitoring import Dashboard, Series
from picsellia_jupyter.wire.predictions import Json

_PLAIN = (
    "deployment", "since", "until", "inferences", "shapes", "threshold", "mean_latency_s",
    "p50_s", "p95_s", "p99_s",
)  # fmt: skip
_ARRAYS = ("latency_at", "latency_p50_s", "latency_p95_s", "latency_p99_s")
_SERIES = ("predictions_over_time", "score_histogram")


def dashboard_to_json(one: Dashboard) -> Json:
    """Spell a dashboard."""
    return {
        **{name: getattr(one, name) for name in _PLAIN},
        **{name: getattr(one, name).tolist() for name in _ARRAYS},
        **{name: series_to_json(getattr(one, name)) for name in _SERIES},
        "label_counts": [[name, number] for name, number in one.label_counts.items()],
    }


def dashboard_from_json(raw: Mapping[str, Any]) -> Dashboard:
    """Read a dashboard.

    Raises:
        PlatformError: it has another shape.
    """
    try:
        fields: dict[str, Any] = {
            **{name: raw[name] for name in _PLAIN},
            **{name: np.asarray(raw[name], np.float64) for name in _ARRAYS},
            **{name: series_from_json(raw[name]) for name in _SERIES},
            "label_counts": {str(name): int(number) for name, number in raw["label_counts"]},
        }
        return Dashboard(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise PlatformError(
            f"The platform's dashboard has an unknown shape ({error}).",
            "Stop the local platform, so that the installed version starts: "
            "picsellia-jupyter platform stop",
        ) from error


def series_to_json(one: Series) -> Json:
    """Spell counts in bins."""
    return {"edges": one.edges.tolist(), "counts": one.counts.tolist()}


def series_from_json(raw: Mapping[str, Any]) -> Series:
    """Read counts in bins."""
    return Series(np.asarray(raw["edges"], np.float64), np.asarray(raw["counts"], np.int64))
