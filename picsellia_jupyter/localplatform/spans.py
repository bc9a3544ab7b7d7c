"""Any range of time, added up from rollups; single rows are read at its two ends alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.rollups import DAY, HOUR, MINUTE, Rollup
from picsellia_jupyter.localplatform.folding import COLUMNS, observed_from, pending_of, unpacked
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.rollups import PendingRollup, StoredRollup
from picsellia_jupyter.workflows.rollups import add_up

_LATEST = 1e11
"""Seconds since the epoch; no prediction is later."""
_COARSE_FIRST = (DAY, HOUR, MINUTE)
Stretch = tuple[int, int, int]
"""Width of the rollups, start and end in seconds since the epoch; the end does not belong."""


def rolled(
    session: Session,
    deployment_id: str,
    edges: NDArray[np.float64],
    *,
    model_version_id: str | None = None,
    is_shadow: bool = False,
) -> list[Rollup]:
    """What predictions add up to, bin by bin.

    Args:
        session: sees one moment: rollups and what they lack must fit together.
        deployment_id: whose predictions.
        edges: (T + 1,) ascending seconds since the epoch, UTC. All but the first and the last
            lie on whole minutes; the last one belongs to its bin.
        model_version_id: only those of this version.
        is_shadow: the shadow's predictions rather than the champion's.

    Returns:
        T rollups.
    """
    edges = np.clip(edges, 0.0, _LATEST)
    rollup_own: list[ColumnElement[bool]] = [
        StoredRollup.deployment_id == deployment_id, StoredRollup.is_shadow.is_(is_shadow)
    ]  # fmt: skip
    own: list[ColumnElement[bool]] = [
        Prediction.deployment_id == deployment_id, Prediction.is_shadow.is_(is_shadow)
    ]  # fmt: skip
    if model_version_id is not None:
        rollup_own.append(StoredRollup.model_version_id == model_version_id)
        own.append(Prediction.model_version_id == model_version_id)
    begin, end = float(edges[0]), float(edges[-1])
    low, high = math.ceil(begin / MINUTE) * MINUTE, math.floor(end / MINUTE) * MINUTE
    parts: list[list[Rollup]] = [[] for _ in edges[1:]]
    if low >= high:
        _read(session, [*own, Prediction.at.between(begin, end)], edges, parts)
    else:
        for stretch in stretches(low, high, coarsest(edges)):
            _take(session, rollup_own, stretch, edges, parts)
        _read(session, [*own, Prediction.at >= begin, Prediction.at < low], edges, parts)
        _read(session, [*own, Prediction.at >= high, Prediction.at <= end], edges, parts)
        pending = pending_of(deployment_id, is_shadow=is_shadow, model_version_id=model_version_id)
        _read_pending(session, pending, (low, high), edges, parts)
    return [Rollup.sum(part) for part in parts]


def stretches(low: int, high: int, widest: int = DAY) -> list[Stretch]:
    """The fewest rollups that cover [low, high), both whole minutes.

    Args:
        low: seconds since the epoch.
        high: likewise.
        widest: the widest rollup that may be used.
    """
    widths = [width for width in _COARSE_FIRST if width <= widest]
    return _covered(low, high, widths)


def first_and_last(session: Session, deployment_id: str) -> tuple[float, float] | None:
    """When the first and the last champion prediction were made; None where there is none."""
    own = Prediction.deployment_id == deployment_id, Prediction.is_shadow.is_(False)
    # Two questions: an index answers the least or the greatest at once, not both.
    first = session.scalar(select(func.min(Prediction.at)).where(*own))
    last = session.scalar(select(func.max(Prediction.at)).where(*own))
    return None if first is None or last is None else (first, last)


def _covered(low: int, high: int, widths: Sequence[int]) -> list[Stretch]:
    if low >= high:
        return []
    width, *finer = widths
    first, last = -(-low // width) * width, high // width * width
    if first >= last:
        return _covered(low, high, finer)
    return [
        *_covered(low, first, finer), (width, first, last), *_covered(last, high, finer),
    ]  # fmt: skip


def coarsest(edges: NDArray[np.float64]) -> int:
    """The widest rollup that falls into one bin whole, wherever it begins."""
    inner = edges[1:-1]
    fits = (width for width in _COARSE_FIRST if not bool((inner % width).any()))
    return next(fits, MINUTE)


def _take(
    session: Session,
    own: Sequence[ColumnElement[bool]],
    stretch: Stretch,
    edges: NDArray[np.float64],
    parts: list[list[Rollup]],
) -> None:
    width, start, end = stretch
    query = select(StoredRollup.__table__).where(
        *own,
        StoredRollup.width_s == width,
        StoredRollup.start_s >= start,
        StoredRollup.start_s < end,
    )
    for row in session.execute(query):
        parts[_bin(edges, row.start_s)].append(unpacked(row))


def _read(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    edges: NDArray[np.float64],
    parts: list[list[Rollup]],
) -> None:
    query = select(*COLUMNS).join(Deployment, Deployment.id == Prediction.deployment_id)
    _add(session.execute(query.where(*conditions)).all(), edges, parts)


def _read_pending(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    within: tuple[float, float],
    edges: NDArray[np.float64],
    parts: list[list[Rollup]],
) -> None:
    at = Prediction.at + 0.0  # as in `pending_of`, away from the index
    query = (
        select(*COLUMNS)
        .select_from(PendingRollup)
        .join(Prediction, and_(*conditions))
        .join(Deployment, Deployment.id == Prediction.deployment_id)
        .where(at >= within[0], at < within[1])
    )
    _add(session.execute(query).all(), edges, parts)


def _add(rows: Sequence[object], edges: NDArray[np.float64], parts: list[list[Rollup]]) -> None:
    if not rows:
        return
    observed = observed_from(rows)
    bins = np.searchsorted(edges, observed.log.at, side="right") - 1
    bins = np.clip(bins, 0, len(parts) - 1).astype(np.int64)
    for row, part in enumerate(add_up(observed, bins, len(parts))):
        if part.predictions:
            parts[row].append(part)


def _bin(edges: NDArray[np.float64], at: float) -> int:
    row = int(np.searchsorted(edges, at, side="right")) - 1
    return min(max(row, 0), len(edges) - 2)
