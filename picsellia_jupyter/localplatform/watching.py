"""Alerts on figures of many predictions, looked at again and again while the platform runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.alerts import AlertMetric
from picsellia_jupyter.domain.drift import Verdict
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.localplatform.alerting import end_if_quiet, look
from picsellia_jupyter.localplatform.answering import counted
from picsellia_jupyter.localplatform.drifting import compared, label_shift
from picsellia_jupyter.localplatform.evaluating import reviewed
from picsellia_jupyter.localplatform.outlying import outlier_share
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.spans import first_and_last, rolled
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.supervised import evaluated
from picsellia_jupyter.localplatform.tables.alerts import Alert
from picsellia_jupyter.localplatform.tables.deployments import Deployment

_OFTENEST_S, _RAREST_S = 10.0, 300.0
_FEWEST_SCORED = _FEWEST_REVIEWED = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure, or why there is none."""

    value: float | None
    reason: str = ""


Measure = Callable[[Session, Deployment, Alert, float], Measured]


def watch(here: Platform) -> int:
    """Look at every alert whose turn it is.

    Returns:
        How many were looked at.
    """
    now = here.clock()
    with here.store.reading() as session:
        due = [alert for alert in _active(session) if _is_due(alert, now)]
        found = {alert.id: _measured(session, alert, now) for alert in due}
    for ident, measured in found.items():
        with here.store.writing() as session:
            alert = session.get(Alert, ident)
            if alert is not None and alert.active:
                _note(session, alert, measured, now)
    return len(found)


def _note(session: Session, alert: Alert, measured: Measured | None, now: float) -> None:
    if measured is None:
        alert.checked_at = now
        end_if_quiet(session, alert, now=now)
    else:
        look(session, alert, measured.value, measured.reason, now=now)


def _active(session: Session) -> list[Alert]:
    return list(session.scalars(select(Alert).where(Alert.active.is_(True))))


def _is_due(alert: Alert, now: float) -> bool:
    every = min(max(alert.window_s / 60, _OFTENEST_S), _RAREST_S)
    return alert.checked_at is None or now - alert.checked_at >= every


def _measured(session: Session, alert: Alert, now: float) -> Measured | None:
    """None for a condition on single predictions: they are looked at as they come."""
    measure = MEASURES.get(AlertMetric(alert.metric))
    if measure is None:
        return None
    deployment = session.get_one(Deployment, alert.deployment_id)
    try:
        return measure(session, deployment, alert, now)
    except PicselliaJupyterError as error:
        return Measured(None, f"{error.fact} {error.remedy}".strip())


# Figures -------------------------------------------------------------------------------------


def _average_latency(
    session: Session, deployment: Deployment, alert: Alert, now: float
) -> Measured:
    edges = np.array([now - alert.window_s, now])
    [found] = rolled(session, deployment.id, edges)
    if not found.predictions:
        return Measured(None, "There is no prediction in the window.")
    return Measured(found.latency_us / found.predictions / 1e6)


def _drift(session: Session, deployment: Deployment, alert: Alert, now: float) -> Measured:
    found = compared(session, deployment, since=now - alert.window_s, until=now)
    if found.report.verdict is Verdict.TOO_FEW:
        return Measured(None, _too_few(found.window, found.baseline))
    return Measured(float(found.report.verdict is Verdict.DRIFT))


def _distribution(session: Session, deployment: Deployment, alert: Alert, now: float) -> Measured:
    shift = label_shift(session, deployment, since=now - alert.window_s, until=now)
    if shift.distance is None:
        return Measured(None, _too_few(shift.window, shift.baseline))
    return Measured(shift.distance)


def _outliers(session: Session, deployment: Deployment, alert: Alert, now: float) -> Measured:
    scored, share = outlier_share(session, deployment.id, since=now - alert.window_s, until=now)
    if share is None or scored < _FEWEST_SCORED:
        return Measured(
            None,
            f"{scored} images of the window have an outlier score; {_FEWEST_SCORED} are needed.",
        )
    return Measured(share)


def _average_precision(
    session: Session, deployment: Deployment, alert: Alert, now: float
) -> Measured:
    chosen = Selection(deployment=deployment, since=now - alert.window_s, until=now)
    found = reviewed(session, chosen)
    seen, needed = len(found.images), _FEWEST_REVIEWED
    if seen < needed:
        return Measured(None, f"{seen} images of the window are reviewed; {needed} are needed.")
    value = evaluated(found).scores.get("ap_50_95")
    return Measured(value, "" if value is not None else "The reviews hold no object to be found.")


def _no_traffic(session: Session, deployment: Deployment, alert: Alert, now: float) -> Measured:
    known = first_and_last(session, deployment.id)
    last = deployment.created_at if known is None else known[1]
    # Whoever asks to be told now is not told of what was before.
    return Measured(max(now - max(last, alert.created_at), 0.0))


def _error_rate(session: Session, deployment: Deployment, alert: Alert, now: float) -> Measured:
    answered, failed = counted(session, deployment.id, np.array([now - alert.window_s, now]))
    asked = int(answered[0] + failed[0])
    if not asked:
        return Measured(None, "No serving kernel was asked for a prediction in the window.")
    return Measured(int(failed[0]) / asked)


def _too_few(window: int, baseline: int) -> str:
    return (
        f"There are too few predictions: {window} in the window, {baseline} in the baseline; "
        "200 of each are needed."
    )


MEASURES: Mapping[AlertMetric, Measure] = {
    AlertMetric.AVERAGE_LATENCY: _average_latency,
    AlertMetric.DRIFT: _drift,
    AlertMetric.DISTRIBUTION: _distribution,
    AlertMetric.NO_TRAFFIC: _no_traffic,
    AlertMetric.ERROR_RATE: _error_rate,
    AlertMetric.OUTLIERS: _outliers,
    AlertMetric.AVERAGE_PRECISION: _average_precision,
}
