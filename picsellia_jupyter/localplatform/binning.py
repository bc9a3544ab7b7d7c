"""The champion's predictions of a range in bins of time, and the figures of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.monitoring import Dashboard, PredictionLog
from picsellia_jupyter.domain.registry import label_name
from picsellia_jupyter.domain.rollups import Observed, Rollup
from picsellia_jupyter.localplatform.asking import Asked
from picsellia_jupyter.localplatform.folding import COLUMNS, observed_from
from picsellia_jupyter.localplatform.overviews import is_exact, whole_range
from picsellia_jupyter.localplatform.spans import rolled
from picsellia_jupyter.localplatform.statistics import Selection, chosen_predictions, is_tagged
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.workflows.dashboards import bin_edges, dashboard_of
from picsellia_jupyter.workflows.metrics import summarize
from picsellia_jupyter.workflows.rollups import add_up, only_label

MOST_READ = 100_000
"""Predictions that are read one by one where they are picked by tag or source."""
_BINS_OF_A_MOMENT = 12
_FINEST_S = 1.0
"""Least width of a bin where predictions are read one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Binned:
    """T bins of time."""

    edges: NDArray[np.float64]
    """(T + 1,) seconds since the epoch, UTC."""
    bins: Sequence[Rollup]
    """(T,) with the shapes of all labels."""
    shadow: Sequence[Rollup]
    """(T,) or none."""
    figures: Dashboard
    is_cut: bool = False
    """Whether there are more predictions than were read."""


def binned(session: Session, asked: Asked) -> Binned:
    """The range of a selection; without a beginning, from the first prediction on.

    Raises:
        InvalidInputError: the range ends before it begins.
    """
    chosen = asked.chosen
    known = whole_range(session, chosen)
    until = _until(asked, known)
    if known is None:
        figures = _exact(asked, PredictionLog.empty(), chosen.since, until, None)
        return Binned(figures.predictions_over_time.edges, (), (), figures)
    since = min(float(known[0]), until) if chosen.since is None else chosen.since
    if is_exact(session, chosen, known):
        return _one_by_one(session, asked, since, until)
    edges = bin_edges(since, until)
    bins = _rolled(session, chosen, edges, is_shadow=False)
    shown = [only_label(one, asked.labels, asked.label) for one in bins]
    figures = dashboard_of(shown, edges, **_shared(asked))  # type: ignore[arg-type]
    return Binned(edges, bins, _rolled(session, chosen, edges, is_shadow=True), figures)


def _until(asked: Asked, known: NDArray[np.float64] | None) -> float:
    if asked.chosen.until is not None:
        return asked.chosen.until
    return asked.now if known is None else max(asked.now, float(known[-1]))


def _one_by_one(session: Session, asked: Asked, since: float, until: float) -> Binned:
    # A range that ends before it begins is refused below.
    some = until - since > _FINEST_S
    edges = bin_edges(since, until, finest_s=_FINEST_S) if some else None
    observed, is_cut = _read(session, asked.chosen, is_shadow=False)
    figures = _exact(asked, observed.log, since, until, edges)
    edges = figures.predictions_over_time.edges
    shadow: Sequence[Rollup] = ()
    if not asked.is_picked:  # What the shadow found has no tags.
        shadow = _parted(_read(session, asked.chosen, is_shadow=True)[0], edges)
    return Binned(edges, _parted(observed, edges), shadow, figures, is_cut)


def _exact(
    asked: Asked,
    log: PredictionLog,
    since: float | None,
    until: float,
    edges: NDArray[np.float64] | None,
) -> Dashboard:
    return summarize(
        _only(log, asked), since=since, until=until, edges=edges, bins=_BINS_OF_A_MOMENT,
        **_shared(asked),  # type: ignore[arg-type]
    )  # fmt: skip


def _shared(asked: Asked) -> dict[str, object]:
    deployment = asked.chosen.deployment
    return {
        "deployment": deployment.name, "labels": asked.labels,
        "threshold": deployment.min_threshold,
    }  # fmt: skip


def _only(log: PredictionLog, asked: Asked) -> PredictionLog:
    """The same predictions with the shapes of the wanted label alone."""
    if asked.label is None:
        return log
    names = [label_name(asked.labels, int(index)) for index in log.classes]
    kept = np.array([name == asked.label for name in names], bool)
    return PredictionLog(
        log.at, log.latency_s, log.shape_of[kept], log.classes[kept], log.scores[kept]
    )


def _read(session: Session, chosen: Selection, *, is_shadow: bool) -> tuple[Observed, bool]:
    conditions = chosen_predictions(chosen, is_shadow=is_shadow)
    query = (
        select(*COLUMNS, Prediction.tags)
        .join(Deployment, Deployment.id == Prediction.deployment_id)
        .where(*conditions)
        .order_by(Prediction.at.desc())
        .limit(MOST_READ + 1)
    )
    rows = session.execute(query).all()
    kept = [row for row in rows[:MOST_READ] if is_tagged(row.tags, chosen.tags)]
    return observed_from(kept[::-1]), len(rows) > MOST_READ


def _parted(observed: Observed, edges: NDArray[np.float64]) -> list[Rollup]:
    bins = len(edges) - 1
    places = np.searchsorted(edges, observed.log.at, side="right") - 1
    return add_up(observed, np.clip(places, 0, bins - 1).astype(np.int64), bins)


def _rolled(
    session: Session, chosen: Selection, edges: NDArray[np.float64], *, is_shadow: bool
) -> list[Rollup]:
    # The shadow has a model version of its own.
    version = None if is_shadow else chosen.model_version_id
    return rolled(
        session, chosen.deployment.id, edges, model_version_id=version, is_shadow=is_shadow
    )
