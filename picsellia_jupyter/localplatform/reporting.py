"""A deployment's dashboard, made beside its data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.dashboards import (
    Choices,
    DashboardReport,
    Drift,
    Errors,
    Filters,
    Heatmap,
    OpenAlert,
    Outliers,
    ShadowLatency,
)
from picsellia_jupyter.domain.errors import MissingExtraError
from picsellia_jupyter.domain.monitoring import Series
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.rollups import Rollup
from picsellia_jupyter.localplatform import binning
from picsellia_jupyter.localplatform.answering import counted
from picsellia_jupyter.localplatform.asking import Asked, asked_of, title_of, titles_of
from picsellia_jupyter.localplatform.binning import Binned, binned
from picsellia_jupyter.localplatform.drifting import compared, global_distribution
from picsellia_jupyter.localplatform.mapping import WITHOUT, shapes_map
from picsellia_jupyter.localplatform.outlying import newest_scores
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.tables.alerts import Alert, FiredAlert
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
    Review,
)
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.workflows.dashboards import binned_scores, latencies, over_time
from picsellia_jupyter.workflows.rollups import Signal, histogram

_MAPPED = 500
"""Newest images whose shapes are laid over each other."""
_ASKED_FOR_CHOICES = 500
_BARS = 20
_IMAGE = {
    "width": Signal.WIDTH,
    "height": Signal.HEIGHT,
    "ratio": Signal.RATIO,
    "area": Signal.AREA,
}


def report(session: Session, chosen: Selection, filters: Filters, *, now: float) -> DashboardReport:
    """Everything that is known of a range.

    Args:
        session: sees one moment.
        chosen: deployment and range.
        filters: which of its predictions.
        now: seconds since the epoch, UTC.

    Raises:
        NotFoundError: there is no such model version or label.
        InvalidInputError: the range ends before it begins.
    """
    deployment, titles = chosen.deployment, titles_of(session, chosen.deployment)
    asked = asked_of(session, chosen, filters, titles, now=now)
    found = binned(session, asked)
    whole = Rollup.sum(list(found.bins))
    labels = global_distribution(session, deployment, whole)
    drift, said = _drift(session, asked, found)
    return DashboardReport(
        figures=found.figures,
        champion=titles[deployment.model_version_id],
        shadow=_shadow_title(session, deployment),
        filters=filters,
        choices=_choices(session, deployment, titles, asked.labels),
        alerts=_open_alerts(session, deployment.id),
        watched=_watched(session, deployment.id),
        errors=_errors(session, asked, found),
        shadow_latency=_shadow(found),
        labels_over_time=over_time(
            found.bins, asked.labels, deployment.min_threshold, only=filters.label
        ),
        training_labels=labels["training"],
        total_variation=labels["total_variation"],
        images=_images(whole),
        drift=drift,
        outliers=_outliers(session, asked, found),
        heatmap=_heatmap(session, asked, found),
        has_reviews=_has_reviews(session, deployment.id),
        notices=tuple(filter(None, (said, _cut(found)))),
    )


# What there is ------------------------------------------------------------------------------


def _shadow_title(session: Session, deployment: Deployment) -> str | None:
    ident = deployment.shadow_model_version_id
    return title_of(session.get_one(ModelVersion, ident)) if ident else None


def _choices(
    session: Session, deployment: Deployment, titles: Mapping[str, str], labels: Mapping[int, str]
) -> Choices:
    newest = (
        select(Prediction.tags, Prediction.source)
        .where(Prediction.deployment_id == deployment.id, Prediction.is_shadow.is_(False))
        .order_by(Prediction.at.desc())
        .limit(_ASKED_FOR_CHOICES)
    )
    rows = session.execute(newest).all()
    return Choices(
        versions=tuple(sorted(titles.values())),
        labels=tuple(dict.fromkeys(labels.values())),
        tags=tuple(sorted({str(tag) for row in rows for tag in row.tags})),
        sources=tuple(sorted({row.source for row in rows if row.source})),
    )


# What is known ------------------------------------------------------------------------------


def _open_alerts(session: Session, deployment_id: str) -> tuple[OpenAlert, ...]:
    query = (
        select(FiredAlert, Alert)
        .join(Alert, Alert.id == FiredAlert.alert_id)
        .where(
            Alert.deployment_id == deployment_id,
            Alert.active.is_(True),
            FiredAlert.ended_at.is_(None),
        )
        .order_by(FiredAlert.created_at.desc())
    )
    return tuple(
        OpenAlert(
            alert.name, alert.metric, alert.operator, alert.limit,
            fired.value if fired.worst is None else fired.worst, fired.count, fired.created_at,
        )
        for fired, alert in session.execute(query)
    )  # fmt: skip


def _watched(session: Session, deployment_id: str) -> int:
    active = select(Alert.id).filter_by(deployment_id=deployment_id, active=True)
    return len(session.scalars(active).all())


def _shadow(found: Binned) -> ShadowLatency | None:
    at, p50_s = latencies(found.shadow, found.edges, 0.5)
    inferences = sum(one.predictions for one in found.shadow)
    return ShadowLatency(inferences, at, p50_s) if inferences else None


def _errors(session: Session, asked: Asked, found: Binned) -> Errors | None:
    chosen = asked.chosen
    # What failed has no tag, source, label or version that it could be found by.
    if asked.is_picked or asked.label or chosen.model_version_id or len(found.edges) < 2:
        return None
    answered, failed = counted(session, chosen.deployment.id, found.edges)
    total = int(answered.sum()), int(failed.sum())
    return Errors(*total, failed) if sum(total) else None


def _images(whole: Rollup) -> dict[str, Series]:
    made = {name: histogram(whole, signal, bars=_BARS) for name, signal in _IMAGE.items()}
    return {name: series for name, series in made.items() if series is not None}


def _drift(session: Session, asked: Asked, found: Binned) -> tuple[Drift | None, str]:
    chosen = asked.chosen
    if not found.figures.inferences:
        return None, ""
    if asked.is_picked or chosen.model_version_id not in (None, chosen.deployment.model_version_id):
        return None, "Drift is tested on all predictions of the champion; this is a part of them."
    try:
        tested = compared(
            session, chosen.deployment, since=chosen.since, until=float(found.edges[-1])
        )
    except MissingExtraError as error:
        return None, str(error)
    return Drift(tested.report, tested.baseline, tested.window, tested.training_images), ""


def _outliers(session: Session, asked: Asked, found: Binned) -> Outliers | None:
    if not found.figures.inferences:
        return None
    scores = newest_scores(session, asked.chosen)
    if scores is None:
        return None
    at, values, threshold = scores
    middles, median, share = binned_scores(at, values, threshold, found.edges)
    beyond = int((values > threshold).sum())
    return Outliers(threshold, len(values), beyond, middles, median, share)


def _heatmap(session: Session, asked: Asked, found: Binned) -> Heatmap | None:
    kind = InferenceType(asked.chosen.deployment.type)
    if kind in WITHOUT or not found.figures.shapes:
        return None
    made = shapes_map(session, asked.chosen, label=asked.label, newest=_MAPPED)
    cells: NDArray[np.int64] = np.array(made["cells"], np.int64)
    return Heatmap(cells, made["images"], made["shapes"]) if made["shapes"] else None


def _has_reviews(session: Session, deployment_id: str) -> bool:
    query = (
        select(Review.id)
        .join(PredictedAsset, PredictedAsset.id == Review.predicted_asset_id)
        .where(PredictedAsset.deployment_id == deployment_id)
        .limit(1)
    )
    return session.scalar(query) is not None


def _cut(found: Binned) -> str:
    return (
        f"Only the newest {binning.MOST_READ:,} predictions were looked at." if found.is_cut else ""
    )
