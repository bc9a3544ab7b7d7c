"""What a deployment's predictions are compared with, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.drift import DriftReport, Sample
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.rollups import Observed, Rollup
from picsellia_jupyter.localplatform.folding import COLUMNS, observed_from, pending_of
from picsellia_jupyter.localplatform.labels import label_names
from picsellia_jupyter.localplatform.spans import rolled
from picsellia_jupyter.localplatform.tables.datalakes import Data
from picsellia_jupyter.localplatform.tables.datasets import Asset
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.localplatform.tables.registry import ModelContext, ModelVersion
from picsellia_jupyter.localplatform.tables.rollups import PendingRollup, StoredRollup
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.workflows.drift import FEWEST, drift, total_variation
from picsellia_jupyter.workflows.rollups import (
    add_all_up,
    images_by_label,
    labels_over,
    samples,
)

BASELINE = 1_000
"""The first predictions of a model version, which later ones are compared with."""
OF_TRAINING = ("image width", "image height", "image ratio", "image area")
"""Signals whose reference is the training data, where those are set."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A window of predictions beside its reference."""

    report: DriftReport
    baseline: int
    """Predictions of the baseline."""
    baseline_until: float | None
    """When its last prediction was made; the window begins after it."""
    training_images: int
    window: int
    since: float | None
    until: float


@dataclass(frozen=True, slots=True)
class LabelShift:
    """Total variation between the labels of a window's images and the baseline's."""

    distance: float | None
    """In [0, 1]; None where there are too few images."""
    baseline: int
    window: int


def compared(
    session: Session, deployment: Deployment, *, since: float | None, until: float
) -> Compared:
    """Test a window of the champion's predictions for drift.

    Predictions are compared with the first thousand of the same model version, sizes of images
    with the training data where those have enough. What belongs to the baseline is not in the
    window.

    Args:
        session: sees one moment.
        deployment: whose champion.
        since: start of the window, seconds since the epoch, UTC; None begins after the baseline.
        until: its end.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    baseline, window = _both(session, deployment, since, until)
    names = label_names(session.get_one(ModelVersion, deployment.model_version_id))
    sizes = _training_sizes(session, deployment.id)
    threshold = deployment.min_threshold
    report = drift(
        {**samples(baseline), **sizes},
        samples(window),
        label_counts=(
            images_by_label(baseline, names, threshold), images_by_label(window, names, threshold)
        ),
    )  # fmt: skip
    return Compared(
        report, baseline.predictions, baseline.last_at if baseline.predictions else None,
        max((len(one) for one in sizes.values()), default=0), window.predictions, since, until,
    )  # fmt: skip


def label_shift(
    session: Session, deployment: Deployment, *, since: float | None, until: float
) -> LabelShift:
    """How far the labels of a window's images are from those of the baseline."""
    baseline, window = _both(session, deployment, since, until)
    distance = None
    if min(baseline.predictions, window.predictions) >= FEWEST:
        names = label_names(session.get_one(ModelVersion, deployment.model_version_id))
        threshold = deployment.min_threshold
        distance = total_variation(
            images_by_label(baseline, names, threshold), images_by_label(window, names, threshold)
        )
    return LabelShift(distance, baseline.predictions, window.predictions)


def spelled(found: Compared) -> Json:
    """The result of the service `ks_drift`."""
    report = found.report
    return {
        "verdict": report.verdict.value,
        "drifting": list(report.drifting),
        "alpha": report.alpha,
        "signals": [
            {
                "signal": one.signal,
                "test": one.test,
                "reference": one.reference,
                "current": one.current,
                "effect": one.effect,
                "p": one.p,
                "q": one.q,
                "verdict": one.verdict.value,
            }
            for one in report.signals
        ],
        "baseline": {"predictions": found.baseline, "until": found.baseline_until},
        "training_images": found.training_images,
        "window": {"predictions": found.window, "since": found.since, "until": found.until},
    }


