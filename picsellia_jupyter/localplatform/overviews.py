"""A deployment's figures over any range: exact where there are few predictions, else from rollups.

Up to `EXACT` predictions are read one by one, and so are those that are picked by tags or ids.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.monitoring import Dashboard
from picsellia_jupyter.domain.rollups import Rollup
from picsellia_jupyter.localplatform.labels import label_names
from picsellia_jupyter.localplatform.spans import first_and_last, rolled
from picsellia_jupyter.localplatform.statistics import (
    Selection,
    chosen_predictions,
    label_distribution,
    prediction_log,
    summary,
)
from picsellia_jupyter.localplatform.tables.deployments import Prediction
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.workflows.dashboards import bin_edges, dashboard_of, latency_figures
from picsellia_jupyter.workflows.metrics import summarize
from picsellia_jupyter.workflows.rollups import Signal, labels_over, quantiles

EXACT = 10_000
NARROWEST_S = 600.0
"""A shorter range has fewer than ten whole minutes, and is read one by one whatever is in it."""
_IMAGE = {
    "image_width": Signal.WIDTH, "image_height": Signal.HEIGHT, "image_ratio": Signal.RATIO,
    "image_area": Signal.AREA, "shapes_per_image": Signal.SHAPES, "mean_score": Signal.MEAN_SCORE,
    "best_score": Signal.TOP_SCORE,
}  # fmt: skip
_SHARES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}


def overview(session: Session, chosen: Selection) -> Json:
    """How many predictions there are, how long they took, and how large their images were."""
    edges = whole_range(session, chosen)
    if is_exact(session, chosen, edges):
        return {**summary(prediction_log(session, chosen)), **_of_images(session, chosen)}
    found = whole(session, chosen)
    mean, p50, p95, p99 = latency_figures(found)
    some = found.predictions > 0
    return {
        "inferences": found.predictions,
        "mean_latency": mean,
        "latency_p50": p50,
        "latency_p95": p95,
        "latency_p99": p99,
        "first_at": found.first_at if some else None,
        "last_at": found.last_at if some else None,
        "shapes": found.shapes,
        "images": _image_figures(found),
    }


def labels(session: Session, chosen: Selection) -> dict[str, int]:
    """Shapes over the deployment's threshold per label, most frequent first."""
    edges = whole_range(session, chosen)
    if is_exact(session, chosen, edges):
        return label_distribution(session, chosen)
    version = session.get_one(ModelVersion, chosen.deployment.model_version_id)
    names = label_names(version)
    return labels_over(whole(session, chosen), names, chosen.deployment.min_threshold)


def dashboard(session: Session, chosen: Selection, *, now: float) -> Dashboard:
    """The dashboard of a range; without a beginning, from the first prediction on.

    Raises:
        InvalidInputError: the range ends before it begins.
    """
    version = session.get_one(ModelVersion, chosen.deployment.model_version_id)
    shared = {
        "deployment": chosen.deployment.name,
        "labels": label_names(version),
        "threshold": chosen.deployment.min_threshold,
    }
    known = whole_range(session, chosen)
    latest = now if known is None else max(now, float(known[-1]))
    until = latest if chosen.until is None else chosen.until
    if known is None or is_exact(session, chosen, known):
        log = prediction_log(session, chosen)
        return summarize(log, since=chosen.since, until=until, **shared)  # type: ignore[arg-type]
    edges = bin_edges(float(known[0]), until)
    return dashboard_of(_rolled(session, chosen, edges), edges, **shared)  # type: ignore[arg-type]


def whole(session: Session, chosen: Selection) -> Rollup:
    """All that were chosen, added up; tags and ids are not looked at."""
    edges = whole_range(session, chosen)
    if edges is None or edges[1] < edges[0]:
        return Rollup()
    return _rolled(session, chosen, edges)[0]


def whole_range(session: Session, chosen: Selection) -> NDArray[np.float64] | None:
    """The two ends of the range; None where the deployment has no prediction at all."""
    known = first_and_last(session, chosen.deployment.id)
    if known is None:
        return None
    since = known[0] if chosen.since is None else chosen.since
    until = max(known[1], since) if chosen.until is None else chosen.until
    return np.array([since, until], np.float64)


def is_exact(session: Session, chosen: Selection, edges: NDArray[np.float64] | None) -> bool:
    """Whether predictions are read one by one; `edges` are the two ends of the range."""
    if edges is None or chosen.includes or chosen.excludes or chosen.tags or chosen.source:
        return True
    if edges[1] - edges[0] < NARROWEST_S:
        return True
    few = select(Prediction.id).where(*chosen_predictions(chosen)).limit(EXACT + 1).subquery()
    return (session.scalar(select(func.count()).select_from(few)) or 0) <= EXACT


def _rolled(session: Session, chosen: Selection, edges: NDArray[np.float64]) -> list[Rollup]:
    return rolled(
        session, chosen.deployment.id, edges, model_version_id=chosen.model_version_id
    )  # fmt: skip


def _of_images(session: Session, chosen: Selection) -> Json:
    if chosen.includes or chosen.excludes or chosen.tags:
        return {}
    all_of_them = whole(session, chosen)
    return {"shapes": all_of_them.shapes, "images": _image_figures(all_of_them)}


def _image_figures(one: Rollup) -> Json:
    """Quantiles of what is known of each image."""
    found = {
        name: quantiles(one, signal, tuple(_SHARES.values())) for name, signal in _IMAGE.items()
    }
    return {
        name: dict(zip(_SHARES, values, strict=True)) for name, values in found.items() if values
    }
