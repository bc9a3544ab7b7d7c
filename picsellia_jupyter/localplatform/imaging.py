"""Predicted assets, found by when they were predicted and by what was found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.dashboards import Filters
from picsellia_jupyter.domain.predictions import over_threshold
from picsellia_jupyter.localplatform.asking import Asked, asked_of, titles_of
from picsellia_jupyter.localplatform.statistics import Selection, chosen_predictions, is_tagged
from picsellia_jupyter.localplatform.tables.deployments import PredictedAsset, Prediction

MOST = 10_000
"""Newest predictions that are looked at."""


@dataclass(frozen=True, slots=True)
class FoundImages:
    """Ids of predicted assets, newest first."""

    session: Session
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def first(self, count: int) -> list[PredictedAsset]:
        """The newest ones."""
        return [self.session.get_one(PredictedAsset, ident) for ident in self.ids[:count]]


def images(session: Session, chosen: Selection, filters: Filters, *, now: float) -> FoundImages:
    """The predicted assets of a range, of the newest `MOST` predictions.

    Raises:
        NotFoundError: there is no such model version or label.
    """
    titles = titles_of(session, chosen.deployment)
    asked = asked_of(session, chosen, filters, titles, now=now)
    columns = (
        Prediction.predicted_asset_id, Prediction.tags, Prediction.classes, Prediction.scores,
    )  # fmt: skip
    query = (
        select(*columns)
        .where(*chosen_predictions(asked.chosen), Prediction.predicted_asset_id.is_not(None))
        .order_by(Prediction.at.desc(), Prediction.id)
        .limit(MOST)
    )
    rows: Sequence[Any] = session.execute(query).all()
    kept = [row for row in rows if is_tagged(row.tags, asked.chosen.tags) and _has(row, asked)]
    return FoundImages(session, tuple(str(row.predicted_asset_id) for row in kept))


def _has(row: Any, asked: Asked) -> bool:
    """Whether a shape of the wanted label was found, over the threshold."""
    if asked.label is None:
        return True
    wanted = [index for index, name in asked.labels.items() if name == asked.label]
    classes = np.frombuffer(row.classes, np.int64)
    over = over_threshold(
        np.frombuffer(row.scores, np.float64), asked.chosen.deployment.min_threshold
    )
    return bool((np.isin(classes, wanted) & over).any())
