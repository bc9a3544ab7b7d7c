"""A search for predicted assets by what was found in them, which no index knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.predictions import over_threshold
from picsellia_jupyter.domain.recorded import Wanted
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.filters import tagged
from picsellia_jupyter.localplatform.labels import label_names, labels_of
from picsellia_jupyter.localplatform.listing import cursor_of, rows_after
from picsellia_jupyter.localplatform.tables.datalakes import Data, DataSource
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
)
from picsellia_jupyter.localplatform.tables.registry import ModelVersion

CHUNK = 500
"""Rows that are looked at together."""
MOST = 20_000
"""Rows that one request looks at; the cursor goes on from there."""


def search(
    session: Session, deployment: Deployment, wanted: Wanted, *, limit: int, after: str | None
) -> tuple[list[tuple[str, float]], str | None]:
    """The newest predicted assets that are wanted.

    Args:
        session: where from.
        deployment: whose.
        wanted: which of them.
        limit: at most so many.
        after: a cursor that an earlier call gave.

    Returns:
        Their ids, each with the time of its prediction in seconds since the epoch, and a cursor;
        None at the end. Where much is left out, there may be fewer than `limit` and still more
        to come.

    Raises:
        NotFoundError: the deployment has no such label.
        InvalidInputError: the cursor is none.
    """
    keeps = _sieve(session, deployment, wanted)
    found: list[tuple[str, float]] = []
    place, seen = after, 0
    while seen < MOST:
        rows = _chunk(session, deployment, wanted, place)
        for row in rows:
            if keeps(row):
                found.append((row.id, row.at))
            place = cursor_of(row)
            if len(found) == limit:
                return found, place
        if len(rows) < CHUNK:
            return found, None
        seen += len(rows)
    return found, place


def _chunk(
    session: Session, deployment: Deployment, wanted: Wanted, after: str | None
) -> Sequence[Row[Any]]:
    query = (
        select(
            PredictedAsset.id, PredictedAsset.created_at, Prediction.at,
            Prediction.model_version_id, Prediction.classes, Prediction.scores,
        )
        .join(Prediction, Prediction.predicted_asset_id == PredictedAsset.id)
        .join(Data, Data.id == PredictedAsset.data_id)
        .where(
            PredictedAsset.deployment_id == deployment.id,
            Prediction.is_shadow.is_(False),
            *_conditions(wanted),
        )
    )  # fmt: skip
    if after:
        query = query.where(rows_after(PredictedAsset, after))
    newest = (PredictedAsset.created_at.desc(), PredictedAsset.id.desc())
    rows: Sequence[Any] = session.execute(query.order_by(*newest).limit(CHUNK)).all()
    return rows


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the database can tell of a filter."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(Prediction.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Prediction.at < wanted.until)
    if wanted.tag:
        conditions.append(tagged(Data.id)("=", [wanted.tag]))
    if wanted.source:
        conditions.append(Data.data_source_id.in_(_sources(wanted.source)))
    if wanted.text:
        conditions.append(Data.filename.icontains(wanted.text, autoescape=True))
    return conditions


def _sources(name: str) -> Select[str]:
    return select(DataSource.id).where(DataSource.name == name)


def _sieve(session: Session, deployment: Deployment, wanted: Wanted) -> Callable[[Row[Any]], bool]:
    """Whether what was found in a row is wanted."""
    if not wanted.label and wanted.over is None and wanted.up_to is None:
        return lambda _row: True
    _check_label(session, deployment, wanted.label)
    is_class = deployment.type == InferenceType.CLASSIFICATION.value
    least = deployment.min_threshold if wanted.over is None else wanted.over
    indices: dict[str, list[int]] = {}

    def keeps(row: Row[Any]) -> bool:
        classes = np.frombuffer(row.classes, np.int64)[: 1 if is_class else None]
        scores = np.frombuffer(row.scores, np.float64)[: len(classes)]
        kept = over_threshold(scores, least)
        if wanted.up_to is not None:
            kept &= scores <= wanted.up_to
        if wanted.label:
            if row.model_version_id not in indices:
                indices[row.model_version_id] = _indices(session, row, wanted.label)
            kept &= np.isin(classes, indices[row.model_version_id])
        return bool(kept.any())

    return keeps


def _indices(session: Session, row: Row[Any], label: str) -> list[int]:
    version = session.get_one(ModelVersion, row.model_version_id)
    return [index for index, name in label_names(version).items() if name == label]


def _check_label(session: Session, deployment: Deployment, label: str) -> None:
    known = [one.name for one in labels_of(session, deployment.id)]
    if label and label not in known:
        raise NotFoundError.named("label", label, known)
