"""Predictions are added up a few seconds after they came, each exactly once.

Recording one also notes that it is pending, in the same transaction; adding up changes the
rollups and removes the notes in one transaction too. Readers take the rollups and what is still
pending, of one moment, so that no figure waits for this.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.rollups import WIDTHS, Observed, Rollup, Tally
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.tables.base import table_of
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.rollups import PendingRollup, StoredRollup
from picsellia_jupyter.workflows.rollups import add_up

AT_ONCE = 5_000
"""Most predictions that are added up in one transaction."""
_KEYS_AT_ONCE = 500
_PENDING, _ROLLUP = table_of(PendingRollup), table_of(StoredRollup)
_KEY = (
    _ROLLUP.c.deployment_id, _ROLLUP.c.is_shadow, _ROLLUP.c.width_s, _ROLLUP.c.start_s,
    _ROLLUP.c.model_version_id,
)  # fmt: skip
Key = tuple[str, bool, int, int, str]
"""Deployment, whether shadow, width, start, model version."""
COLUMNS = (
    Prediction.deployment_id, Prediction.is_shadow, Prediction.model_version_id, Prediction.at,
    Prediction.latency, Prediction.width, Prediction.height, Prediction.classes,
    Prediction.scores, Deployment.type,
)  # fmt: skip
"""What is read of a prediction to add it up."""


@dataclass(frozen=True, slots=True)
class _Batch:
    numbers: int
    first: int
    last: int
    rollups: Mapping[Key, Rollup]


def note_pending(session: Session, prediction_ids: Sequence[str]) -> None:
    """Have these be added up; in the transaction that records them."""
    connection = session.connection()
    # Nobody else writes: numbers follow each other without a sequence, in any database.
    last = connection.execute(select(func.max(_PENDING.c.number))).scalar() or 0
    connection.execute(
        insert(_PENDING),
        [
            {"number": last + n, "prediction_id": ident}
            for n, ident in enumerate(prediction_ids, start=1)
        ],
    )


def fold(here: Platform, *, at_once: int = AT_ONCE) -> int:
    """Add up what is pending, the oldest first.

    Returns:
        How many were pending and no longer are, at most `at_once`.

    Raises:
        NotDurableError: the database could not keep it; nothing was added up.
    """
    # One at a time: numbers are used again once they are gone.
    with here.in_turn("rollups"):
        with here.store.reading() as session:
            batch = _batch(session, at_once)
        if batch.numbers:
            here.store.write(lambda session: _merge(session, batch))
        return batch.numbers


def fold_all(here: Platform) -> int:
    """Add up everything that is pending now; how many there were."""
    total = 0
    while done := fold(here):
        total += done
    return total


def fold_on(here: Platform, *, rounds: int = 20) -> None:
    """Add up what is pending; of much, a part."""
    for _ in range(rounds):
        if fold(here) < AT_ONCE:
            return


def catch_up(here: Platform, *, most: int = 2 * AT_ONCE) -> None:
    """Add up until readers can take in what is left by themselves.

    Args:
        here: the platform.
        most: pending predictions that are left to readers.
    """
    while True:
        with here.store.reading() as session:
            pending = pending_count(session)
        if pending <= most or not fold(here):
            return


def pending_count(session: Session) -> int:
    """How many predictions are not added up yet."""
    # Numbers follow each other and go from the front; counting rows would read them all.
    first = session.scalar(select(func.min(_PENDING.c.number)))
    last = session.scalar(select(func.max(_PENDING.c.number)))
    return 0 if first is None or last is None else last - first + 1


def pending_of(
    deployment_id: str, *, is_shadow: bool = False, model_version_id: str | None = None
) -> list[ColumnElement[bool]]:
    """What joins pending rows to a deployment's predictions, few to many.

    Columns are wrapped so that no index over them is taken: SQLite would read all predictions
    of the deployment, and look through what is pending for each.
    """
    conditions: list[ColumnElement[bool]] = [
        Prediction.id == PendingRollup.prediction_id,
        Prediction.deployment_id.concat("") == deployment_id,
        Prediction.is_shadow.is_(is_shadow),
    ]
    if model_version_id is not None:
        conditions.append(Prediction.model_version_id.concat("") == model_version_id)
    return conditions


def observed_from(rows: Iterable[Any]) -> Observed:
    """Rows of `COLUMNS` as columns; of a classification the answer alone counts."""
    found = list(rows)
    counts = [_counted(row) for row in found]
    log = PredictionLog(
        at=np.array([row.at for row in found], np.float64),
        latency_s=np.array([row.latency for row in found], np.float64),
        shape_of=np.repeat(np.arange(len(found), dtype=np.int64), np.array(counts, np.int64)),
        classes=_joined(found, "classes", counts, np.int64),
        scores=_joined(found, "scores", counts, np.float64),
    )
    sizes = np.array([(row.width, row.height) for row in found], np.int64)
    return Observed(log, sizes.reshape(-1, 2))


def unpacked(row: Any) -> Rollup:
    """A rollup as it is kept."""
    raw = np.frombuffer(zlib.decompress(row.tally), np.int64).reshape(2, -1)
    tally = Tally(np.cumsum(raw[0]), raw[1])
    return Rollup(
        row.predictions, row.shapes, row.latency_us, row.first_at, row.last_at, tally
    )  # fmt: skip


# Inside --------------------------------------------------------------------------------------


def _batch(session: Session, at_once: int) -> _Batch:
    numbers = select(_PENDING.c.number).order_by(_PENDING.c.number).limit(at_once).subquery()
    bounds = select(func.count(), func.min(numbers.c.number), func.max(numbers.c.number))
    count, first, last = session.execute(bounds).one()
    if not count:
        return _Batch(0, 0, 0, {})
    rows = session.execute(_rows(first, last)).all()
    return _Batch(count, first, last, _rolled(rows))


def _rows(first: int, last: int) -> Any:
    return (
        select(*COLUMNS)
        .join(_PENDING, _PENDING.c.prediction_id == Prediction.id)
        .join(Deployment, Deployment.id == Prediction.deployment_id)
        .where(_PENDING.c.number.between(first, last))
    )


def _rolled(rows: Sequence[Any]) -> dict[Key, Rollup]:
    """Rows as rollups of every width."""
    if not rows:
        return {}
    observed = observed_from(rows)
    owners = [(row.deployment_id, row.is_shadow, row.model_version_id) for row in rows]
    made: dict[Key, Rollup] = {}
    for width in WIDTHS:
        starts = np.floor(observed.log.at / width).astype(np.int64) * width
        keys = [(*owner, int(start)) for owner, start in zip(owners, starts, strict=True)]
        place = {key: row for row, key in enumerate(dict.fromkeys(keys))}
        group_of = np.array([place[key] for key in keys], np.int64)
        rollups = add_up(observed, group_of, len(place))
        for (deployment, is_shadow, version, start), row in place.items():
            made[deployment, is_shadow, width, start, version] = rollups[row]
    return made


def _merge(session: Session, batch: _Batch) -> None:
    connection = session.connection()
    own = _PENDING.c.number.between(batch.first, batch.last)
    connection.execute(delete(_PENDING).where(own))
    wanted = {key[0] for key in batch.rollups}
    alive = set(session.scalars(select(Deployment.id).where(Deployment.id.in_(wanted))))
    fresh = {key: one for key, one in batch.rollups.items() if key[0] in alive}
    known = _known(session, list(fresh))
    changed = {key: Rollup.sum([known[key], fresh[key]]) for key in known}
    if changed:
        connection.execute(_CHANGE, [_spelled(key, one, "its_") for key, one in changed.items()])
    new = [_spelled(key, one) for key, one in fresh.items() if key not in known]
    if new:
        connection.execute(insert(_ROLLUP), new)


def _known(session: Session, keys: Sequence[Key]) -> dict[Key, Rollup]:
    found: dict[Key, Rollup] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        asked = tuple_(*_KEY).in_(keys[start : start + _KEYS_AT_ONCE])
        for row in session.execute(select(_ROLLUP).where(asked)):
            key = (row.deployment_id, row.is_shadow, row.width_s, row.start_s, row.model_version_id)
            found[key] = unpacked(row)
    return found


_CHANGE = update(_ROLLUP).where(*(column == bindparam(f"its_{column.name}") for column in _KEY))


def _spelled(key: Key, one: Rollup, prefix: str = "") -> dict[str, Any]:
    names = [f"{prefix}{column.name}" for column in _KEY]
    return {
        **dict(zip(names, key, strict=True)),
        "predictions": one.predictions,
        "shapes": one.shapes,
        "latency_us": one.latency_us,
        "first_at": one.first_at,
        "last_at": one.last_at,
        "tally": _packed(one.tally),
    }


def _packed(tally: Tally) -> bytes:
    """Differences of the keys, which are small, then the counts."""
    return zlib.compress(np.stack([np.diff(tally.keys, prepend=0), tally.counts]).tobytes(), 1)


def _counted(row: Any) -> int:
    shapes = len(row.classes) // 8
    return min(shapes, 1) if row.type == InferenceType.CLASSIFICATION.value else shapes


def _joined(rows: Sequence[Any], name: str, counts: Sequence[int], kind: Any) -> NDArray[Any]:
    parts = [getattr(row, name)[: 8 * count] for row, count in zip(rows, counts, strict=True)]
    return np.frombuffer(b"".join(parts), kind)
