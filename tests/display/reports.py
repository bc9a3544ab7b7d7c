"""Dashboards to draw, of any size and shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from picsellia_jupyter.domain.dashboards import (
    Choices,
    DashboardReport,
    Drift,
    Errors,
    Heatmap,
    OpenAlert,
    Outliers,
    ShadowLatency,
)
from picsellia_jupyter.domain.drift import DriftReport, SignalDrift, Verdict
from picsellia_jupyter.domain.monitoring import PredictionLog, Series
from picsellia_jupyter.workflows.metrics import summarize

UNTIL = 1_790_000_000.0
DAY = 86_400.0


def log(predictions: int, *, shapes_each: int = 4, seconds: float = DAY) -> PredictionLog:
    rng = np.random.default_rng(0)
    shape_of = np.repeat(np.arange(predictions), shapes_each)
    return PredictionLog(
        at=np.sort(UNTIL - rng.random(predictions) * seconds),
        latency_s=rng.gamma(4, 0.001, predictions),
        shape_of=shape_of,
        classes=rng.integers(0, 15, len(shape_of)),
        scores=rng.random(len(shape_of)),
    )


def report(
    predictions: int = 100, *, threshold=0.3, labels=None, name="brave-otter", **options
) -> DashboardReport:
    seconds = options.pop("seconds", DAY)
    labels = labels or {index: str(index) for index in range(15)}
    figures = summarize(
        log(predictions, seconds=seconds, **options),
        deployment=name, labels=labels, threshold=threshold, since=UNTIL - seconds, until=UNTIL,
    )  # fmt: skip
    bins = len(figures.predictions_over_time.counts)
    shown = list(figures.label_counts)[:6]
    return DashboardReport(
        figures,
        "digits:0",
        choices=Choices(labels=tuple(labels.values())),
        labels_over_time={name: np.arange(bins) + row for row, name in enumerate(shown)},
    )


def signal(name="mean score", verdict=Verdict.DRIFT, effect=0.31) -> SignalDrift:
    return SignalDrift(name, "ks", 1000, 300, effect, 0.0001, 0.0004, verdict)


def drift(*signals: SignalDrift) -> Drift:
    return Drift(DriftReport(signals, 0.05), 1000, 300, 0)


def full(predictions: int = 500) -> DashboardReport:
    """A dashboard with everything in it."""
    made = report(predictions)
    at = made.figures.latency_at
    return replace(
        made,
        shadow="digits:1",
        alerts=(OpenAlert("slow", "latency", ">", 0.5, 0.812, 12, UNTIL - 60),),
        watched=3,
        errors=Errors(500, 12, np.arange(len(made.figures.predictions_over_time.counts))),
        shadow_latency=ShadowLatency(80, at, np.full(len(at), 0.02)),
        training_labels={"0": 300, "7": 100, "never seen": 50},
        total_variation=0.24,
        images={
            "width": Series(np.array([40.0, 60.0, 80.0]), np.array([400, 100])),
            "area": Series(np.array([1_600.0, 1_200_000.0, 1_210_000.0]), np.array([400, 100])),
        },
        drift=drift(signal(), signal("label", Verdict.STEADY, 0.02)),
        outliers=Outliers(0.02, 500, 30, at, np.full(len(at), 0.01), np.linspace(0, 0.4, len(at))),
        heatmap=Heatmap(np.arange(1024).reshape(32, 32), 200, 900),
    )
