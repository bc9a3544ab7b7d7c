"""Experiments: their logs and files, and the model versions made of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform.deleting import Blob
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.tables.datasets import DatasetLabel, DatasetVersion, Shape
from picsellia_jupyter.localplatform.tables.jobs import LoggingLine
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.projects import (
    Artifact,
    Experiment,
    ExperimentDataset,
    ExperimentLog,
    LoggingFile,
)
from picsellia_jupyter.localplatform.tables.registry import (
    Model,
    ModelContext,
    ModelFile,
    ModelVersion,
)
from picsellia_jupyter.wire.predictions import Json

_CURVE = "LINE"
LABELMAP, PARAMETERS = "labelmap", "parameters"
"""The logs that training programs write what labels and parameters they used to."""


def spell_experiment(row: Experiment) -> Json:
    """An experiment."""
    return {
        "id": row.id,
        "project_id": row.project_id,
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "job_status": row.job_status,
        "base_experiment_id": row.base_experiment_id,
        "base_model_version_id": row.base_model_version_id,
        "created_at": row.created_at,
    }


def spell_log(row: ExperimentLog) -> Json:
    """One log of an experiment."""
    return {"id": row.id, "name": row.name, "type": row.type, "data": row.data}


def spell_artifact(speller: Speller, row: Artifact) -> Json:
    """One file of an experiment."""
    return {
        "id": row.id,
        "name": row.name,
        "filename": row.filename,
        "object_name": row.object_name,
        "large": row.large,
        "presigned_url": speller.storage_url("GET", row.connector_id, row.object_name),
    }


def find_log(session: Session, experiment_id: str, name: str) -> ExperimentLog | None:
    """A log of an experiment by its name, or None where there is none."""
    query = select(ExperimentLog).filter_by(experiment_id=experiment_id, name=name)
    return session.scalars(query).first()


def log_named(
    session: Session,
    experiment_id: str,
    name: str,
    kind: str,
    data: Any,
    *,
    now: float,
    replace: bool = True,
) -> ExperimentLog:
    """Note something of an experiment; a curve that is there already is made longer.

    Args:
        session: the transaction.
        experiment_id: whose.
        name: what it is called.
        kind: `VALUE`, `LINE`, …
        data: what to note.
        now: seconds since the epoch.
        replace: whether what is there under this name may be replaced.

    Raises:
        ConflictError: it may not, and is there.
    """
    row = find_log(session, experiment_id, name)
    if row is None:
        row = ExperimentLog(
            experiment_id=experiment_id, name=name, type=kind, data=data, created_at=now
        )
        session.add(row)
    elif replace:
        # As the SDK says of its `log`: a line is gone on with, all else is replaced.
        goes_on = row.type == kind == _CURVE
        row.type, row.data = kind, longer(row.data, data) if goes_on else data
    else:
        raise ConflictError(
            f"The experiment has a log named {name!r} already.", "Log it with replace=True."
        )
    session.flush()
    return row


def longer(old: Any, new: Any) -> Any:
    """A curve with more points: an object of lists, a list, or a list and one number.

    Raises:
        InvalidInputError: it is no curve.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: longer(old.get(key, []), new.get(key, [])) for key in {**old, **new}}
    if not isinstance(old, list):
        raise InvalidInputError(
            "Only a list, or an object of lists, can be made longer.", "Log a new value instead."
        )
    return [*old, *new] if isinstance(new, list) else [*old, new]


def delete_experiment(session: Session, row: Experiment) -> list[Blob]:
    """Delete an experiment with its logs and files; model versions made of it stay whole.

    Returns:
        The blobs to remove once this is committed.
    """
    artifacts = session.scalars(select(Artifact).filter_by(experiment_id=row.id)).all()
    logging = session.scalars(select(LoggingFile).filter_by(experiment_id=row.id)).all()
    files: list[Artifact | LoggingFile] = [*artifacts, *logging]
    blobs = [blob for file in files for blob in file_blobs(session, file)]
    session.execute(delete(LoggingLine).where(LoggingLine.owner_id == row.id))
    session.delete(row)
    session.flush()
    return blobs


