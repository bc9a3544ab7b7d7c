"""Tests for drift as JSON, read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.domain.dashboards import Drift
from picsellia_jupyter.domain.drift import DriftReport, SignalDrift, Verdict
from picsellia_jupyter.wire.predictions import Json


def drift_to_json(one: Drift) -> Json:
    """Spell a test."""
    signals = [
        {
            name: getattr(signal, name)
            for name in ("signal", "test", "reference", "current", "effect", "p", "q")
        }
        | {"verdict": signal.verdict.value}
        for signal in one.report.signals
    ]
    return {
        "signals": signals,
        "alpha": one.report.alpha,
        "baseline": one.baseline,
        "window": one.window,
        "training_images": one.training_images,
    }


def drift_from_json(raw: Mapping[str, Any]) -> Drift:
    """Read a test."""
    signals = tuple(
        SignalDrift(**{**signal, "verdict": Verdict(signal["verdict"])})
        for signal in raw["signals"]
    )
    report = DriftReport(signals, float(raw["alpha"]))
    return Drift(report, raw["baseline"], raw["window"], raw["training_images"])
