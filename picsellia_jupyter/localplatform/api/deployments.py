"""Deployments."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Body, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.deployments import checked_threshold
from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.domain.predictions import PREDICTION_TYPES
from picsellia_jupyter.domain.promotion import Cause
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.api.connect import users_json
from picsellia_jupyter.localplatform.auth import DeploymentCaller
from picsellia_jupyter.localplatform.deleting import delete_deployment
from picsellia_jupyter.localplatform.labels import add_labels, labels_of
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.metering import Ledger
from picsellia_jupyter.localplatform.names import Name, invented_name
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    Origin,
    Platform,
    connector_of,
    default_datalake,
    organization_of,
)
from picsellia_jupyter.localplatform.promoting import fitting, make_champion, make_shadow
from picsellia_jupyter.localplatform.refusals import ForbiddenError
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.organization import User
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
either = Router()
"""The one route that the main API and the monitoring service share."""


class NewDeployment(BaseModel):
    """How a model version is to be deployed."""

    name: Name | None = None
    min_threshold: float | None = None
    target_datalake_id: UUID | None = None
    shadow_model_version_id: UUID | None = None
    disable_serving: bool = False


class NewDeploymentOf(NewDeployment):
    """Which model version is to be deployed, and how."""

    model_version_id: UUID


class DeploymentChange(BaseModel):
    """What to change of a deployment; what is left out or null stays."""

    name: Name | None = None
    min_threshold: float | None = None
    target_datalake_id: UUID | None = None
    sample_rate: float | None = Field(default=None, ge=0, le=1)


# Making and finding --------------------------------------------------------------------------


@router.post("/api/organization/{organization_id}/deployments", status_code=201)
def create_deployment(
    here: Here, origin: Origin, organization_id: str, body: NewDeploymentOf
) -> Json:
    """Deploy a model version."""
    with here.store.writing() as session:
        organization_of(session, organization_id)
        row = _created(here, session, body.model_version_id, body)
        return Speller(here, session, origin).deployments([row])[0]


@router.post("/api/model/version/{version_id}/deploy", status_code=201)
def deploy(here: Here, origin: Origin, version_id: UUID, body: NewDeployment) -> Json:
    """Deploy a model version, the other way the SDK has."""
    with here.store.writing() as session:
        row = _created(here, session, version_id, body)
        return Speller(here, session, origin).deployments([row])[0]


@router.get("/api/organization/{organization_id}/deployments")
def list_deployments(here: Here, origin: Origin, organization_id: str, asked: Asked) -> Json:
    """Deployments, newest first."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        found = page(session, select(Deployment), Deployment, asked)
        return found.reply(Speller(here, session, origin).deployments(found.rows))


@router.get("/api/organization/{organization_id}/deployments/find")
def find_deployment(
    here: Here,
    origin: Origin,
    organization_id: str,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    name: str | None = None,
) -> Json:
    """A deployment by its id or name."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        return Speller(here, session, origin).deployments([_found(session, id, name)])[0]


@either.get("/api/deployment/{deployment_id}")
def get_deployment(here: Here, origin: Origin, request: Request, deployment_id: UUID) -> Json:
    """A deployment by its id; to its own token this is the monitoring service's information."""
    caller = request.state.caller
    if isinstance(caller, DeploymentCaller) and caller.deployment_id != str(deployment_id):
        raise ForbiddenError("This token is another deployment's.", "Log in to this one.")
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        return Speller(here, session, origin).deployments([row])[0]


# Changing ------------------------------------------------------------------------------------


@router.patch("/api/deployment/{deployment_id}")
def update_deployment(
    here: Here, origin: Origin, deployment_id: UUID, body: DeploymentChange
) -> Json:
    """Change a deployment's name, threshold, datalake or sample rate."""
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        if body.name is not None and body.name != row.name:
            _refuse_taken(session, body.name)
            row.name = body.name
        if body.min_threshold is not None:
            row.min_threshold = checked_threshold(body.min_threshold, InferenceType(row.type))
        if body.target_datalake_id is not None:
            lake = the(session, Datalake, body.target_datalake_id, kind="datalake")
            row.target_datalake_id = lake.id
        if body.sample_rate is not None:
            row.sample_rate = body.sample_rate
        return Speller(here, session, origin).deployments([row])[0]


@router.delete("/api/deployment/{deployment_id}", status_code=204)
def remove_deployment(here: Here, deployment_id: UUID, force_delete: bool = False) -> None:
    """Delete a deployment with its predicted assets; the images stay in their datalake."""
    del force_delete  # There is nothing that only force could remove.
    with here.store.writing() as session:
        delete_deployment(session, the(session, Deployment, deployment_id, kind="deployment"))