def global_distribution(session: Session, deployment: Deployment, whole: Rollup) -> Json:
    """Shapes per label, predicted and in the training data, and how far they are apart.

    No test: the objects of one image are alike, and training data are counted by objects alone.
    """
    version = session.get_one(ModelVersion, deployment.model_version_id)
    predicted = labels_over(whole, label_names(version), deployment.min_threshold)
    training = _training_labels(session, version.id)
    return {
        "predicted": predicted,
        "training": training,
        "total_variation": total_variation(training, predicted),
    }


# References ----------------------------------------------------------------------------------


def _both(
    session: Session, deployment: Deployment, since: float | None, until: float
) -> tuple[Rollup, Rollup]:
    """The baseline and the window, which begins after it."""
    baseline = add_all_up(_baseline(session, deployment))
    after = float(np.nextafter(baseline.last_at, np.inf)) if baseline.predictions else until
    begin = min(max(since or after, after), until)
    if begin >= until:
        return baseline, Rollup()
    edges, version = np.array([begin, until]), deployment.model_version_id
    [window] = rolled(session, deployment.id, edges, model_version_id=version)
    return baseline, window


def _baseline(session: Session, deployment: Deployment) -> Observed:
    own = (
        Prediction.deployment_id == deployment.id,
        Prediction.is_shadow.is_(False),
        Prediction.model_version_id == deployment.model_version_id,
    )
    version = deployment.model_version_id
    pending = pending_of(deployment.id, model_version_id=version)
    # A later version's first prediction is far into the index: the rollups know where.
    first = session.scalar(
        select(func.min(StoredRollup.first_at)).where(
            StoredRollup.deployment_id == deployment.id,
            StoredRollup.is_shadow.is_(False),
            StoredRollup.width_s == 86_400,
            StoredRollup.model_version_id == deployment.model_version_id,
        )
    )
    waiting = session.scalar(
        select(func.min(Prediction.at)).select_from(PendingRollup).join(Prediction, and_(*pending))
    )
    known = [at for at in (first, waiting) if at is not None]
    query = (
        select(*COLUMNS)
        .join(Deployment, Deployment.id == Prediction.deployment_id)
        .where(*own, Prediction.at >= min(known, default=0.0))
        .order_by(Prediction.at, Prediction.id)
        .limit(BASELINE)
    )
    return observed_from(session.execute(query).all())


def _training_sizes(session: Session, deployment_id: str) -> Mapping[str, Sample]:
    """Samples of the training images' sizes; none where there are too few."""
    query = (
        select(Data.width, Data.height)
        .join(Asset, Asset.data_id == Data.id)
        .join(Pipeline, Pipeline.training_data_id == Asset.dataset_version_id)
        .where(
            Pipeline.deployment_id == deployment_id,
            Data.width.is_not(None),
            Data.height.is_not(None),
        )
    )
    sizes = np.array([tuple(row) for row in session.execute(query)], np.int64).reshape(-1, 2)
    # Fewer say nothing: the first predictions are the better reference then.
    if len(sizes) < FEWEST:
        return {}
    nothing = np.zeros(0)
    log = PredictionLog(
        np.zeros(len(sizes)), np.zeros(len(sizes)), nothing.astype(np.int64),
        nothing.astype(np.int64), nothing,
    )  # fmt: skip
    found = samples(add_all_up(Observed(log, sizes)))
    return {name: found[name] for name in OF_TRAINING}


def _training_labels(session: Session, version_id: str) -> dict[str, int]:
    """Objects per label that a model version was trained on.

    Of the datasets that are called `train…`; where none is, of all.
    """
    context = session.scalars(select(ModelContext).filter_by(version_id=version_id)).first()
    datas = list(context.datas) if context else []
    training = [one for one in datas if str(one.get("name", "")).lower().startswith("train")]
    counts: dict[str, int] = {}
    for one in training or datas:
        for name, number in (one.get("repartition") or {}).items():
            counts[name] = counts.get(name, 0) + int(number)
    return counts
