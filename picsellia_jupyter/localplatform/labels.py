"""Labels of a deployment: made from its model versions, never renumbered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.registry import label_name
from picsellia_jupyter.localplatform.tables.base import new_id
from picsellia_jupyter.localplatform.tables.deployments import DeploymentLabel
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import Json


def label_names(version: ModelVersion) -> dict[int, str]:
    """Class index to label name of a model version, in the order of the indices."""
    labels: Mapping[str, Any] = version.labels or {}
    return {int(index): str(labels[index]) for index in sorted(labels, key=int)}


def labels_of(session: Session, deployment_id: str) -> list[DeploymentLabel]:
    """A deployment's labels in their order."""
    query = select(DeploymentLabel).filter_by(deployment_id=deployment_id)
    return list(session.scalars(query.order_by(DeploymentLabel.position)))


def add_labels(session: Session, deployment_id: str, version: ModelVersion) -> None:
    """Give a deployment the labels of a model version that it does not have yet."""
    known = {label.name for label in labels_of(session, deployment_id)}
    position = session.scalar(
        select(func.count()).select_from(DeploymentLabel).filter_by(deployment_id=deployment_id)
    )
    fresh = dict.fromkeys(name for name in label_names(version).values() if name not in known)
    for offset, name in enumerate(fresh):
        session.add(
            DeploymentLabel(
                id=new_id(),
                deployment_id=deployment_id,
                name=name,
                position=(position or 0) + offset,
            )
        )
    session.flush()


def labeller(session: Session, deployment_id: str, version: ModelVersion) -> Callable[[int], Json]:
    """What gives the label `{id, name}` of a class index of this version.

    A class the version has no label for is called `class 7` and has no id.
    """
    ids = {label.name: label.id for label in labels_of(session, deployment_id)}
    names = label_names(version)

    def label_of(index: int) -> Json:
        name = label_name(names, index)
        return {"id": ids.get(name), "name": name}

    return label_of
