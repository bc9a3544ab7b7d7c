"""An evaluation as JSON, both ways: the reply of the supervised statistics."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.evaluation import (
    AtThreshold,
    BestThreshold,
    Calibration,
    Comparison,
    Confusion,
    Coverage,
    Curve,
    Difference,
    ErrorTypes,
    EvaluationReport,
    Interval,
    LabelScores,
)
from picsellia_jupyter.wire.predictions import Json


def report_to_json(report: EvaluationReport) -> Json:
    """Spell a report; `stats` are its figures by the platform's names."""
    return {
        "deployment": report.deployment,
        "kind": report.kind,
        "coverage": coverage_to_json(report.coverage),
        "threshold": report.threshold,
        "truth": report.truth,
        "found": report.found,
        "stats": dict(report.scores),
        "intervals": {name: dataclasses.asdict(one) for name, one in report.intervals.items()},
        "labels": [_label_to_json(one) for one in report.labels],
        "confusion": report.confusion and _confusion_to_json(report.confusion),
        "errors": report.errors and dataclasses.asdict(report.errors),
        "calibration": report.calibration and _calibration_to_json(report.calibration),
        "comparison": report.comparison and dataclasses.asdict(report.comparison),
        "notices": list(report.notices),
        "evaluator": report.evaluator,
    }


def report_from_json(raw: Mapping[str, Any]) -> EvaluationReport:
    """Read a report.

    Raises:
        PlatformError: it has another shape, as the cloud's may have.
    """
    try:
        return _report(raw)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PlatformError(
            f"The platform's evaluation has an unknown shape ({type(error).__name__}: {error}).",
            "Look at the raw figures: session.sdk.get_deployment(name).get_stats(…).",
        ) from error


def coverage_to_json(coverage: Coverage) -> Json:
    """Spell how much was reviewed, also in words."""
    return {
        "reviewed": coverage.reviewed,
        "predicted": coverage.predicted,
        "samplings": dict(coverage.samplings),
        "fair": coverage.is_fair,
        "told": coverage.in_words(),
    }


def _report(raw: Mapping[str, Any]) -> EvaluationReport:
    confusion, calibration = raw["confusion"], raw["calibration"]
    return EvaluationReport(
        deployment=str(raw["deployment"]),
        kind=str(raw["kind"]),
        coverage=_coverage(raw["coverage"]),
        threshold=raw["threshold"],
        truth=int(raw["truth"]),
        found=int(raw["found"]),
        scores={name: _number(value) for name, value in raw["stats"].items()},
        intervals={name: Interval(**one) for name, one in raw["intervals"].items()},
        labels=tuple(_label(one) for one in raw["labels"]),
        confusion=confusion and _confusion(confusion),
        errors=ErrorTypes(**raw["errors"]) if raw["errors"] else None,
        calibration=calibration and _calibration(calibration),
        comparison=comparison_from_json(raw["comparison"]) if raw["comparison"] else None,
        notices=tuple(map(str, raw["notices"])),
        evaluator=str(raw["evaluator"]),
    )


def _coverage(raw: Mapping[str, Any]) -> Coverage:
    samplings = {str(name): int(number) for name, number in raw["samplings"].items()}
    return Coverage(int(raw["reviewed"]), int(raw["predicted"]), samplings)


# Labels ---------------------------------------------------------------------------------------


def _label_to_json(one: LabelScores) -> Json:
    counts = one.at_threshold
    return {
        "label": one.label,
        "truth": one.truth,
        **dataclasses.asdict(counts),
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "ap": one.ap,
        "ap_50": one.ap_50,
        "best": one.best and dataclasses.asdict(one.best),
        "curve": one.curve and _curve_to_json(one.curve),
    }


def _label(raw: Mapping[str, Any]) -> LabelScores:
    return LabelScores(
        label=str(raw["label"]),
        truth=int(raw["truth"]),
        at_threshold=AtThreshold(int(raw["right"]), int(raw["wrong"]), int(raw["missed"])),
        ap=_number(raw["ap"]),
        ap_50=_number(raw["ap_50"]),
        best=BestThreshold(**raw["best"]) if raw["best"] else None,
        curve=_curve(raw["curve"]) if raw["curve"] else None,
    )


def _curve_to_json(curve: Curve) -> Json:
    return {
        "scores": curve.scores.tolist(),
        "precision": curve.precision.tolist(),
        "recall": curve.recall.tolist(),
        "f1": curve.f1.tolist(),
    }


def _curve(raw: Mapping[str, Any]) -> Curve:
    columns = (np.asarray(raw[key], np.float64) for key in ("scores", "precision", "recall"))
    return Curve(*columns)


# Tables ---------------------------------------------------------------------------------------


def _confusion_to_json(confusion: Confusion) -> Json:
    return {"labels": list(confusion.labels), "counts": confusion.counts.tolist()}


def _confusion(raw: Mapping[str, Any]) -> Confusion:
    return Confusion(tuple(raw["labels"]), np.asarray(raw["counts"], np.int64))


def _calibration_to_json(calibration: Calibration) -> Json:
    return {
        "edges": calibration.edges.tolist(),
        "counts": calibration.counts.tolist(),
        "confidence": calibration.confidence.tolist(),
        "accuracy": calibration.accuracy.tolist(),
        "ece": calibration.ece,
    }


def _calibration(raw: Mapping[str, Any]) -> Calibration:
    return Calibration(
        edges=np.asarray(raw["edges"], np.float64),
        counts=np.asarray(raw["counts"], np.int64),
        confidence=np.asarray(raw["confidence"], np.float64),
        accuracy=np.asarray(raw["accuracy"], np.float64),
    )


def comparison_from_json(raw: Mapping[str, Any]) -> Comparison:
    """Read what `dataclasses.asdict` spelled of a comparison."""
    scores = {
        name: Difference(*(Interval(**one[key]) for key in ("champion", "shadow", "gain")))
        for name, one in raw["scores"].items()
    }
    return Comparison(str(raw["champion"]), str(raw["shadow"]), int(raw["images"]), scores)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
