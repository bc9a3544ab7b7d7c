"""Jobs, of both versions the SDK knows."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel, Field
from sqlalchemy import select

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform.blobs import checked_object_name
from picsellia_jupyter.localplatform.jobs import spell_job
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, organization_of
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.jobs import Job, LoggingLine
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
Transition = Literal["succeed", "fail", "running"]
STATUS_AFTER: dict[str, str] = {"succeed": "SUCCEEDED", "fail": "FAILED", "running": "RUNNING"}
ENDED = frozenset({"SUCCEEDED", "FAILED", "KILLED"})


class Line(BaseModel):
    """Something a job or an experiment printed."""

    line_nb: int = Field(ge=0)
    log: Any
    part: str
    final: bool = False
    special: Any = False

    def row(self, owner_id: str, *, now: float) -> LoggingLine:
        """The line as it is kept."""
        return LoggingLine(owner_id=owner_id, created_at=now, **self.model_dump())


@router.get("/api/organization/{organization_id}/jobv2s/find")
def find_job(here: Here, organization_id: str, id: UUID) -> Json:  # noqa: A002 - its wire name
    """A job of version 2 by its id."""
    with here.store.reading() as session:
        organization_of(session, organization_id)
        return spell_job(the(session, Job, id, kind="job"))


@router.get("/api/job/{job_id}")
def get_old_job(here: Here, job_id: UUID) -> Json:
    """A job of version 1."""
    with here.store.reading() as session:
        row = session.scalars(select(Job).filter_by(id=str(job_id), version=1)).first()
        if row is None:
            raise UnknownIdError("job", str(job_id))
        return spell_job(row)


@router.get("/api/v2/job/{job_id}")
def get_job(here: Here, job_id: UUID) -> Json:
    """A job of version 2."""
    with here.store.reading() as session:
        return spell_job(the(session, Job, job_id, kind="job"))


@router.post("/api/v2/job/{job_id}/logging")
def add_line(here: Here, job_id: UUID, body: Line) -> Json:
    """Keep a line that a job printed."""
    with here.store.writing() as session:
        session.add(body.row(the(session, Job, job_id, kind="job").id, now=here.clock()))
        return {"line_nb": body.line_nb}


@router.post("/api/v2/job/{job_id}/logging/save")
def save_logging(
    here: Here, job_id: UUID, logging_object_name: Annotated[str, Body(embed=True)]
) -> Json:
    """Remember where all that a job printed is stored."""
    name = checked_object_name(logging_object_name)
    with here.store.writing() as session:
        row = the(session, Job, job_id, kind="job")
        row.logging_object_name = name
        return spell_job(row)


@router.post("/api/v2/job/{job_id}/{transition}")
def change_status(here: Here, job_id: UUID, transition: Transition) -> Json:
    """Say how a job goes; one that has ended stays so."""
    wanted = STATUS_AFTER[transition]
    with here.store.writing() as session:
        row = the(session, Job, job_id, kind="job")
        if row.version != 2:
            raise InvalidInputError("A job of version 1 is changed by nobody.", "Ask for it only.")
        if row.status in ENDED and row.status != wanted:
            raise ConflictError(f"The job ended as {row.status}.", "Start another one.")
        row.status = wanted
        return spell_job(row)
