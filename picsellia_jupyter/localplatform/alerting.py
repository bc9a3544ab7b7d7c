"""Alerts: conditions on single predictions in the transaction that records them, others after."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.alerts import AlertMetric, Episode, Rule
from picsellia_jupyter.localplatform.tables.alerts import Alert, Delivery, FiredAlert
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.workflows.alerts import after_look, after_values, ended, is_met


@dataclass(frozen=True, slots=True)
class _First:
    """What met a condition first."""

    prediction_id: str | None
    at: float


def fire_alerts(session: Session, rows: Sequence[Prediction]) -> None:
    """Note which alerts the champion's predictions among these rows meet.

    In the same transaction as the predictions, so that none counts twice or is forgotten.

    Args:
        session: the transaction that records them.
        rows: predictions, of any deployments.
    """
    champions = [row for row in rows if not row.is_shadow]
    watched = {row.deployment_id for row in champions}
    query = select(Alert).where(
        Alert.deployment_id.in_(watched),
        Alert.active.is_(True),
        Alert.metric == AlertMetric.LATENCY.value,
    )
    for alert in session.scalars(query).all():
        own = [row for row in champions if row.deployment_id == alert.deployment_id]
        _fire(session, alert, own)


def look(session: Session, alert: Alert, value: float | None, reason: str, *, now: float) -> None:
    """Note what a figure is; None where it could not be measured, which changes no episode."""
    alert.value, alert.reason, alert.checked_at = value, reason, now
    if value is None:
        return
    row = _latest(session, alert)
    before = _episode(row)
    _keep(session, alert, row, after_look(rule_of(alert), before, value, now), _First(None, now))


def end_if_quiet(session: Session, alert: Alert, *, now: float) -> None:
    """End the episode of a condition on single predictions that none has met for a while."""
    row = _latest(session, alert)
    before = _episode(row)
    if before is not None:
        _keep(session, alert, row, ended(rule_of(alert), before, now), _First(None, now))


def state_of(session: Session, alert: Alert) -> str:
    """`firing` during an episode, `ok`, or `unknown` where nothing could be measured yet."""
    row = _latest(session, alert)
    if row is not None and row.ended_at is None:
        return "firing"
    is_silent = alert.metric == AlertMetric.LATENCY.value or alert.value is not None
    return "ok" if is_silent else "unknown"


def rule_of(alert: Alert) -> Rule:
    """The condition of an alert."""
    return Rule(alert.operator, alert.limit, alert.clear_limit, alert.cooldown_s)


def _fire(session: Session, alert: Alert, rows: Iterable[Prediction]) -> None:
    rule = rule_of(alert)
    met = [row for row in rows if is_met(rule, row.latency)]
    if not met:
        return
    now = max(row.created_at for row in met)
    row = _latest(session, alert)
    alert.value, alert.checked_at = met[-1].latency, now
    first = _First(met[0].oracle_prediction_id, met[0].at)
    after = after_values(rule, _episode(row), [one.latency for one in met], now)
    _keep(session, alert, row, after, first)


def _latest(session: Session, alert: Alert) -> FiredAlert | None:
    query = select(FiredAlert).filter_by(alert_id=alert.id)
    return session.scalars(
        query.order_by(FiredAlert.created_at.desc(), FiredAlert.id.desc()).limit(1)
    ).first()


def _episode(row: FiredAlert | None) -> Episode | None:
    if row is None:
        return None
    last_at = row.created_at if row.last_at is None else row.last_at
    worst = row.value if row.worst is None else row.worst
    return Episode(row.created_at, last_at, row.value, worst, row.count, row.ended_at)


def _keep(
    session: Session, alert: Alert, row: FiredAlert | None, after: Episode | None, first: _First
) -> None:
    """Write down what became of an episode, and have it be told where it opened or closed."""
    before = _episode(row)
    if after is None or after == before:
        return
    is_new = row is None or after.started_at != row.created_at or row.ended_at is not None
    if row is not None and is_new and row.ended_at is None:
        # Nobody looked while its cool-down passed.
        row.ended_at = after.started_at
        _tell(session, alert, row, "alert.closed", now=after.started_at)
    if is_new:
        row = FiredAlert(
            alert_id=alert.id,
            oracle_prediction_id=first.prediction_id,
            value=after.value,
            at=first.at,
            created_at=after.started_at,
        )
        session.add(row)
        session.flush()
    assert row is not None  # noqa: S101 - for the type checker
    row.count, row.worst = after.count, after.worst
    row.last_at, row.ended_at = after.last_at, after.ended_at
    if is_new:
        _tell(session, alert, row, "alert.opened", now=after.started_at)
    elif after.ended_at is not None:
        _tell(session, alert, row, "alert.closed", now=after.ended_at)


def _tell(session: Session, alert: Alert, row: FiredAlert, event: str, *, now: float) -> None:
    if alert.webhook_url is None:
        return
    body = json.dumps(_message(session, alert, row, event, now), separators=(",", ":"))
    session.add(Delivery(fired_alert_id=row.id, event=event, body=body, due_at=now, created_at=now))


def _message(
    session: Session, alert: Alert, row: FiredAlert, event: str, now: float
) -> dict[str, object]:
    deployment = session.get_one(Deployment, alert.deployment_id)
    return {
        "type": event,
        "timestamp": datetime.fromtimestamp(now, tz=timezone.utc).isoformat(),
        "data": {
            "deployment": {"id": deployment.id, "name": deployment.name},
            "alert": {
                "id": alert.id,
                "name": alert.name,
                "metric": alert.metric,
                "operator": alert.operator,
                "limit": alert.limit,
            },
            "episode": {
                "id": row.id,
                "started_at": row.created_at,
                "ended_at": row.ended_at,
                "value": row.value,
                "worst": row.worst,
                "count": row.count,
                "oracle_prediction_id": row.oracle_prediction_id,
            },
        },
    }