@router.post("/api/deployment/{deployment_id}/model")
def set_model(
    here: Here,
    origin: Origin,
    deployment_id: UUID,
    model_version_id: Annotated[UUID, Body(embed=True)],
) -> Json:
    """Make another version the champion; it must predict the same type."""
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        version = fitting(session, row, model_version_id)
        make_champion(session, row, version, cause=Cause.PERSON, now=here.clock())
        return Speller(here, session, origin).deployments([row])[0]


@router.post("/api/deployment/{deployment_id}/shadow")
def set_shadow(
    here: Here,
    origin: Origin,
    deployment_id: UUID,
    model_version_id: Annotated[UUID, Body(embed=True)],
) -> Json:
    """Have another version predict in the champion's shadow."""
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        version = fitting(session, row, model_version_id)
        make_shadow(session, row, version, cause=Cause.PERSON, now=here.clock())
        return Speller(here, session, origin).deployments([row])[0]


# What belongs to it --------------------------------------------------------------------------


@router.get("/api/deployment/{deployment_id}/labels")
def list_labels(here: Here, deployment_id: UUID) -> Json:
    """Labels of a deployment, in the order of its model's classes."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        labels = labels_of(session, row.id)
    items = [{"id": label.id, "name": label.name, "group_id": None} for label in labels]
    return {"items": items, "count": len(items), "next_cursor": None}


@router.get("/api/deployment/{deployment_id}/datalake/connector")
def datalake_connector(here: Here, deployment_id: UUID) -> Json:
    """The storage connector of the target datalake."""
    with here.store.reading() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        lake = the(session, Datalake, row.target_datalake_id, kind="datalake")
        connector = connector_of(session, lake.connector_id)
    return {"id": connector.id, "client_type": here.storage_form, "bucket_name": connector.name}


@router.get("/api/access/deployment/{deployment_id}/users")
def list_users(here: Here, deployment_id: UUID) -> Json:
    """Who may use a deployment: everybody of the organization."""
    with here.store.reading() as session:
        the(session, Deployment, deployment_id, kind="deployment")
        return {"users": users_json(session)}


@router.post("/api/access/deployment/{deployment_id}/users")
def add_user(here: Here, deployment_id: UUID, user_id: Annotated[UUID, Body(embed=True)]) -> Json:
    """Let a user use a deployment, as all users can already."""
    with here.store.reading() as session:
        the(session, Deployment, deployment_id, kind="deployment")
        the(session, User, user_id, kind="user")
        return {"users": users_json(session)}


def _created(here: Platform, session: Session, version_id: UUID, body: NewDeployment) -> Deployment:
    version = the(session, ModelVersion, version_id, kind="model version")
    kind = InferenceType(version.type)
    if kind not in PREDICTION_TYPES:
        raise InvalidInputError(
            f"The model version {version.model.name}:{version.version} is of type {kind.value}.",
            "Set its type, such as OBJECT_DETECTION, before deploying it.",
        )
    row = Deployment(
        name=_free_name(session, body.name),
        type=version.type,
        model_version_id=version.id,
        min_threshold=checked_threshold(body.min_threshold, kind),
        target_datalake_id=_datalake(session, body.target_datalake_id).id,
        disable_serving=body.disable_serving,
        created_at=here.clock(),
    )
    session.add(row)
    session.flush()
    Ledger(here, session).reserve(row)
    add_labels(session, row.id, version)
    if body.shadow_model_version_id is not None:
        version = fitting(session, row, body.shadow_model_version_id)
        make_shadow(session, row, version, cause=Cause.PERSON, now=here.clock())
    return row


def _datalake(session: Session, ident: UUID | None) -> Datalake:
    if ident is None:
        return default_datalake(session)
    return the(session, Datalake, ident, kind="datalake")


def _free_name(session: Session, name: str | None) -> str:
    if name is None:
        return invented_name(set(session.scalars(select(Deployment.name))))
    _refuse_taken(session, name)
    return name


def _found(session: Session, ident: UUID | None, name: str | None) -> Deployment:
    if ident is not None:
        return the(session, Deployment, ident, kind="deployment")
    if not name:
        raise InvalidInputError("Nothing was asked for.", "Give an id or a name.")
    found = session.scalars(select(Deployment).where(Deployment.name == name)).first()
    if found is None:
        raise NotFoundError.named(
            "deployment", name, session.scalars(select(Deployment.name)).all()
        )
    return found


def _refuse_taken(session: Session, name: str) -> None:
    if session.scalars(select(Deployment).where(Deployment.name == name)).first():
        raise ConflictError(f"A deployment is called {name!r} already.", "Choose another name.")
