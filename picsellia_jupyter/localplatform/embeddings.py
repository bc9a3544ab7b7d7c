"""Whether the images of a window are those of before: MMD on the auto-encoder's embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import undefer

from picsellia_jupyter.domain.drift import Verdict
from picsellia_jupyter.domain.outliers import EmbeddingDrift
from picsellia_jupyter.localplatform.outliers import model_of, read_small, stored_images
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.tables.datalakes import Data
from picsellia_jupyter.localplatform.tables.deployments import PredictedAsset, Prediction
from picsellia_jupyter.localplatform.tables.outliers import OutlierFit
from picsellia_jupyter.workflows.autoencoders import Weights, embedded
from picsellia_jupyter.workflows.drift import ALPHA, mmd

MOST = 200
"""Images that are read of either side."""
FEWEST = 30
"""Images that either side needs."""


def embedding_drift(
    here: Platform, deployment_id: str, since: float | None, until: float | None
) -> EmbeddingDrift:
    """Compare the newest kept images of a range with the first ones of before it.

    Args:
        here: the platform.
        deployment_id: whose; its outlier model must be ready.
        since: seconds since the epoch, UTC; None takes all that came after the first ones.
        until: likewise; None ends now.
    """
    with here.store.reading() as session:
        ready = select(OutlierFit).filter_by(deployment_id=deployment_id, state="READY")
        fit = session.scalars(ready.options(undefer(OutlierFit.weights))).first()
        if fit is None:
            return EmbeddingDrift(0, 0, reason="No outlier model is fitted: d.fit_outliers()")
        first = _kept(deployment_id, None, since).order_by(Prediction.at).limit(MOST)
        before = session.execute(first).all()
        begin = since if since is not None or not before else before[-1].at
        newest = _kept(deployment_id, begin, until).order_by(Prediction.at.desc())
        known = {row.id for row in before}
        within = [row for row in session.execute(newest.limit(MOST)) if row.id not in known]
    weights = model_of(fit).weights
    return _compared(*(_embedded(here, weights, rows) for rows in (before, within)))


def _compared(before: NDArray[np.float32], within: NDArray[np.float32]) -> EmbeddingDrift:
    counts = len(before), len(within)
    if min(counts) < FEWEST:
        why = f"{counts[1]} images against {counts[0]}; {FEWEST} of each are needed"
        return EmbeddingDrift(*counts, reason=why)
    distance, p = mmd(before, within)
    verdict = Verdict.DRIFT if p <= ALPHA else Verdict.STEADY
    return EmbeddingDrift(*counts, distance, p, verdict)


def _kept(deployment_id: str, since: float | None, until: float | None) -> Any:
    query = (
        stored_images()
        .add_columns(Prediction.id, Prediction.at)
        .join(PredictedAsset, PredictedAsset.data_id == Data.id)
        .join(Prediction, Prediction.predicted_asset_id == PredictedAsset.id)
        .where(PredictedAsset.deployment_id == deployment_id, Prediction.is_shadow.is_(False))
    )
    if since is not None:
        query = query.where(Prediction.at >= since)
    return query if until is None else query.where(Prediction.at < until)


def _embedded(here: Platform, weights: Weights, rows: Iterable[Any]) -> NDArray[np.float32]:
    found = read_small(here, [(row.Connector, row.object_name) for row in rows])
    return embedded(weights, [image for image in found if image is not None])
