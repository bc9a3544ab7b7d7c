"""Alerts: conditions that are checked in the transaction that records a prediction."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.tables.alerts import Alert, FiredAlert
from picsellia_jupyter.localplatform.tables.deployments import Prediction

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
METRICS: Mapping[str, Callable[[Prediction], float]] = {"latency": lambda row: row.latency}
"""What an alert can watch, read off one prediction."""


def fire_alerts(session: Session, rows: Sequence[Prediction]) -> None:
    """Note which alerts the champion's predictions among these rows meet.

    In the same transaction as the predictions, so that none fires twice or is forgotten.

    Args:
        session: the transaction that records them.
        rows: predictions, of any deployments.
    """
    champions = [row for row in rows if not row.is_shadow]
    watched = {row.deployment_id for row in champions}
    query = select(Alert).where(Alert.deployment_id.in_(watched), Alert.active.is_(True))
    for alert in session.scalars(query).all():
        for row in champions:
            if row.deployment_id == alert.deployment_id and _is_met(alert, row):
                session.add(_fired(alert, row))


def _is_met(alert: Alert, row: Prediction) -> bool:
    return OPERATORS[alert.operator](METRICS[alert.metric](row), alert.limit)


def _fired(alert: Alert, row: Prediction) -> FiredAlert:
    return FiredAlert(
        alert_id=alert.id,
        oracle_prediction_id=row.oracle_prediction_id,
        value=METRICS[alert.metric](row),
        at=row.at,
        created_at=row.created_at,
    )
