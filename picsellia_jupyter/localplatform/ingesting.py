"""Predictions whose image is not kept, recorded many at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.localplatform.alerting import fire_alerts
from picsellia_jupyter.localplatform.recording import (
    NewPrediction,
    Row,
    recorded_already,
    rows_of,
)
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.store import Store
from picsellia_jupyter.localplatform.tables.alerts import Alert
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction

GROUP_LIMIT = 128
"""Most predictions of one change; the rest waits for the next."""
_INSERT = insert(Prediction.__table__)  # type: ignore[arg-type]
"""Of the table, not of the class: nobody needs the rows as objects."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A prediction with nothing to keep but itself."""

    deployment_id: str
    prediction_id: str
    body: NewPrediction
    at: float
    """When it was received, seconds since the epoch."""


class Ingest:
    """Records predictions of concurrent requests together, as one change of the database.

    Everything that came while the last change was being made durable goes into the next, so a
    single caller waits for nobody and many share the cost. Belongs to one event loop.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Plain, asyncio.Future[None]]] = []
        self._draining: asyncio.Task[None] | None = None

    async def record(self, plain: Plain) -> None:
        """Record one prediction; it is durable on return.

        Raises:
            UnknownIdError: there is no such deployment.
            InvalidInputError: the prediction does not fit its deployment.
            ConflictError: it is recorded already.
            NotDurableError: the database could not keep it.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((plain, done))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        await done

    async def _drain(self) -> None:
        while self._waiting:
            group = self._waiting[:GROUP_LIMIT]
            del self._waiting[:GROUP_LIMIT]
            change = partial(_insert, group=[plain for plain, _ in group])
            try:
                outcomes: Sequence[Exception | None] = await asyncio.wrap_future(
                    self._store.submit(change)
                )
            except Exception as error:  # noqa: BLE001 - raised again for everybody it concerns
                outcomes = [error] * len(group)
            for (_, done), outcome in zip(group, outcomes, strict=True):
                _settle(done, outcome)


def _settle(done: asyncio.Future[None], outcome: Exception | None) -> None:
    if done.done():
        return  # whoever asked is gone
    if outcome is None:
        done.set_result(None)
    else:
        done.set_exception(outcome)


def _insert(session: Session, group: Sequence[Plain]) -> list[Exception | None]:
    """Insert what can be; one that is refused does not keep the others out."""
    wanted = {plain.deployment_id for plain in group}
    found = session.scalars(select(Deployment).where(Deployment.id.in_(wanted)))
    deployments = {row.id: row for row in found}
    known = _known(session, group)
    outcomes: list[Exception | None] = []
    rows: list[Row] = []
    for plain in group:
        try:
            rows += _rows(plain, deployments.get(plain.deployment_id), known)
        except PicselliaJupyterError as error:
            outcomes.append(error)
            continue
        deployments[plain.deployment_id].inferences += 1
        known.add((plain.deployment_id, plain.prediction_id))
        outcomes.append(None)
    if rows:
        session.execute(_INSERT, _identified(rows))
        _fire_alerts(session, rows)
    return outcomes


def _fire_alerts(session: Session, rows: Sequence[Row]) -> None:
    query = select(Alert.deployment_id).where(Alert.active.is_(True))
    watched = set(session.scalars(query))
    # Objects cost more than the insert; most deployments have no alert.
    fire_alerts(session, [Prediction(**row) for row in rows if row["deployment_id"] in watched])


def _identified(rows: Sequence[Row]) -> list[Row]:
    """Rows with ids: random bytes come cheaper in one piece."""
    randomness = os.urandom(16 * len(rows))
    parts = (randomness[at : at + 16] for at in range(0, len(randomness), 16))
    return [
        {**row, "id": str(UUID(bytes=part, version=4))}
        for row, part in zip(rows, parts, strict=True)
    ]


def _rows(plain: Plain, deployment: Deployment | None, known: set[tuple[str, str]]) -> list[Row]:
    if deployment is None:
        raise UnknownIdError("deployment", plain.deployment_id)
    if (plain.deployment_id, plain.prediction_id) in known:
        raise recorded_already(plain.prediction_id)
    return rows_of(deployment, plain.prediction_id, plain.body, now=plain.at)


def _known(session: Session, group: Sequence[Plain]) -> set[tuple[str, str]]:
    query = select(Prediction.deployment_id, Prediction.oracle_prediction_id).where(
        Prediction.deployment_id.in_({plain.deployment_id for plain in group}),
        Prediction.oracle_prediction_id.in_([plain.prediction_id for plain in group]),
        Prediction.is_shadow.is_(False),
    )
    return {(deployment, prediction) for deployment, prediction in session.execute(query)}
