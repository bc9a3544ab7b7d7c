"""Many predictions as one change of the database.

Statements on tables rather than objects: a prediction is written once and read as columns, and
making objects of it costs several times what the database takes.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.alerts import AlertMetric
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.localplatform.alerting import fire_alerts
from picsellia_jupyter.localplatform.folding import note_pending
from picsellia_jupyter.localplatform.keeping import Kept, keep_photos
from picsellia_jupyter.localplatform.photos import Received
from picsellia_jupyter.localplatform.recording import Row, Target, recorded_already, rows_of
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.tables.alerts import Alert
from picsellia_jupyter.localplatform.tables.base import new_id, table_of
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.registry import ModelVersion

Outcome = Exception | None
"""Why a prediction was refused; None where it is durable."""


def insert_group(session: Session, group: Sequence[Received]) -> list[Outcome]:
    """Insert what can be; one that is refused here does not keep the others out.

    That none of them is recorded yet is found out by trying.

    Raises:
        IntegrityError: one is; or the database refused one of them for another reason.
    """
    targets = _targets(session, group)
    outcomes: list[Outcome] = []
    taken: dict[tuple[str, str], tuple[Received, list[Row]]] = {}
    for received in group:
        try:
            key = received.deployment_id, received.prediction_id
            if key in taken:
                raise recorded_already(received.prediction_id)
            taken[key] = received, _rows(received, targets)
        except PicselliaJupyterError as error:
            outcomes.append(error)
        else:
            outcomes.append(None)
    if taken:
        _insert(session, list(taken.values()))
    return outcomes


def insert_one(session: Session, received: Received) -> Outcome:
    """Insert one, or say why not.

    Raises:
        SQLAlchemyError: the database refused it.
    """
    recorded = {"deployment_id": received.deployment_id, "prediction_id": received.prediction_id}
    if session.connection().execute(_RECORDED, recorded).first():
        return recorded_already(received.prediction_id)
    return insert_group(session, [received])[0]


# Predictions ---------------------------------------------------------------------------------


_TARGETS = select(
    Deployment.id, Deployment.name, Deployment.type,
    Deployment.model_version_id, Deployment.shadow_model_version_id,
).where(Deployment.id.in_(bindparam("wanted", expanding=True)))  # fmt: skip
_VERSIONS = select(ModelVersion.id, ModelVersion.type).where(
    ModelVersion.id.in_(bindparam("wanted", expanding=True))
)
_RECORDED = select(Prediction.id).where(
    Prediction.deployment_id == bindparam("deployment_id"),
    Prediction.oracle_prediction_id == bindparam("prediction_id"),
    Prediction.is_shadow.is_(False),
)
_WATCHED = select(Alert.deployment_id).where(
    Alert.active.is_(True), Alert.metric == AlertMetric.LATENCY.value
)
_PREDICTIONS = insert(table_of(Prediction))
_COUNT = (
    update(table_of(Deployment))
    .where(Deployment.id == bindparam("counted"))
    .values(inferences=Deployment.inferences + bindparam("more"))
)


def _targets(session: Session, group: Sequence[Received]) -> dict[str, Target]:
    wanted = {received.deployment_id for received in group}
    found = session.connection().execute(_TARGETS, {"wanted": list(wanted)})
    targets = {row.id: Target(*row) for row in found}
    named = {one.body.version_id for one in group if one.body.version_id}
    if named <= {target.model_version_id for target in targets.values()}:
        return targets
    # The champion has changed since: what it predicted stays its own.
    known = session.connection().execute(_VERSIONS, {"wanted": list(named)}).all()
    return {
        ident: dataclasses.replace(
            target, others=frozenset(row.id for row in known if row.type == target.type)
        )
        for ident, target in targets.items()
    }


def _rows(received: Received, targets: dict[str, Target]) -> list[Row]:
    target = targets.get(received.deployment_id)
    if target is None:
        raise UnknownIdError("deployment", received.deployment_id)
    return rows_of(target, received.prediction_id, received.body, now=received.at)


def _insert(session: Session, taken: Sequence[tuple[Received, list[Row]]]) -> None:
    kept = [(Kept.of(received), rows) for received, rows in taken if received.photo]
    keep_photos(session, [one for one, _ in kept])
    for one, rows in kept:
        for row in rows:
            row["predicted_asset_id"] = one.asset_id
    new = [{**row, "id": new_id()} for _, rows in taken for row in rows]
    connection = session.connection()
    connection.execute(_PREDICTIONS, new)
    note_pending(session, [row["id"] for row in new])
    counts = Counter(received.deployment_id for received, _ in taken)
    connection.execute(_COUNT, [{"counted": one, "more": n} for one, n in counts.items()])
    _fire_alerts(session, new)


def _fire_alerts(session: Session, rows: Sequence[Row]) -> None:
    watched = set(session.connection().execute(_WATCHED).scalars())
    predictions = [Prediction(**row) for row in rows if row["deployment_id"] in watched]
    if predictions:
        fire_alerts(session, predictions)
