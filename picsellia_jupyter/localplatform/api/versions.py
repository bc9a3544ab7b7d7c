"""Model versions and their training contexts."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, field_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.domain.registry import Framework, InferenceType
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.deleting import delete_version, remove_blobs
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Name, Words
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin, organization_of
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller, spell_context
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.registry import Model, ModelContext, ModelVersion
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
_OWN_COLUMNS = ("name", "type", "framework", "labels")


class VersionBody(BaseModel):
    """What is said of a version; what is left out stays, or takes a default."""

    name: Name | None = None
    type: InferenceType | None = None
    framework: Framework | None = None
    labels: dict[str, Words] | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    docker_image: str | None = None
    docker_tag: str | None = None
    docker_flags: list[str] | None = None
    docker_env_variables: dict[str, Any] | None = None
    thumbnail_object_name: str | None = None
    notebook_link: str | None = None

    @field_validator("labels")
    @classmethod
    def _class_indices(cls, labels: dict[str, str] | None) -> dict[str, str] | None:
        wrong = next((key for key in labels or {} if not (key.isascii() and key.isdigit())), None)
        if wrong is not None:
            raise ValueError(f"{wrong!r} is no class index; write labels as {{'0': 'cat'}}")
        return labels


class TrainingData(BaseModel):
    """One dataset a version was trained on."""

    name: str
    version_id: UUID = Field(default_factory=uuid.uuid4)
    repartition: dict[str, int] = {}


class Context(BaseModel):
    """What a version was trained on, and with what parameters."""

    datas: list[TrainingData]
    parameters: dict[str, Any] = {}
    experiment_id: UUID | None = None


class ContextReply(Context):
    """What a version was trained on, as it is kept."""

    id: UUID


@router.post("/api/model/{model_id}/versions", status_code=201)
def create_version(here: Here, origin: Origin, model_id: UUID, body: VersionBody) -> Json:
    """Add a version to a model; versions count from 0."""
    with here.store.writing() as session:
        model = the(session, Model, model_id, kind="model")
        newest = session.scalar(
            select(func.max(ModelVersion.version)).where(ModelVersion.model_id == model.id)
        )
        number = 0 if newest is None else newest + 1
        name = body.name or f"v{number}"
        _refuse_taken(session, model, name)
        row = ModelVersion(model_id=model.id, version=number, name=name, created_at=here.clock())
        _apply(row, body)
        session.add(row)
        session.flush()
        session.refresh(row)
        return Speller(here, session, origin).versions([row])[0]


@router.get("/api/model/{model_id}/versions")
def list_versions(here: Here, origin: Origin, model_id: UUID, asked: Asked) -> Json:
    """Versions of a model, newest first."""
    with here.store.reading() as session:
        the(session, Model, model_id, kind="model")
        query = select(ModelVersion).where(ModelVersion.model_id == str(model_id))
        found = page(session, query, ModelVersion, asked)
        return found.reply(Speller(here, session, origin).versions(found.rows))


@router.get("/api/local/versions")
def list_all_versions(here: Here, origin: Origin, asked: Asked) -> Json:
    """Versions of all models; a registry of a hundred models is read at once."""
    with here.store.reading() as session:
        query = select(ModelVersion).options(joinedload(ModelVersion.model))
        found = page(session, query, ModelVersion, asked)
        return found.reply(Speller(here, session, origin).versions(found.rows))


@router.get("/api/model/{model_id}/versions/find")
def find_version(
    here: Here, origin: Origin, model_id: UUID, name: str | None = None, version: int | None = None
) -> Json:
    """A version of a model by its name or number."""
    if name is None and version is None:
        raise InvalidInputError("Nothing was asked for.", "Give a name or a version.")
    with here.store.reading() as session:
        model = the(session, Model, model_id, kind="model")
        query = select(ModelVersion).where(ModelVersion.model_id == model.id)
        if name is not None:
            query = query.where(ModelVersion.name == name)
        if version is not None:
            query = query.where(ModelVersion.version == version)
        row = session.scalars(query).first()
        if row is None:
            raise _unknown(session, model, str(name if name is not None else version))
        return Speller(here, session, origin).versions([row])[0]


@router.get("/api/organization/{organization_id}/modelversions/find")
def find_version_by_id(here: Here, origin: Origin, organization_id: str, id: UUID) -> Json:  # noqa: A002
    """A version by its id."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        row = the(session, ModelVersion, id, kind="model version")
        return Speller(here, session, origin).versions([row])[0]


