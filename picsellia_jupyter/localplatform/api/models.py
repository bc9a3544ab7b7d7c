"""The Private Model Registry: models, and what the public hub answers here."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.deleting import delete_model, remove_blobs
from picsellia_jupyter.localplatform.listing import Asked, page
from picsellia_jupyter.localplatform.names import Name
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Origin, organization_of
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.registry import Model
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])


class NewModel(BaseModel):
    """A model to be made."""

    name: Name
    description: str | None = None


class ModelChange(BaseModel):
    """What to change of a model; what is left out stays."""

    name: Name | None = None
    description: str | None = None


@router.post("/api/organization/{organization_id}/models", status_code=201)
def create_model(here: Here, origin: Origin, organization_id: str, body: NewModel) -> Json:
    """Make a model without versions."""
    with here.store.writing() as session:
        organization_of(session, organization_id)
        _refuse_taken(session, body.name)
        row = Model(name=body.name, description=body.description or "", created_at=here.clock())
        session.add(row)
        session.flush()
        return Speller(here, session, origin).models([row])[0]


@router.get("/api/organization/{organization_id}/models")
def list_models(here: Here, origin: Origin, organization_id: str, asked: Asked) -> Json:
    """Private models, newest first."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        found = page(session, select(Model), Model, asked)
        return found.reply(Speller(here, session, origin).models(found.rows))


@router.get("/api/organization/{organization_id}/models/find")
def find_model(
    here: Here,
    origin: Origin,
    organization_id: str,
    id: UUID | None = None,  # noqa: A002 - its name on the wire
    name: str | None = None,
) -> Json:
    """A private model by its id or name."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        return Speller(here, session, origin).models([_found(session, id, name)])[0]


@router.get("/api/models")
def list_public_models(asked: Asked, name: str | None = None) -> Json:
    """The public hub, which a local platform does not have."""
    del asked, name
    return {"items": [], "count": 0, "next_cursor": None}


@router.get("/api/models/find")
def find_public_model(name: str) -> Json:
    """A model of the public hub; there is none here."""
    raise NotFoundError.named("public model", name, ())


@router.get("/api/model/{model_id}")
def get_model(here: Here, origin: Origin, model_id: UUID) -> Json:
    """A model by its id."""
    with here.store.reading() as session:
        row = the(session, Model, model_id, kind="model")
        return Speller(here, session, origin).models([row])[0]


@router.patch("/api/model/{model_id}")
def update_model(here: Here, origin: Origin, model_id: UUID, body: ModelChange) -> Json:
    """Rename or describe a model."""
    with here.store.writing() as session:
        row = the(session, Model, model_id, kind="model")
        if body.name is not None and body.name != row.name:
            _refuse_taken(session, body.name)
            row.name = body.name
        if body.description is not None:
            row.description = body.description
        return Speller(here, session, origin).models([row])[0]


@router.delete("/api/model/{model_id}", status_code=204)
def remove_model(here: Here, model_id: UUID) -> None:
    """Delete a model with its versions and their files, unless one is deployed."""
    with here.store.writing() as session:
        blobs = delete_model(session, the(session, Model, model_id, kind="model"))
    remove_blobs(here, blobs)


def _found(session: Session, ident: UUID | None, name: str | None) -> Model:
    if ident is not None:
        return the(session, Model, ident, kind="model")
    if not name:
        raise InvalidInputError("Nothing was asked for.", "Give an id or a name.")
    found = session.scalars(select(Model).where(Model.name == name)).first()
    if found is None:
        raise NotFoundError.named("model", name, session.scalars(select(Model.name)).all())
    return found


def _refuse_taken(session: Session, name: str) -> None:
    if session.scalars(select(Model).where(Model.name == name)).first():
        raise ConflictError(
            f"A model is called {name!r} already.", "Add a version to it, or choose another name."
        )
