"""Projects, and the experiments in them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.deleting import remove_blobs
from picsellia_jupyter.localplatform.experiments import (
    delete_experiment,
    log_named,
    spell_experiment,
)
from picsellia_jupyter.localplatform.finding import find_one, refuse_taken
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Name
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, organization_of
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling_datasets import spell_dataset_versions
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datasets import DatasetVersion
from picsellia_jupyter.localplatform.tables.projects import Experiment, Project, ProjectDataset
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewProject(BaseModel):
    """A project to be made."""

    name: Name
    description: str = ""


class ProjectChange(BaseModel):
    """What to change of a project; what is left out stays."""

    name: Name | None = None
    description: str | None = None


class NewExperiment(BaseModel):
    """An experiment to be made."""

    name: Name
    description: str = ""
    parameters: dict[str, Any] | None = None
    base_experiment_id: UUID | None = None
    base_model_version_id: UUID | None = None


@router.post("/api/organization/{organization_id}/projects", status_code=201)
def create_project(here: Here, organization_id: str, body: NewProject) -> Json:
    """Make a project."""
    with here.store.writing() as session:
        organization_of(session, organization_id)
        refuse_taken(session, Project, body.name, kind="project")
        row = Project(name=body.name, description=body.description, created_at=here.clock())
        session.add(row)
        session.flush()
        return _spelled(row)


@router.get("/api/organization/{organization_id}/projects")
def list_projects(here: Here, organization_id: str, asked: Asked) -> Json:
    """Projects, newest first."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        found = page(session, select(Project), Project, asked)
        return found.reply([_spelled(row) for row in found.rows])


