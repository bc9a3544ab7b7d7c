"""Object storage: signed addresses, uploads straight to disk, downloads."""

from __future__ import annotations

from itertools import chain
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.api.uploads import refuse_registered
from picsellia_jupyter.localplatform.blobs import BlobStream, new_object_name
from picsellia_jupyter.localplatform.platform import (
    Here,
    NeedsUser,
    Origin,
    Platform,
    connector_of,
    organization_of,
)
from picsellia_jupyter.localplatform.ranges import first_byte, ranged, skip
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.spelling import Speller
from picsellia_jupyter.localplatform.sums import storing, sum_of, verified
from picsellia_jupyter.localplatform.tables.datalakes import Data
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.wire.predictions import Json

OBJECT_TYPES = (
    "AGENTS_REPORT", "ARTIFACT", "CAMPAIGN_FILE", "DATA", "DATA_PROJECTION", "LOGGING",
    "LOG_IMAGE", "MODEL_FILE", "MODEL_THUMB", "REVIEW_CAMPAIGN_FILE",
)  # fmt: skip
BINARY = "application/octet-stream"
_BUFFER_BYTES = 2**20

router = Router(dependencies=[NeedsUser])
signed = Router()
"""Routes whose address is its own proof."""


class NewObject(BaseModel):
    """What is to be stored."""

    filename: str
    type: str


class ObjectName(BaseModel):
    """Which object is meant."""

    object_name: str


@router.post("/api/organization/{organization_id}/connector/{connector_id}/generate_object_name")
def generate_object_name(
    here: Here, organization_id: str, connector_id: str, body: NewObject
) -> Json:
    """A fresh name for an object; folders that were asked for are not followed."""
    if body.type not in OBJECT_TYPES:
        raise InvalidInputError(
            f"There is no object type {body.type!r}.", f"Known: {', '.join(OBJECT_TYPES)}."
        )
    with here.store.reading() as session:
        organization_of(session, organization_id)
        connector_of(session, connector_id)
    return {"object_name": new_object_name(body.type, body.filename)}


@router.post("/api/object-storage/{connector_id}/retrieve_presigned_url")
def retrieve_presigned_url(
    here: Here, origin: Origin, connector_id: UUID, body: ObjectName
) -> Json:
    """Where to download an object, for an hour."""
    name = body.object_name
    with here.store.reading() as session:
        connector = connector_of(session, connector_id)
        if here.blobs(connector).size(name) is None:
            raise NotFoundError(f"Nothing is stored as {name}.", "Upload it first.")
        url = Speller(here, session, origin).storage_url("GET", connector.id, name)
    return {"presigned_url": url}


@signed.put("/storage/{connector_id}/{object_name:path}")
async def upload(
    here: Here,
    request: Request,
    connector_id: UUID,
    object_name: str,
    expires: Annotated[str, Query()],
    signature: Annotated[str, Query()],
) -> Response:
    """Take an object in; it is durable when this answers."""
    _check(here, "PUT", connector_id, object_name, expires, signature)
    place = await run_in_threadpool(_place_for_upload, here, connector_id, object_name)
    writing = storing(here, place, object_name)
    stream = await run_in_threadpool(writing.__enter__)
    try:
        await _fill(stream, request)
        await run_in_threadpool(_refuse_overwriting, here, object_name)
    except BaseException as error:
        # On a thread: a bucket may take its time to forget what was sent.
        await run_in_threadpool(writing.__exit__, type(error), error, error.__traceback__)
        raise
    await run_in_threadpool(writing.__exit__, None, None, None)
    return Response(status_code=201)


@signed.api_route("/storage/{connector_id}/{object_name:path}", methods=["GET", "HEAD"])
def download(
    here: Here,
    request: Request,
    connector_id: UUID,
    object_name: str,
    expires: Annotated[str, Query()],
    signature: Annotated[str, Query()],
) -> Response:
    """Hand an object out, as what decoding found it to be and never as a page."""
    _check(here, "GET", connector_id, object_name, expires, signature)
    with here.store.reading() as session:
        blobs = here.blobs(connector_of(session, connector_id))
        sha256 = sum_of(session, str(connector_id), object_name)
        data = session.scalars(select(Data).where(Data.object_name == object_name)).first()
    size = blobs.size(object_name)
    if size is None:
        raise NotFoundError(f"Nothing is stored as {object_name}.", "Upload it first.")
    filename = quote(data.filename if data else object_name.rsplit("/", 1)[-1])
    headers = {
        "Content-Length": str(size),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Content-Disposition": f"attachment; filename*=UTF-8''{filename}",
    }
    kind = data.content_type if data and data.content_type.startswith("image/") else BINARY
    start = first_byte(request.headers.get("range"))
    if start is not None and start >= size:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    if start is not None:
        headers |= ranged(start, size)
    if request.method == "HEAD":
        return Response(media_type=kind, headers=headers)
    chunks = skip(verified(blobs.chunks(object_name), sha256, object_name), start or 0)
    # Read ahead: a damaged file of one piece is still refused in words; of a larger one the
    # last piece is missing, and no client takes that for the whole.
    first = next(chunks, b"")
    status = 200 if start is None else 206
    return StreamingResponse(chain([first], chunks), status, media_type=kind, headers=headers)


def _check(
    here: Platform, method: str, connector_id: UUID, name: str, expires: str, signature: str
) -> None:
    path = f"/storage/{connector_id}/{name}"
    here.keyring.check(method, path, expires=expires, signature=signature, now=here.clock())


async def _fill(stream: BlobStream, request: Request) -> None:
    buffer = bytearray()
    async for chunk in request.stream():
        buffer += chunk
        if len(buffer) >= _BUFFER_BYTES:
            await run_in_threadpool(stream.write, bytes(buffer))
            buffer.clear()
    await run_in_threadpool(stream.write, bytes(buffer))


def _refuse_overwriting(here: Platform, object_name: str) -> None:
    # Once more at the end: an upload may take longer than registering another one.
    with here.store.reading() as session:
        refuse_registered(session, object_name)


def _place_for_upload(here: Platform, connector_id: UUID, object_name: str) -> Connector:
    with here.store.reading() as session:
        refuse_registered(session, object_name)
        return connector_of(session, connector_id)
