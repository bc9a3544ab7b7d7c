"""What the predictions of a deployment add up to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.predictions import over_threshold
from picsellia_jupyter.domain.registry import InferenceType, label_name
from picsellia_jupyter.localplatform.labels import label_names
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import Json


@dataclass(frozen=True, slots=True)
class Selection:
    """Which predictions of a deployment are meant."""

    deployment: Deployment
    since: float | None = None
    """Earliest, seconds since the epoch, UTC."""
    until: float | None = None
    """Latest, likewise."""
    model_version_id: str | None = None
    includes: tuple[str, ...] = ()
    """Only these predictions, by id."""
    excludes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Only predictions that were sent with one of these."""
    source: str | None = None
    """Only predictions that were sent with this one."""


def prediction_log(session: Session, chosen: Selection) -> PredictionLog:
    """The chosen champion predictions, oldest first, with all their raw scores.

    Of a classification only the first class counts: it is the answer.
    """
    only_first = chosen.deployment.type == InferenceType.CLASSIFICATION.value
    rows = [
        (row.at, row.latency, _int64(row.classes), _float64(row.scores))
        for row in session.execute(_query(chosen))
        if is_tagged(row.tags, chosen.tags)
    ]
    counts = [min(len(scores), 1) if only_first else len(scores) for *_, scores in rows]
    kept = list(zip(rows, counts, strict=True))
    return PredictionLog(
        at=np.array([at for at, *_ in rows], dtype=np.float64),
        latency_s=np.array([latency for _, latency, *_ in rows], dtype=np.float64),
        shape_of=np.repeat(np.arange(len(rows), dtype=np.int64), np.array(counts, dtype=np.int64)),
        classes=np.concatenate([_int64(b""), *(row[2][:count] for row, count in kept)]),
        scores=np.concatenate([_float64(b""), *(row[3][:count] for row, count in kept)]),
    )


def summary(log: PredictionLog) -> Json:
    """How many predictions there are, and how long they took, in seconds."""
    some = len(log) > 0
    p50, p95, p99 = np.percentile(log.latency_s, (50, 95, 99)) if some else (None, None, None)
    return {
        "inferences": len(log),
        "mean_latency": float(log.latency_s.mean()) if some else None,
        "latency_p50": None if p50 is None else float(p50),
        "latency_p95": None if p95 is None else float(p95),
        "latency_p99": None if p99 is None else float(p99),
        "first_at": float(log.at[0]) if some else None,
        "last_at": float(log.at[-1]) if some else None,
    }


def label_distribution(session: Session, chosen: Selection) -> dict[str, int]:
    """Shapes over the deployment's threshold per label, most frequent first."""
    log = prediction_log(session, chosen)
    over = over_threshold(log.scores, chosen.deployment.min_threshold)
    version = session.get_one(ModelVersion, chosen.deployment.model_version_id)
    names = label_names(version)
    counts = Counter(label_name(names, index) for index in log.classes[over].tolist())
    return dict(counts.most_common())


def chosen_predictions(chosen: Selection, *, is_shadow: bool = False) -> list[ColumnElement[bool]]:
    """What holds of the chosen predictions, but for their tags.

    Args:
        chosen: the champion's.
        is_shadow: take the shadow's of the same range instead, whatever their model version.
    """
    conditions: list[ColumnElement[bool]] = [
        Prediction.deployment_id == chosen.deployment.id,
        Prediction.is_shadow.is_(is_shadow),
    ]
    if chosen.since is not None:
        conditions.append(Prediction.at >= chosen.since)
    if chosen.until is not None:
        conditions.append(Prediction.at <= chosen.until)
    if chosen.model_version_id and not is_shadow:
        conditions.append(Prediction.model_version_id == chosen.model_version_id)
    if chosen.source is not None:
        conditions.append(Prediction.source == chosen.source)
    if chosen.includes:
        conditions.append(Prediction.oracle_prediction_id.in_(chosen.includes))
    if chosen.excludes:
        conditions.append(Prediction.oracle_prediction_id.not_in(chosen.excludes))
    return conditions


def _query(chosen: Selection) -> Select[float, float, bytes, bytes, list[Any]]:
    columns = (
        Prediction.at, Prediction.latency, Prediction.classes, Prediction.scores, Prediction.tags
    )  # fmt: skip
    return (
        select(*columns).where(*chosen_predictions(chosen)).order_by(Prediction.at, Prediction.id)
    )


def is_tagged(tags: list[object], wanted: tuple[str, ...]) -> bool:
    """Whether a prediction was sent with one of these tags; none wanted takes any."""
    return not wanted or bool(set(wanted) & set(map(str, tags)))


def _int64(packed: bytes) -> NDArray[np.int64]:
    return np.frombuffer(packed, dtype=np.int64)


def _float64(packed: bytes) -> NDArray[np.float64]:
    return np.frombuffer(packed, dtype=np.float64)
