"""The loop of a deployment: feedback, training data, continuous training and deployment."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.domain.training import Limits
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Platform
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling_datasets import spell_dataset_versions
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datasets import DatasetVersion
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline, PipelineDataset
from picsellia_jupyter.localplatform.tables.projects import Project
from picsellia_jupyter.localplatform.training import loop_of
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
FEEDBACK, TRAINING = "FEEDBACK_LOOP", "CONTINUOUS_TRAINING"
Policy = Literal["DEPLOY_CHAMPION", "DEPLOY_SHADOW", "DEPLOY_MANUAL"]
DatasetVersionId = Annotated[UUID, Body(embed=True)]
Ids = Annotated[list[UUID], Body(embed=True)]
Active = Annotated[bool, Body(embed=True)]


class NamedDataset(BaseModel):
    """A dataset version, and what training calls it."""

    dataset_version_id: UUID
    name: Words


class TrainingSettings(BaseModel):
    """How a new version is trained, and when."""

    project_id: UUID
    training_type: Literal["EXPERIMENT"]
    experiment_parameters: dict[str, Any]
    trigger: Literal["FEEDBACK_LOOP", "NONE"] | None = None
    threshold: int | None = Field(default=None, ge=1)
    """Reviews after which training begins."""


# Feedback loop -------------------------------------------------------------------------------


@router.post("/api/deployment/{deployment_id}/pipeline/fl/setup")
def set_up_feedback(here: Here, deployment_id: UUID) -> Json:
    """Have submitted reviews go into the attached dataset versions."""
    return _changed(here, deployment_id, feedback_set_up=True, feedback_active=True)


@router.put("/api/deployment/{deployment_id}/pipeline/fl")
def toggle_feedback(here: Here, deployment_id: UUID, active: Active) -> Json:
    """Pause the feedback loop, or let it run again."""
    with here.store.writing() as session:
        row = pipeline_of(session, deployment_id, now=here.clock())
        if not row.feedback_set_up:
            raise ConflictError(
                "The feedback loop is not set up.", "Set it up: deployment.setup_feedback_loop()."
            )
        row.feedback_active = active
        return spell_pipeline(row)


@router.post("/api/deployment/{deployment_id}/fl/datasets", status_code=201)
def attach_to_feedback(
    here: Here, deployment_id: UUID, dataset_version_id: DatasetVersionId
) -> Json:
    """Have submitted reviews go into this dataset version too."""
    return _attached(here, deployment_id, FEEDBACK, dataset_version_id, None)


@router.get("/api/deployment/{deployment_id}/fl/datasets")
def list_feedback_datasets(here: Here, deployment_id: UUID, asked: Asked) -> Json:
    """Dataset versions that submitted reviews go into."""
    return _listed(here, deployment_id, FEEDBACK, asked)


@router.delete("/api/deployment/{deployment_id}/fl/datasets", status_code=204)
def detach_from_feedback(here: Here, deployment_id: UUID, ids: Ids) -> None:
    """Have submitted reviews no longer go into these dataset versions."""
    _detached(here, deployment_id, FEEDBACK, ids)


# Training data -------------------------------------------------------------------------------


@router.post("/api/deployment/{deployment_id}/pipeline/td/setup")
def set_training_data(
    here: Here, deployment_id: UUID, dataset_version_id: DatasetVersionId
) -> Json:
    """Say which dataset version predictions are compared with."""
    with here.store.writing() as session:
        row = pipeline_of(session, deployment_id, now=here.clock())
        version = the(session, DatasetVersion, dataset_version_id, kind="dataset version")
        row.training_data_id = version.id
        return spell_pipeline(row)


@router.get("/api/deployment/{deployment_id}/pipeline/td/check")
def check_training_data(here: Here, deployment_id: UUID) -> Json:
    """Whether the reference can be used; it is read when it is asked for, so it is at once."""
    with here.store.reading() as session:
        the(session, Deployment, deployment_id, kind="deployment")
        row = _existing(session, deployment_id)
        ready = row is not None and row.training_data_id is not None
        return {
            "status": "SUCCESS" if ready else "PENDING",
            "dataset_version_id": row.training_data_id if row else None,
        }


@router.put("/api/deployment/{deployment_id}/pipeline/td/disable")
def disable_training_data(here: Here, deployment_id: UUID) -> Json:
    """Compare predictions with nothing."""
    return _changed(here, deployment_id, training_data_id=None)


# Continuous training and deployment ----------------------------------------------------------


@router.post("/api/deployment/{deployment_id}/pipeline/ct")
def set_up_training(here: Here, deployment_id: UUID, body: TrainingSettings) -> Json:
    """Say how and when a new version is trained."""
    with here.store.writing() as session:
        row = pipeline_of(session, deployment_id, now=here.clock())
        the(session, Project, body.project_id, kind="project")
        if not body.experiment_parameters:
            raise InvalidInputError(
                "experiment_parameters is empty.", "Give what training needs, as {'epochs': 10}."
            )
        Limits.of(body.experiment_parameters)
        row.training_settings = body.model_dump(mode="json")
        row.training_active = True
        return spell_pipeline(row)


@router.put("/api/deployment/{deployment_id}/pipeline/ct")
def toggle_training(here: Here, deployment_id: UUID, active: Active) -> Json:
    """Pause continuous training, or let it run again."""
    with here.store.writing() as session:
        row = pipeline_of(session, deployment_id, now=here.clock())
        if row.training_settings is None:
            raise ConflictError(
                "Continuous training is not set up.",
                "Set it up: deployment.setup_continuous_training(project, …).",
            )
        row.training_active = active
        return spell_pipeline(row)


@router.post("/api/deployment/{deployment_id}/ct/datasets", status_code=201)
def attach_to_training(here: Here, deployment_id: UUID, body: NamedDataset) -> Json:
    """Have training use a dataset version under this name."""
    return _attached(here, deployment_id, TRAINING, body.dataset_version_id, body.name)


@router.delete("/api/deployment/{deployment_id}/ct/datasets", status_code=204)
def detach_from_training(here: Here, deployment_id: UUID, ids: Ids) -> None:
    """Have training no longer use these dataset versions."""
    _detached(here, deployment_id, TRAINING, ids)


@router.post("/api/deployment/{deployment_id}/pipeline/cd")
def set_up_deployment(
    here: Here, deployment_id: UUID, policy: Annotated[Policy, Body(embed=True)]
) -> Json:
    """Say what becomes of a newly trained version."""
    return _changed(here, deployment_id, deployment_policy=policy, deployment_active=True)


@router.put("/api/deployment/{deployment_id}/pipeline/cd")
def toggle_deployment(here: Here, deployment_id: UUID, active: Active) -> Json:
    """Pause continuous deployment, or let it run again."""
    with here.store.writing() as session:
        row = pipeline_of(session, deployment_id, now=here.clock())
        if row.deployment_policy is None:
            raise ConflictError(
                "Continuous deployment is not set up.",
                "Set it up: deployment.setup_continuous_deployment('DEPLOY_MANUAL').",
            )
        row.deployment_active = active
        return spell_pipeline(row)


# Shared --------------------------------------------------------------------------------------


def pipeline_of(session: Session, deployment_id: UUID, *, now: float) -> Pipeline:
    """The settings of a deployment's loop, made where there are none."""
    deployment = the(session, Deployment, deployment_id, kind="deployment")
    return loop_of(session, deployment.id, now=now)


