"""Which predictions of a deployment a dashboard is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.dashboards import Filters
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.localplatform.folding import pending_of
from picsellia_jupyter.localplatform.labels import label_names
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.rollups import StoredRollup


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked of a deployment."""

    chosen: Selection
    labels: Mapping[int, str]
    """Class index to label name."""
    label: str | None
    """Only shapes of this label."""
    now: float

    @property
    def is_picked(self) -> bool:
        """Whether predictions are picked by what no rollup knows."""
        return bool(self.chosen.tags) or self.chosen.source is not None


def asked_of(
    session: Session,
    chosen: Selection,
    filters: Filters,
    titles: Mapping[str, str],
    *,
    now: float,
) -> Asked:
    """What filters mean.

    Args:
        session: reads.
        chosen: deployment and range.
        filters: which of its predictions.
        titles: of the deployment's model versions, by their ids.
        now: seconds since the epoch, UTC.

    Raises:
        NotFoundError: there is no such model version or label.
    """
    version_id = _version_id(filters.version, titles)
    shown = version_id or chosen.deployment.model_version_id
    labels = label_names(session.get_one(ModelVersion, shown))
    if filters.label is not None and filters.label not in labels.values():
        raise NotFoundError.named("label", filters.label, list(labels.values()))
    selection = Selection(
        deployment=chosen.deployment,
        since=chosen.since,
        until=chosen.until,
        model_version_id=version_id,
        tags=(filters.tag,) if filters.tag else (),
        source=filters.source,
    )
    return Asked(selection, labels, filters.label, now)


def _version_id(wanted: str | None, titles: Mapping[str, str]) -> str | None:
    if wanted is None or wanted in titles:
        return wanted
    for ident, title in titles.items():
        if title == wanted:
            return ident
    raise NotFoundError.named("model version of this deployment", wanted, list(titles.values()))


def titles_of(session: Session, deployment: Deployment) -> dict[str, str]:
    """Titles of the champion's version and of those that predicted before it, by their ids."""
    return {version.id: title_of(version) for version in _versions(session, deployment)}


def title_of(version: ModelVersion) -> str:
    """A model version as one would type it: `digits-detector:0`."""
    return f"{version.model.name}:{version.version}"


def _versions(session: Session, deployment: Deployment) -> Sequence[ModelVersion]:
    """The champion's version, and those that predicted before it."""
    before = select(StoredRollup.model_version_id).where(
        StoredRollup.deployment_id == deployment.id,
        StoredRollup.is_shadow.is_(False),
        StoredRollup.width_s == 86_400,
    )
    # One that was replaced a moment ago may have nothing added up yet.
    pending = select(Prediction.model_version_id).where(*pending_of(deployment.id))
    known = {
        deployment.model_version_id,
        *session.scalars(before.distinct()),
        *session.scalars(pending.distinct()),
    }
    return session.scalars(select(ModelVersion).where(ModelVersion.id.in_(known))).all()