@router.get("/api/organization/{organization_id}/projects/find")
def find_project(
    here: Here,
    organization_id: str,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    name: str | None = None,
) -> Json:
    """A project by its id or name."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        return _spelled(find_one(session, Project, kind="project", ident=id, name=name))


@router.get("/api/project/{project_id}")
def get_project(here: Here, project_id: UUID) -> Json:
    """A project by its id."""
    with here.store.reading() as session:
        return _spelled(the(session, Project, project_id, kind="project"))


@router.patch("/api/project/{project_id}")
def update_project(here: Here, project_id: UUID, body: ProjectChange) -> Json:
    """Rename or describe a project."""
    with here.store.writing() as session:
        row = the(session, Project, project_id, kind="project")
        if body.name is not None:
            refuse_taken(session, Project, body.name, kind="project", but=row.id)
            row.name = body.name
        if body.description is not None:
            row.description = body.description
        return _spelled(row)


@router.delete("/api/project/{project_id}", status_code=204)
def remove_project(here: Here, project_id: UUID) -> None:
    """Delete a project with its experiments."""
    with here.store.writing() as session:
        row = the(session, Project, project_id, kind="project")
        experiments = session.scalars(select(Experiment).filter_by(project_id=row.id)).all()
        blobs = [blob for one in experiments for blob in delete_experiment(session, one)]
        session.delete(row)
    remove_blobs(here, blobs)


# Its datasets --------------------------------------------------------------------------------


@router.post("/api/project/{project_id}/datasets", status_code=201)
def attach_dataset(
    here: Here, project_id: UUID, dataset_version_id: Annotated[UUID, Body(embed=True)]
) -> Json:
    """Have a project work with a dataset version; once more changes nothing."""
    with here.store.writing() as session:
        project = the(session, Project, project_id, kind="project")
        version = the(session, DatasetVersion, dataset_version_id, kind="dataset version")
        if session.get(ProjectDataset, (project.id, version.id)) is None:
            session.add(ProjectDataset(project_id=project.id, dataset_version_id=version.id))
        return spell_dataset_versions(session, [version])[0]


@router.get("/api/project/{project_id}/datasets")
def list_datasets(here: Here, project_id: UUID, asked: Asked) -> Json:
    """Dataset versions a project works with."""
    with here.store.reading() as session:
        project = the(session, Project, project_id, kind="project")
        attached = select(ProjectDataset.dataset_version_id).filter_by(project_id=project.id)
        query = select(DatasetVersion).where(DatasetVersion.id.in_(attached))
        found = page(session, query, DatasetVersion, asked)
        return found.reply(spell_dataset_versions(session, found.rows))


@router.delete("/api/project/{project_id}/datasets", status_code=204)
def detach_dataset(
    here: Here, project_id: UUID, ids: Annotated[list[UUID], Body(embed=True)]
) -> None:
    """Have a project no longer work with dataset versions."""
    gone = ProjectDataset.dataset_version_id.in_([str(ident) for ident in ids])
    with here.store.writing() as session:
        project = the(session, Project, project_id, kind="project")
        session.execute(delete(ProjectDataset).filter_by(project_id=project.id).where(gone))


# Its experiments -----------------------------------------------------------------------------


@router.post("/api/project/{project_id}/experiments", status_code=201)
def create_experiment(here: Here, project_id: UUID, body: NewExperiment) -> Json:
    """Make an experiment; its parameters become its log `parameters`."""
    now = here.clock()
    with here.store.writing() as session:
        project = the(session, Project, project_id, kind="project")
        refuse_taken(
            session, Experiment, body.name, kind="experiment of this project",
            project_id=project.id,
        )  # fmt: skip
        row = Experiment(
            project_id=project.id,
            name=body.name,
            description=body.description,
            base_experiment_id=_known(session, Experiment, body.base_experiment_id),
            base_model_version_id=_known(session, ModelVersion, body.base_model_version_id),
            created_at=now,
        )
        session.add(row)
        session.flush()
        if body.parameters is not None:
            log_named(session, row.id, "parameters", "TABLE", body.parameters, now=now)
        return spell_experiment(row)


@router.get("/api/project/{project_id}/experiments")
def list_experiments(here: Here, project_id: UUID, asked: Asked) -> Json:
    """Experiments of a project, newest first."""
    with here.store.reading() as session:
        project = the(session, Project, project_id, kind="project")
        query = select(Experiment).filter_by(project_id=project.id)
        found = page(session, query, Experiment, asked)
        return found.reply([spell_experiment(row) for row in found.rows])


@router.get("/api/project/{project_id}/experiments/ids")
def list_experiment_ids(here: Here, project_id: UUID) -> list[str]:
    """Ids of the experiments of a project."""
    with here.store.reading() as session:
        project = the(session, Project, project_id, kind="project")
        return list(session.scalars(select(Experiment.id).filter_by(project_id=project.id)))


@router.delete("/api/project/{project_id}/experiments", status_code=204)
def remove_experiments(
    here: Here, project_id: UUID, ids: Annotated[list[UUID], Body(embed=True)]
) -> None:
    """Delete experiments; ids that are gone already are passed over."""
    wanted = Experiment.id.in_([str(ident) for ident in ids])
    with here.store.writing() as session:
        query = select(Experiment).filter_by(project_id=str(project_id)).where(wanted)
        rows = session.scalars(query).all()
        blobs = [blob for row in rows for blob in delete_experiment(session, row)]
    remove_blobs(here, blobs)


@router.get("/api/project/{project_id}/experiments/find")
def find_experiment(
    here: Here,
    project_id: UUID,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    name: str | None = None,
) -> Json:
    """An experiment of a project by its id or name."""
    with here.store.reading() as session:
        project = the(session, Project, project_id, kind="project")
        row = find_one(
            session, Experiment, kind="experiment", ident=id, name=name, project_id=project.id
        )
        return spell_experiment(row)


@router.get("/api/organization/{organization_id}/experiments/find")
def find_experiment_by_id(here: Here, organization_id: str, id: UUID) -> Json:  # noqa: A002
    """An experiment by its id."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        return spell_experiment(the(session, Experiment, id, kind="experiment"))


def _known(
    session: Session, table: type[Experiment] | type[ModelVersion], ident: UUID | None
) -> str | None:
    return (
        the(session, table, ident, kind=table.__tablename__.replace("_", " ")).id if ident else None
    )


def _spelled(row: Project) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "private": True,
        "created_at": row.created_at,
    }
