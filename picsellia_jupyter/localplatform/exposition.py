"""Figures of all deployments in Prometheus's text format, for dashboards outside of Jupyter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.alerting import state_of
from picsellia_jupyter.localplatform.asking import title_of
from picsellia_jupyter.localplatform.tables.alerts import Alert
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.rollups import (
    AnswerRollup,
    PendingRollup,
    StoredRollup,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Key = tuple[str, bool, str]
"""Deployment, whether shadow, model version: ids."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all of its samples."""

    name: str
    kind: str
    """`counter` or `gauge`."""
    said: str
    samples: tuple[tuple[Mapping[str, str], float], ...]

    def text(self) -> str:
        """Its lines."""
        lines = [f"# HELP {self.name} {self.said}", f"# TYPE {self.name} {self.kind}"]
        for labels, value in self.samples:
            named = ",".join(f'{name}="{_escaped(said)}"' for name, said in labels.items())
            lines.append(f"{self.name}{{{named}}} {value!r}")
        return "\n".join(lines) + "\n"


def exposition(session: Session) -> str:
    """All metrics of one moment; predictions are counted in rollups and in what they lack."""
    return "".join(family.text() for family in _all(session))


def _all(session: Session) -> Iterable[Family]:
    return (*_of_predictions(session), *_of_answers(session), _of_alerts(session))


def _of_answers(session: Session) -> Iterable[Family]:
    query = (
        select(Deployment.name, func.sum(AnswerRollup.answered), func.sum(AnswerRollup.failed))
        .join(Deployment, Deployment.id == AnswerRollup.deployment_id)
        .where(AnswerRollup.width_s == 86_400)
        .group_by(Deployment.name)
        .order_by(Deployment.name)
    )
    rows = session.execute(query).all()
    told = (
        ("picsellia_answered_total", "Predictions that serving kernels gave."),
        ("picsellia_failed_total", "Predictions that they were asked for and could not give."),
    )
    for column, (name, said) in enumerate(told, start=1):
        samples = tuple(({"deployment": row[0]}, float(row[column])) for row in rows)
        yield Family(name, "counter", said, samples)


def _of_predictions(session: Session) -> Iterable[Family]:
    counts: dict[Key, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for query in (_added_up(), _pending()):
        for deployment, is_shadow, version, number, seconds, last_at in session.execute(query):
            known = counts[deployment, is_shadow, version]
            # PostgreSQL sums integers as decimals.
            known[0] += float(number)
            known[1] += float(seconds)
            known[2] = max(known[2], float(last_at))
    labelled = [(_labels(session, key), values) for key, values in sorted(counts.items())]
    told = (
        ("picsellia_predictions_total", "counter", "Predictions that were recorded."),
        ("picsellia_prediction_latency_seconds_total", "counter", "Their latencies, summed up."),
        ("picsellia_last_prediction_timestamp_seconds", "gauge", "When the last one was made."),
    )
    for column, (name, kind, said) in enumerate(told):
        samples = tuple((labels, values[column]) for labels, values in labelled)
        yield Family(name, kind, said, samples)


def _added_up() -> Select[str, bool, str, int, float | Decimal, float]:
    own = StoredRollup
    return (
        select(
            own.deployment_id, own.is_shadow, own.model_version_id, func.sum(own.predictions),
            func.sum(own.latency_us) / 1e6, func.max(own.last_at),
        )
        .where(own.width_s == 86_400)
        .group_by(own.deployment_id, own.is_shadow, own.model_version_id)
    )  # fmt: skip


def _pending() -> Select[str, bool, str, int, float, float]:
    own = Prediction
    return (
        select(
            own.deployment_id, own.is_shadow, own.model_version_id, func.count(),
            func.sum(own.latency), func.max(own.at),
        )
        .join(PendingRollup, PendingRollup.prediction_id == own.id)
        .group_by(own.deployment_id, own.is_shadow, own.model_version_id)
    )  # fmt: skip


def _of_alerts(session: Session) -> Family:
    query = (
        select(Alert, Deployment.name)
        .join(Deployment, Deployment.id == Alert.deployment_id)
        .where(Alert.active.is_(True))
        .order_by(Alert.created_at, Alert.id)
    )
    samples = tuple(
        (
            {"deployment": name, "alert": alert.name, "metric": alert.metric},
            float(state_of(session, alert) == "firing"),
        )
        for alert, name in session.execute(query)
    )
    return Family("picsellia_alert_firing", "gauge", "1 while its condition is met.", samples)


def _labels(session: Session, key: Key) -> dict[str, str]:
    deployment, is_shadow, version = key
    return {
        "deployment": session.get_one(Deployment, deployment).name,
        "model_version": title_of(session.get_one(ModelVersion, version)),
        "role": "shadow" if is_shadow else "champion",
    }


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