def file_blobs(session: Session, row: Artifact | LoggingFile) -> list[Blob]:
    """Where the bytes of a file lie, unless something else has them too."""
    same = (ModelFile.object_name == row.object_name, Artifact.object_name == row.object_name)
    others = (
        select(ModelFile.id).where(same[0]),
        select(Artifact.id).where(same[1], Artifact.id != row.id),
    )
    if any(session.scalars(query).first() for query in others):
        return []
    return [(session.get_one(Connector, row.connector_id), row.object_name)]


# Publishing ----------------------------------------------------------------------------------


def publish(session: Session, row: Experiment, model: Model, *, now: float) -> ModelVersion:
    """Make the next version of a model from an experiment.

    Type, framework and labels are those of the model version it began with, or else of its
    datasets and its log `labelmap`. The artifacts become files of the version.
    """
    base = session.get(ModelVersion, row.base_model_version_id or "")
    newest = session.scalar(select(func.max(ModelVersion.version)).filter_by(model_id=model.id))
    number = 0 if newest is None else newest + 1
    version = ModelVersion(
        model_id=model.id,
        version=number,
        name=f"v{number}",
        type=base.type if base else _type_of(session, row),
        framework=base.framework if base else "NOT_CONFIGURED",
        labels=_labels_of(session, row) or (base.labels if base else None),
        settings={PARAMETERS: _parameters_of(session, row)},
        created_at=now,
    )
    session.add(version)
    session.flush()
    session.refresh(version)
    session.add(_context_of(session, row, version, now=now))
    for artifact in session.scalars(select(Artifact).filter_by(experiment_id=row.id)).all():
        session.add(_file_of(artifact, version, now=now))
    session.flush()
    return version


def _type_of(session: Session, row: Experiment) -> str:
    types = (
        select(DatasetVersion.type)
        .join(ExperimentDataset, ExperimentDataset.dataset_version_id == DatasetVersion.id)
        .where(ExperimentDataset.experiment_id == row.id)
    )
    return session.scalars(types).first() or "NOT_CONFIGURED"


def _labels_of(session: Session, row: Experiment) -> dict[str, Any] | None:
    log = find_log(session, row.id, LABELMAP)
    found = log.data if log else None
    if not isinstance(found, dict) or not all(str(key).isdigit() for key in found):
        return None
    return {str(key): str(name) for key, name in found.items()}


def _parameters_of(session: Session, row: Experiment) -> dict[str, Any]:
    log = find_log(session, row.id, PARAMETERS)
    return dict(log.data) if log and isinstance(log.data, dict) else {}


def _context_of(
    session: Session, row: Experiment, version: ModelVersion, *, now: float
) -> ModelContext:
    attached = session.scalars(select(ExperimentDataset).filter_by(experiment_id=row.id)).all()
    return ModelContext(
        version_id=version.id,
        experiment_id=row.id,
        parameters=_parameters_of(session, row),
        datas=[
            {
                "id": one.id,
                "name": one.name,
                "version_id": one.dataset_version_id,
                "repartition": _repartition(session, one.dataset_version_id),
            }
            for one in attached
        ],
        created_at=now,
    )


def _repartition(session: Session, version_id: str) -> dict[str, int]:
    counted = session.execute(
        select(DatasetLabel.name, func.count())
        .join(Shape, Shape.label_id == DatasetLabel.id)
        .where(DatasetLabel.dataset_version_id == version_id)
        .group_by(DatasetLabel.name)
    )
    return {name: int(count) for name, count in counted}


def _file_of(artifact: Artifact, version: ModelVersion, *, now: float) -> ModelFile:
    return ModelFile(
        version_id=version.id,
        name=artifact.name,
        filename=artifact.filename,
        object_name=artifact.object_name,
        connector_id=artifact.connector_id,
        large=artifact.large,
        created_at=now,
    )
