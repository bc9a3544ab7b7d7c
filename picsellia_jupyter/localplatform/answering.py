"""How many predictions serving kernels gave and could not give, as their heartbeats say.

A heartbeat tells what a front has counted since it began, so one that is lost or comes twice
changes nothing. What is new is added to the minute, hour and day in which it is heard of.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.deployments import Answers
from picsellia_jupyter.domain.rollups import DAY, MINUTE, WIDTHS
from picsellia_jupyter.localplatform.spans import coarsest, stretches
from picsellia_jupyter.localplatform.tables.rollups import AnswerCounter, AnswerRollup

KEPT_S = 7.0 * DAY
"""A front that says nothing for so long has ended, and its counter is forgotten."""


def take_down(session: Session, deployment_id: str, said: Answers, *, now: float) -> None:
    """Add what a front has counted since it was last heard of."""
    known = session.get(AnswerCounter, (deployment_id, said.counter))
    if known is None:
        known = _begun(session, deployment_id, said.counter, now)
    answered = max(said.answered - known.answered, 0)
    failed = max(said.failed - known.failed, 0)
    known.reported_at = now
    if answered or failed:
        known.answered, known.failed = said.answered, said.failed
        for width in WIDTHS:
            _add(session, (deployment_id, width, int(now // width * width)), answered, failed)


def counted(
    session: Session, deployment_id: str, edges: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Predictions that were given and that failed, each (T,), bin by bin.

    A minute is counted whole, where its beginning lies.

    Args:
        session: reads.
        deployment_id: whose.
        edges: (T + 1,) ascending seconds since the epoch, UTC; all but the first and the last lie
            on whole minutes.
    """
    found = np.zeros((2, len(edges) - 1), np.int64)
    low = math.floor(edges[0] / MINUTE) * MINUTE
    high = math.ceil(edges[-1] / MINUTE) * MINUTE
    for width, start, end in stretches(low, high, coarsest(edges)):
        query = select(AnswerRollup.start_s, AnswerRollup.answered, AnswerRollup.failed).where(
            AnswerRollup.deployment_id == deployment_id,
            AnswerRollup.width_s == width,
            AnswerRollup.start_s >= start,
            AnswerRollup.start_s < end,
        )
        for at, answered, failed in session.execute(query):
            row = int(np.searchsorted(edges, at, side="right")) - 1
            found[:, min(max(row, 0), len(edges) - 2)] += (answered, failed)
    return found[0], found[1]


def _begun(session: Session, deployment_id: str, counter: str, now: float) -> AnswerCounter:
    session.execute(delete(AnswerCounter).where(AnswerCounter.reported_at < now - KEPT_S))
    made = AnswerCounter(
        deployment_id=deployment_id, counter=counter, answered=0, failed=0, reported_at=now
    )
    session.add(made)
    return made


def _add(session: Session, key: tuple[str, int, int], answered: int, failed: int) -> None:
    row = session.get(AnswerRollup, key)
    if row is None:
        deployment_id, width, start = key
        row = AnswerRollup(
            deployment_id=deployment_id, width_s=width, start_s=start, answered=0, failed=0
        )
        session.add(row)
    row.answered += answered
    row.failed += failed
