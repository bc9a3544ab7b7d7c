"""The charts of how well predictions agree with their reviews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.display.charts import BLUE, GREEN, GREY, ORANGE, Chart
from picsellia_jupyter.display.palette import tone_of
from picsellia_jupyter.domain.evaluation import Calibration, EvaluationReport, LabelScores

_MOST_POINTS = 400
"""Of a curve; more cannot be seen."""
_STEPS: Mapping[str, Any] = {"drawstyle": "steps-pre", "linewidth": 1.6}
_MOST_LABELS = 6
"""Whose curves are drawn into one chart."""


def charts_of(report: EvaluationReport) -> list[Chart]:
    """Precision, recall and F1 over the threshold, and calibration; those that are known."""
    drawn = [one for one in report.labels if one.curve is not None]
    made = [_curve(report, max(drawn, key=lambda one: one.truth))] if drawn else []
    if len(drawn) > 1:
        made.append(_best_thresholds(report))
    known = report.calibration
    if known is not None and known.counts.sum():
        made.append(_calibration(known))
    return made


def _curve(report: EvaluationReport, one: LabelScores) -> Chart:
    curve = one.curve
    assert curve is not None  # noqa: S101 - chosen by the caller
    rows = np.unique(np.linspace(0, len(curve.scores) - 1, _MOST_POINTS).astype(int))
    lines = {
        "precision": (curve.precision[rows], BLUE, "-"),
        "recall": (curve.recall[rows], ORANGE, "-."),
        "F1": (curve.f1[rows], GREEN, "--"),
    }  # fmt: skip

    def draw(panel: Any) -> None:
        for name, (values, tone, dash) in lines.items():
            steps = _steps(curve.scores[rows], values)
            panel.plot(*steps, dash, color=tone, label=name, **_STEPS)
        if report.threshold is not None:
            panel.axvline(report.threshold, color=GREY, linestyle=":", label="threshold")
        panel.set_xlim(0, 1)
        panel.set_ylim(0, 1.05)

    best = one.best
    said = "" if best is None else f"F1 is best, {best.f1:.2f}, at {best.threshold:.2f}."
    columns = {"threshold": curve.scores[rows].tolist()}
    columns |= {name.lower(): values.tolist() for name, (values, *_) in lines.items()}
    return Chart(
        "precision_recall", f"Precision, recall, F1 of {one.label}", f"n = {one.truth:,}; {said}",
        said, columns, draw, has_legend=True,
    )  # fmt: skip


def _steps(scores: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[Any, Any]:
    """A curve over ascending thresholds from 0 on: up to the next score nothing changes."""
    order = np.argsort(scores, kind="stable")
    return np.append(0.0, scores[order]), np.append(values[order[0]], values[order])


def _best_thresholds(report: EvaluationReport) -> Chart:
    """F1 over the threshold of the labels with the most truth, each with its best point."""
    known = [(row, one) for row, one in enumerate(report.labels) if one.curve is not None]
    shown = sorted(known, key=lambda pair: -pair[1].truth)[:_MOST_LABELS]

    def draw(panel: Any) -> None:
        for row, one in shown:
            assert one.curve is not None  # noqa: S101 - chosen above
            panel.plot(*_steps(one.curve.scores, one.curve.f1), color=tone_of(row), **_STEPS)
            if one.best is not None:
                panel.plot([one.best.threshold], [one.best.f1], "o", color=tone_of(row))
        if report.threshold is not None:
            panel.axvline(report.threshold, color=GREY, linestyle=":")
        panel.set_xlim(0, 1)
        panel.set_ylim(0, 1.05)

    best = [(one.label, one.best) for _, one in shown if one.best is not None]
    told = ", ".join(f"{label} {point.f1:.2f} at {point.threshold:.2f}" for label, point in best)
    return Chart(
        "best_thresholds", "F1 of each label over the threshold",
        f"{len(shown)} of {len(known)} labels, dots: best",
        f"Best F1: {told}.",
        {
            "label": [label for label, _ in best],
            "threshold": [point.threshold for _, point in best],
            "f1": [point.f1 for _, point in best],
        },
        draw, colours=[(one.label, tone_of(row)) for row, one in shown],
    )  # fmt: skip


def curves_of(report: EvaluationReport) -> dict[str, list[Any]]:
    """The curves of all labels below one another: columns of one length."""
    rows: list[tuple[Any, ...]] = []
    for one in report.labels:
        if one.curve is not None:
            values = (one.curve.scores, one.curve.precision, one.curve.recall, one.curve.f1)
            rows += [(one.label, *row) for row in np.column_stack(values).tolist()]
    names = ("label", "threshold", "precision", "recall", "f1")
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _calibration(one: Calibration) -> Chart:
    filled = one.counts > 0

    def draw(panel: Any) -> None:
        panel.plot([0, 1], [0, 1], ":", color=GREY, label="perfect")
        panel.plot(
            one.confidence[filled], one.accuracy[filled], "-o", color=BLUE, label="share right",
            markersize=3.5,
        )  # fmt: skip
        panel.set_xlim(0, 1)
        panel.set_ylim(0, 1.05)

    told = "" if one.ece is None else f"; error {one.ece:.3f}"
    return Chart(
        "calibration", "Calibration: score against share right",
        f"n = {int(one.counts.sum()):,}{told}", f"Expected calibration error {one.ece or 0:.3f}.",
        {
            "confidence": one.confidence[filled].tolist(),
            "accuracy": one.accuracy[filled].tolist(), "count": one.counts[filled].tolist(),
        },
        draw, has_legend=True,
    )  # fmt: skip
