"""Outlier scores: an auto-encoder fitted when it is asked for, and images scored as they come."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session, undefer

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.images import small_rgb
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.tables.base import table_of
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake
from picsellia_jupyter.localplatform.tables.datasets import Asset
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
)
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.outliers import OutlierFit, OutlierScore
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.workflows.autoencoders import SIDE, OutlierModel, errors, threshold_of

FEWEST = 50
"""Training images that are needed."""
MOST = 2_000
"""Training images that are read; of more, some are picked, always the same ones."""
CONTAMINATION = 0.05
_AT_ONCE = 64
_STRAGGLERS_S = 600.0
_LONGEST_FIT_S = 900.0
Place = tuple[Connector, str]
"""A storage connector and the name of an image in it."""


def begin_fit(here: Platform, deployment: Deployment, contamination: float) -> threading.Thread:
    """Fit a deployment's auto-encoder in the background; what it had is replaced.

    Raises:
        InvalidInputError: no training data are set, or they have too few images; or the
            contamination is no share.
    """
    threshold_of(np.zeros(1), contamination)
    with here.store.writing() as session:
        pipeline = session.scalars(select(Pipeline).filter_by(deployment_id=deployment.id)).first()
        if pipeline is None or pipeline.training_data_id is None:
            raise InvalidInputError(
                f"The deployment {deployment.name!r} has no training data to learn from.",
                "Set them: deployment.set_training_data(dataset_version).",
            )
        places = _training_images(session, pipeline.training_data_id)
        if len(places) < FEWEST:
            raise InvalidInputError(
                f"The training data have {len(places)} images; an outlier score takes "
                f"{FEWEST} at least.",
                "Add images to the dataset version.",
            )
        session.execute(delete(OutlierFit).filter_by(deployment_id=deployment.id))
        session.execute(delete(OutlierScore).filter_by(deployment_id=deployment.id))
        row = OutlierFit(
            deployment_id=deployment.id,
            training_data_id=pipeline.training_data_id,
            contamination=contamination,
            state="FITTING",
            created_at=here.clock(),
        )
        session.add(row)
        session.flush()
        ident = row.id
    fitting = threading.Thread(target=_fit, args=(here, ident, places), daemon=True)
    fitting.start()
    return fitting


def score_new(here: Platform) -> int:
    """Score images that came since the last time.

    Returns:
        How many were looked at.
    """
    with here.store.reading() as session:
        ready = select(OutlierFit).filter_by(state="READY").options(undefer(OutlierFit.weights))
        fits = session.scalars(ready).all()
    return sum(_score(here, fit) for fit in fits)


def fit_of(session: Session, here: Platform, deployment_id: str) -> OutlierFit | None:
    """The fit of a deployment; one that a platform did not live to finish has failed."""
    row = session.scalars(select(OutlierFit).filter_by(deployment_id=deployment_id)).first()
    if row is not None and row.state == "FITTING" and row.created_at < here.started_at:
        session.expunge(row)
        row.state, row.reason = "FAILED", "The platform ended meanwhile. Fit it again."
    return row


def waiting_count(session: Session, fit: OutlierFit) -> int:
    """Predicted images that are kept and that this fit has not scored yet."""
    waiting = _unscored(fit).limit(None).order_by(None).subquery()
    return session.scalar(select(func.count()).select_from(waiting)) or 0


# Fitting -------------------------------------------------------------------------------------


def _fit(here: Platform, ident: str, places: Sequence[Place]) -> None:
    try:
        changes = _fitted(here, places)
    except Exception as error:  # noqa: BLE001 - told to whoever asks how it went
        changes = {"state": "FAILED", "reason": str(error) or type(error).__name__}
    with here.store.writing() as session:
        row = session.get(OutlierFit, ident)
        if row is None:
            return
        held_out = changes.pop("held_out", None)
        for key, value in changes.items():
            setattr(row, key, value)
        if held_out is not None:
            row.threshold = threshold_of(held_out, row.contamination)


def _fitted(here: Platform, places: Sequence[Place]) -> dict[str, Any]:
    images = [image for image in read_small(here, places) if image is not None]
    if len(images) < FEWEST:
        raise InvalidInputError(
            f"Of {len(places)} training images {len(images)} can be read.",
            f"{FEWEST} at least are needed.",
        )
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "images.npy", Path(folder) / "model.npz"
        np.save(source, np.stack(images))
        program = [sys.executable, "-m", "picsellia_jupyter.localplatform.reconstruction"]
        done = subprocess.run(  # noqa: S603 - our own program
            [*program, str(source), str(target)],
            capture_output=True, text=True, timeout=_LONGEST_FIT_S, check=False,
        )  # fmt: skip
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise InvalidInputError(
                f"The auto-encoder could not be fitted ({last[0]}).",
                "It needs torch: pip install 'picsellia_jupyter[serving]'",
            )
        weights = target.read_bytes()
    held_out = np.load(io.BytesIO(weights), allow_pickle=False)["held_out"]
    return {"state": "READY", "images": len(images), "weights": weights, "held_out": held_out}


def _training_images(session: Session, dataset_version_id: str) -> list[Place]:
    query = stored_images().join(Asset, Asset.data_id == Data.id)
    query = query.where(Asset.dataset_version_id == dataset_version_id).order_by(Data.id)
    places = [(row.Connector, row.object_name) for row in session.execute(query)]
    if len(places) <= MOST:
        return places
    picked = np.random.default_rng(0).choice(len(places), MOST, replace=False)
    return [places[k] for k in sorted(picked)]


# Scoring -------------------------------------------------------------------------------------


def _score(here: Platform, fit: OutlierFit) -> int:
    with here.store.reading() as session:
        rows = session.execute(_unscored(fit)).all()
    if not rows:
        return 0
    model = model_of(fit)
    images = list(read_small(here, [(row.Connector, row.object_name) for row in rows]))
    readable = [image for image in images if image is not None]
    found = iter(errors(model.weights, _stack(readable)))
    scores = [
        {
            "prediction_id": row.id,
            "deployment_id": fit.deployment_id,
            "at": row.at,
            "score": None if image is None else float(next(found)),
        }
        for row, image in zip(rows, images, strict=True)
    ]
    with here.store.writing() as session:
        current = session.get(OutlierFit, fit.id)
        if current is not None:
            alive = set(session.scalars(_still_there([row.id for row in rows])))
            kept = [one for one in scores if one["prediction_id"] in alive]
            session.connection().execute(insert(table_of(OutlierScore)), kept) if kept else None
            current.scored_until = max(row.created_at for row in rows)
    return len(rows)


def _unscored(fit: OutlierFit) -> Any:
    scored = select(OutlierScore.prediction_id).where(OutlierScore.prediction_id == Prediction.id)
    return (
        stored_images()
        .add_columns(Prediction.id, Prediction.at, PredictedAsset.created_at)
        .join(PredictedAsset, PredictedAsset.data_id == Data.id)
        .join(Prediction, Prediction.predicted_asset_id == PredictedAsset.id)
        .where(
            PredictedAsset.deployment_id == fit.deployment_id,
            # They are committed in about the order they came in, not in it.
            PredictedAsset.created_at >= fit.scored_until - _STRAGGLERS_S,
            Prediction.is_shadow.is_(False),
            ~scored.exists(),
        )
        .order_by(PredictedAsset.created_at)
        .limit(_AT_ONCE)
    )


def _still_there(ids: Sequence[str]) -> Any:
    return select(Prediction.id).where(Prediction.id.in_(ids))


def stored_images() -> Any:
    """A query for images and where they are."""
    return (
        select(Connector, Data.object_name)
        .select_from(Data)
        .join(Datalake, Datalake.id == Data.datalake_id)
        .join(Connector, Connector.id == Datalake.connector_id)
    )


def read_small(here: Platform, places: Iterable[Place]) -> Iterable[NDArray[np.uint8] | None]:
    """Images, shrunk; None for those that are gone or cannot be read."""
    for connector, name in places:
        try:
            with here.blobs(connector).open(name) as stream:
                yield small_rgb(stream.read(), SIDE)
        except (OSError, InvalidInputError):
            yield None


def model_of(fit: OutlierFit) -> OutlierModel:
    """The auto-encoder of a fit that is ready, with its weights loaded."""
    stored = np.load(io.BytesIO(fit.weights or b""), allow_pickle=False)
    weights = {name: stored[name] for name in stored.files}
    return OutlierModel(weights, float(fit.threshold or 0.0))


def _stack(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return np.stack(images) if images else np.zeros((0, SIDE, SIDE, 3), np.uint8)