@router.get("/api/model/version/{version_id}")
def get_version(here: Here, origin: Origin, version_id: UUID) -> Json:
    """A version by its id."""
    with here.store.reading() as session:
        row = the(session, ModelVersion, version_id, kind="model version")
        return Speller(here, session, origin).versions([row])[0]


@router.patch("/api/model/version/{version_id}")
def update_version(here: Here, origin: Origin, version_id: UUID, body: VersionBody) -> Json:
    """Change what is said of a version."""
    with here.store.writing() as session:
        row = the(session, ModelVersion, version_id, kind="model version")
        if body.name is not None and body.name != row.name:
            _refuse_taken(session, row.model, body.name)
        _apply(row, body)
        return Speller(here, session, origin).versions([row])[0]


@router.delete("/api/model/version/{version_id}", status_code=204)
def remove_version(here: Here, version_id: UUID) -> None:
    """Delete a version with its files, unless it is deployed."""
    with here.store.writing() as session:
        row = the(session, ModelVersion, version_id, kind="model version")
        blobs = delete_version(session, row)
    remove_blobs(here, blobs)


@router.get("/api/model/version/{version_id}/context")
@router.get("/api/model/version/{version_id}/public/context")
def get_context(here: Here, version_id: UUID) -> Json:
    """What a version was trained on."""
    with here.store.reading() as session:
        the(session, ModelVersion, version_id, kind="model version")
        row = _context(session, str(version_id))
        if row is None:
            raise NotFoundError(
                "This model version has no training context.",
                f"Set one: PUT /api/local/model/version/{version_id}/context.",
            )
        return spell_context(row)


@router.get("/api/model/context/{context_id}")
def refresh_context(here: Here, context_id: UUID) -> Json:
    """A training context by its own id."""
    with here.store.reading() as session:
        return spell_context(the(session, ModelContext, context_id, kind="training context"))


@router.put("/api/local/model/version/{version_id}/context", responses=REFUSALS, tags=["models"])
def set_context(here: Here, version_id: UUID, body: Context) -> ContextReply:
    """Say what a version was trained on; the SDK has no call for it."""
    with here.store.writing() as session:
        version = the(session, ModelVersion, version_id, kind="model version")
        row = _context(session, version.id)
        if row is None:
            row = ModelContext(
                version_id=version.id, datas=[], parameters={}, created_at=here.clock()
            )
            session.add(row)
        row.datas = [data.model_dump(mode="json") for data in body.datas]
        row.parameters = body.parameters
        row.experiment_id = str(body.experiment_id) if body.experiment_id else None
        return ContextReply.model_validate(spell_context(row))


def _apply(row: ModelVersion, body: VersionBody) -> None:
    said = body.model_dump(mode="json", exclude_none=True)
    for column in _OWN_COLUMNS:
        if column in said:
            setattr(row, column, said.pop(column))
    if said:
        row.settings = {**(row.settings or {}), **said}


def _context(session: Session, version_id: str) -> ModelContext | None:
    return session.scalars(select(ModelContext).filter_by(version_id=version_id)).first()


def _refuse_taken(session: Session, model: Model, name: str) -> None:
    if session.scalars(select(ModelVersion).filter_by(model_id=model.id, name=name)).first():
        raise ConflictError(
            f"A version of {model.name!r} is called {name!r} already.", "Choose another name."
        )


def _unknown(session: Session, model: Model, asked: str) -> NotFoundError:
    rows = session.scalars(select(ModelVersion).filter_by(model_id=model.id)).all()
    known = [name for row in rows for name in (str(row.version), row.name)]
    return NotFoundError.named(f"version of {model.name!r}", asked, known)
