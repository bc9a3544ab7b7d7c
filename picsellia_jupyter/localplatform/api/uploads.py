"""Uploads in the forms of Azure, Google and S3, whichever the platform was started with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.blobs import BlobStream, checked_object_name
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    Origin,
    Platform,
    connector_of,
)
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.staging import ByteRange, PartFile, Staging, etag_of
from picsellia_jupyter.localplatform.sums import storing
from picsellia_jupyter.localplatform.tables.datalakes import Data
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.projections import Projection
from picsellia_jupyter.localplatform.tables.projects import Artifact, LoggingFile
from picsellia_jupyter.localplatform.tables.registry import ModelFile
from picsellia_jupyter.wire.predictions import Json

router = Router(dependencies=[NeedsUser])
signed = Router()
"""Routes whose address is its own proof."""
MAX_PARTS = 10_000
_BUFFER_BYTES = 2**20
_WITH_OBJECTS = (Data, ModelFile, Artifact, LoggingFile, Projection)

Expires = Annotated[str, Query()]
Signature = Annotated[str, Query()]


class ObjectName(BaseModel):
    """Which object is meant."""

    object_name: str


class WantedPart(ObjectName):
    """Which part of an upload is to come."""

    upload_id: UUID
    part_no: int = Field(ge=1, le=MAX_PARTS)


class Part(BaseModel):
    """A part that was sent, with the ETag that was answered."""

    etag: str = Field(alias="ETag")
    number: int = Field(alias="PartNumber", ge=1, le=MAX_PARTS)


class Completion(ObjectName):
    """All parts of an upload, in their order."""

    upload_id: UUID
    parts: list[Part] = Field(min_length=1, max_length=MAX_PARTS)


# Asking where to ------------------------------------------------------------------------------


@router.post("/api/object-storage/{connector_id}/generate_presigned_url")
def generate_presigned_url(
    here: Here, origin: Origin, connector_id: UUID, body: ObjectName
) -> Json:
    """Where to upload an object, for an hour."""
    name = checked_object_name(body.object_name)
    with here.store.reading() as session:
        connector = connector_of(session, connector_id)
        refuse_registered(session, name)
        as_form = here.storage_form != "azure"
        method = "POST" if as_form else "PUT"
        url = Speller(here, session, origin).storage_url(method, connector.id, name)
    fields = {"key": name} if as_form else {}
    return {
        "client_type": here.storage_form,
        "presigned_url_data": {"url": url, "fields": fields},
    }


@router.post("/api/object-storage/{connector_id}/init_multipart_upload")
def init_multipart_upload(here: Here, origin: Origin, connector_id: UUID, body: ObjectName) -> Json:
    """Begin the upload of a large file; as Azure the SDK then sends it in one piece."""
    name = checked_object_name(body.object_name)
    with here.store.reading() as session:
        connector = connector_of(session, connector_id)
        refuse_registered(session, name)
    if here.storage_form == "azure":
        return {"client_type": here.storage_form}
    upload_id = staging(here).begin(_target(connector, name), now=here.clock())
    path = f"/storage/resumable/{connector.id}/{upload_id}/{name}"
    url = origin + here.keyring.sign("PUT", path, now=here.clock())
    return {"client_type": here.storage_form, "upload_id": upload_id, "url": url}


@router.post("/api/object-storage/{connector_id}/generate_part_presigned_url")
def generate_part_url(here: Here, origin: Origin, connector_id: UUID, body: WantedPart) -> Json:
    """Where to upload one part, for an hour."""
    name = checked_object_name(body.object_name)
    with here.store.reading() as session:
        connector = connector_of(session, connector_id)
    _refuse_unknown(here, body.upload_id, _target(connector, name))
    path = f"/storage/parts/{connector.id}/{body.upload_id}/{body.part_no}/{name}"
    return {"url": origin + here.keyring.sign("PUT", path, now=here.clock())}


@router.post("/api/object-storage/{connector_id}/complete_part_upload")
def complete_upload(here: Here, connector_id: UUID, body: Completion) -> Json:
    """Make an object of its parts; it is durable when this answers."""
    name = checked_object_name(body.object_name)
    with here.store.reading() as session:
        connector = connector_of(session, connector_id)
        refuse_registered(session, name)
        blobs = here.blobs(connector)
    kept = staging(here)
    if kept.is_open(body.upload_id, _target(connector, name)):
        parts = [kept.part(body.upload_id, part.number) for part in body.parts]
        for part, path in zip(body.parts, parts, strict=True):
            if etag_of(path) != part.etag.strip('"'):
                raise InvalidInputError(
                    f"Part {part.number} arrived as something else.", "Send it again."
                )
        kept.finish(body.upload_id, parts, storing(here, connector, name))
    elif blobs.size(name) is None:
        raise _unknown(body.upload_id)
    return {"object_name": name, "size": blobs.size(name)}


# Taking in ------------------------------------------------------------------------------------


@signed.put("/storage/parts/{connector_id}/{upload_id}/{part_no}/{object_name:path}")
async def upload_part(
    here: Here,
    request: Request,
    connector_id: UUID,
    upload_id: UUID,
    part_no: int,
    object_name: str,
    expires: Expires,
    signature: Signature,
) -> Response:
    """Take one part in, which may be empty."""
    path = f"/storage/parts/{connector_id}/{upload_id}/{part_no}/{object_name}"
    here.keyring.check("PUT", path, expires=expires, signature=signature, now=here.clock())
    await run_in_threadpool(_refuse_unknown, here, upload_id, f"{connector_id}/{object_name}")
    part = PartFile(staging(here).part(upload_id, part_no))
    try:
        await _drain(request, part.write)
    except BaseException:
        part.drop()
        raise
    return Response(status_code=200, headers={"ETag": f'"{await run_in_threadpool(part.keep)}"'})


@signed.put("/storage/resumable/{connector_id}/{upload_id}/{object_name:path}")
async def upload_range(
    here: Here,
    request: Request,
    connector_id: UUID,
    upload_id: UUID,
    object_name: str,
    expires: Expires,
    signature: Signature,
) -> Response:
    """Take the next bytes in; with the last of them the object is made, durable."""
    path = f"/storage/resumable/{connector_id}/{upload_id}/{object_name}"
    here.keyring.check("PUT", path, expires=expires, signature=signature, now=here.clock())
    span = ByteRange.parse(request.headers.get("content-range", ""))
    target = f"{connector_id}/{object_name}"
    place = await run_in_threadpool(_place, here, connector_id, object_name)
    if not await run_in_threadpool(staging(here).is_open, upload_id, target):
        if await run_in_threadpool(here.blobs(place).size, object_name) == span.total:
            return Response(status_code=200)
        raise _unknown(upload_id)
    whole = staging(here).whole(upload_id)
    await _append(request, whole, span)
    if span.last + 1 < span.total:
        # Google's own answer; without a Location nobody takes it for a redirection.
        return Response(status_code=308, headers={"Range": f"bytes=0-{span.last}"})
    writing = storing(here, place, object_name)
    await run_in_threadpool(staging(here).finish, upload_id, [whole], writing)
    return Response(status_code=200)


@signed.post("/storage/{connector_id}/{object_name:path}")
async def upload_form(
    here: Here,
    request: Request,
    connector_id: UUID,
    object_name: str,
    expires: Expires,
    signature: Signature,
) -> Response:
    """Take an object in as the part `file` of a form; it is durable when this answers."""
    path = f"/storage/{connector_id}/{object_name}"
    here.keyring.check("POST", path, expires=expires, signature=signature, now=here.clock())
    place = await run_in_threadpool(_place, here, connector_id, object_name)
    async with request.form(max_files=1, max_fields=20) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidInputError("The form has no file.", "Send it as the part `file`.")
        await run_in_threadpool(_store, storing(here, place, object_name), file.file)
    return Response(status_code=201)


def staging(here: Platform) -> Staging:
    """Where uploads in pieces are kept until they are whole."""
    return Staging(here.home / "uploads")


def refuse_registered(session: Session, object_name: str) -> None:
    """Make sure that nothing speaks of an object yet.

    Raises:
        ConflictError: something does; it must not change.
    """
    for table in _WITH_OBJECTS:
        if session.scalars(select(table.id).where(table.object_name == object_name)).first():
            raise ConflictError(
                f"The object {object_name} is in use and cannot be overwritten.",
                "Upload it under a new name.",
            )


def _target(connector: Connector, name: str) -> str:
    return f"{connector.id}/{name}"


def _place(here: Platform, connector_id: UUID, object_name: str) -> Connector:
    with here.store.reading() as session:
        refuse_registered(session, checked_object_name(object_name))
        return connector_of(session, connector_id)


def _refuse_unknown(here: Platform, upload_id: UUID, target: str) -> None:
    if not staging(here).is_open(upload_id, target):
        raise _unknown(upload_id)


def _unknown(upload_id: UUID) -> NotFoundError:
    return NotFoundError(
        f"There is no upload {upload_id} under way.", "Begin one: init_multipart_upload."
    )


async def _append(request: Request, whole: Path, span: ByteRange) -> None:
    """Write bytes at their place; what came before of the same bytes is written over."""
    stream = await run_in_threadpool(_opened_at, whole, span.first)
    with stream:
        await _drain(request, stream.write)
        end = stream.tell()
    if end != span.last + 1:
        raise InvalidInputError(
            f"{end - span.first} bytes arrived, not {span.last + 1 - span.first}.",
            "Send them again.",
        )


def _opened_at(whole: Path, first: int) -> IO[bytes]:
    have = whole.stat().st_size if whole.exists() else 0
    if first > have:
        raise InvalidInputError(
            f"Bytes {have} to {first - 1} did not arrive.", "Send the ranges in order."
        )
    stream: IO[bytes] = whole.open("r+b" if have else "wb")
    stream.seek(first)
    return stream


async def _drain(request: Request, write: Callable[[bytes], Any]) -> None:
    buffer = bytearray()
    async for chunk in request.stream():
        buffer += chunk
        if len(buffer) >= _BUFFER_BYTES:
            await run_in_threadpool(write, bytes(buffer))
            buffer.clear()
    await run_in_threadpool(write, bytes(buffer))


def _store(writing: AbstractContextManager[BlobStream], source: IO[bytes]) -> None:
    with writing as stream:
        shutil.copyfileobj(source, stream, _BUFFER_BYTES)
