"""Whole dashboards as JSON, both ways."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from picsellia_jupyter.domain.dashboards import (
    Choices,
    DashboardReport,
    Errors,
    Filters,
    Heatmap,
    OpenAlert,
    Outliers,
    ShadowLatency,
)
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.wire.dashboards import (
    dashboard_from_json,
    dashboard_to_json,
    series_from_json,
    series_to_json,
)
from picsellia_jupyter.wire.drift import drift_from_json, drift_to_json
from picsellia_jupyter.wire.predictions import Json

_PLAIN = ("champion", "shadow", "watched", "total_variation", "has_reviews")


def report_to_json(one: DashboardReport) -> Json:
    """Spell a dashboard with everything in it."""
    return {
        **{name: getattr(one, name) for name in _PLAIN},
        "figures": dashboard_to_json(one.figures),
        "filters": dataclasses.asdict(one.filters),
        "choices": dataclasses.asdict(one.choices),
        "alerts": [dataclasses.asdict(alert) for alert in one.alerts],
        "errors": _plain(one.errors),
        "shadow_latency": _plain(one.shadow_latency),
        # A list keeps the order, which an object need not.
        "labels_over_time": [[name, n.tolist()] for name, n in one.labels_over_time.items()],
        "training_labels": [[name, number] for name, number in one.training_labels.items()],
        "images": {name: series_to_json(series) for name, series in one.images.items()},
        "drift": one.drift and drift_to_json(one.drift),
        "outliers": _plain(one.outliers),
        "heatmap": _plain(one.heatmap),
        "notices": list(one.notices),
    }


def report_from_json(raw: Mapping[str, Any]) -> DashboardReport:
    """Read a dashboard with everything in it.

    Raises:
        PlatformError: it has another shape.
    """
    try:
        return _report(raw)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PlatformError(
            f"The platform's dashboard has an unknown shape ({error}).",
            "Stop the local platform, so that the installed version starts: "
            "picsellia-jupyter platform stop",
        ) from error


def _report(raw: Mapping[str, Any]) -> DashboardReport:
    return DashboardReport(
        **{name: raw[name] for name in _PLAIN},
        figures=dashboard_from_json(raw["figures"]),
        filters=Filters(**raw["filters"]),
        choices=Choices(**{name: tuple(values) for name, values in raw["choices"].items()}),
        alerts=tuple(OpenAlert(**alert) for alert in raw["alerts"]),
        errors=_made(Errors, raw["errors"], kind=np.int64),
        shadow_latency=_made(ShadowLatency, raw["shadow_latency"]),
        labels_over_time={
            str(name): np.asarray(counts, np.int64) for name, counts in raw["labels_over_time"]
        },
        training_labels={str(name): int(number) for name, number in raw["training_labels"]},
        images={name: series_from_json(series) for name, series in raw["images"].items()},
        drift=drift_from_json(raw["drift"]) if raw["drift"] else None,
        outliers=_made(Outliers, raw["outliers"]),
        heatmap=_made(Heatmap, raw["heatmap"], kind=np.int64),
        notices=tuple(raw["notices"]),
    )


def _plain(one: Any) -> Json | None:
    """A value of numbers and arrays, or None."""
    if one is None:
        return None
    fields = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in fields.items()
    }


def _made(form: Any, raw: Mapping[str, Any] | None, *, kind: Any = np.float64) -> Any:
    if raw is None:
        return None
    return form(
        **{
            name: np.asarray(value, kind) if isinstance(value, list) else value
            for name, value in raw.items()
        }
    )