def spell_pipeline(row: Pipeline) -> Json:
    """The settings of a deployment's loop."""
    return {
        "id": row.id,
        "deployment_id": row.deployment_id,
        "feedback_loop": {"set_up": row.feedback_set_up, "active": row.feedback_active},
        "training_data": {"dataset_version_id": row.training_data_id},
        "continuous_training": {"settings": row.training_settings, "active": row.training_active},
        "continuous_deployment": {
            "policy": row.deployment_policy,
            "active": row.deployment_active,
        },
    }


def _existing(session: Session, deployment_id: UUID) -> Pipeline | None:
    return session.scalars(select(Pipeline).filter_by(deployment_id=str(deployment_id))).first()


def _changed(here: Platform, deployment_id: UUID, **settings: Any) -> Json:
    with here.store.writing() as session:
        row = pipeline_of(session, deployment_id, now=here.clock())
        for key, value in settings.items():
            setattr(row, key, value)
        return spell_pipeline(row)


def _attached(
    here: Platform, deployment_id: UUID, role: str, version_id: UUID, name: str | None
) -> Json:
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        version = the(session, DatasetVersion, version_id, kind="dataset version")
        same = {"deployment_id": deployment.id, "role": role}
        rows = session.scalars(select(PipelineDataset).filter_by(**same)).all()
        row = next((one for one in rows if one.dataset_version_id == version.id), None)
        if name is not None and any(one.name == name and one is not row for one in rows):
            raise ConflictError(f"Another dataset version is called {name!r} there.", "Rename it.")
        if row is None:
            row = PipelineDataset(**same, dataset_version_id=version.id, created_at=here.clock())
            session.add(row)
            session.flush()
        row.name = name
        return _spelled(session, row)


def _listed(here: Platform, deployment_id: UUID, role: str, asked: Asked) -> Json:
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        query = select(PipelineDataset).filter_by(deployment_id=deployment.id, role=role)
        found = page(session, query, PipelineDataset, asked)
        return found.reply([_spelled(session, row) for row in found.rows])


def _detached(here: Platform, deployment_id: UUID, role: str, ids: list[UUID]) -> None:
    gone = PipelineDataset.dataset_version_id.in_([str(ident) for ident in ids])
    with here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        session.execute(
            delete(PipelineDataset)
            .where(PipelineDataset.deployment_id == deployment.id, PipelineDataset.role == role)
            .where(gone)
        )


def _spelled(session: Session, row: PipelineDataset) -> Json:
    version = session.get_one(DatasetVersion, row.dataset_version_id)
    return {
        "id": row.id,
        "name": row.name,
        "dataset_version": spell_dataset_versions(session, [version])[0],
    }
