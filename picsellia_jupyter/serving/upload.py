"""The body of a predict request: one image, and what is said beside it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError
from picsellia_jupyter.serving import fields, form
from picsellia_jupyter.serving.form import Form

MAX_IMAGE_BYTES = 32 * 1024 * 1024
MAX_BODY = MAX_IMAGE_BYTES + 1024 * 1024
_DISCARDED = 4 * MAX_IMAGE_BYTES
"""A body that is too long is read this far, so that its sender sees our answer."""
MAX_TEXT_BYTES = 1024 * 1024
_MAX_FIELDS = 200


class TooLargeError(InvalidImageError):
    """An image over 32 MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """One image to predict on."""

    filename: str
    image: bytes
    """Encoded."""
    monitor: bool = True
    """Whether the prediction is recorded in the deployment."""
    postprocess: bool = True
    """Whether only objects over the deployment's threshold are answered."""
    tags: tuple[str, ...] = ()
    source: str | None = None
    metadata: Mapping[str, Any] | None = None
    """Of the image, by the platform's own keys."""
    custom_metadata: Mapping[str, Any] | None = None
    """Of the image, the user's own."""
    stored_as: str | None = None
    """Its object name, where it is in the target datalake already."""
    prediction_id: str | None = None
    """What its prediction is to be known by, where the client sent a key; else a new id is made."""


async def read(scope: Scope, receive: Receive) -> Upload:
    """Read a predict request: a form with an image, or the image itself.

    An image that is itself the body, with a content type such as `image/jpeg`, has its
    fields in the query: `?filename=page.jpg&monitor=False&tags=night`.

    Raises:
        TooLargeError: the image has more than 32 MiB.
        InvalidInputError: the body is neither, the form is broken, or a field of it.
        ClientDisconnect: the client went away.
    """
    content_type = next((v for k, v in scope["headers"] if k == b"content-type"), b"")
    kind = content_type.lower()
    if kind.startswith((b"image/", b"application/octet-stream")):
        return of_image(await body_of(receive), scope["query_string"])
    if not kind.startswith(b"multipart/form-data"):
        raise InvalidInputError(
            "The body is neither a multipart form nor an image.",
            "Send the image as a form's file part 'media', or alone as image/jpeg.",
        )
    body = await body_of(receive)
    boundary = form.boundary_of(content_type)
    ordinary = form.parse(body, boundary) if boundary else None
    return of_form(ordinary or await _any_form(scope, body))


async def body_of(receive: Receive, most: int = MAX_BODY) -> bytes:
    """The whole body of a request.

    Raises:
        TooLargeError: it has more than `most` bytes.
        ClientDisconnect: the client went away.
    """
    chunks: list[bytes] = []
    taken, more = 0, True
    while more and taken <= _DISCARDED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        taken += len(chunk)
        if taken <= most:
            chunks.append(chunk)
    if taken > most:
        raise too_large(taken)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def of_image(image: bytes, query: bytes) -> Upload:
    """An image that was the whole body; its fields are in the query.

    Raises:
        TooLargeError: it has more than 32 MiB.
        InvalidInputError: a field cannot be used.
    """
    try:
        said = parse_qsl(query.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise InvalidInputError("The query cannot be read.", "Send ?name=value&…") from None
    name = next((value for key, value in said if key == "filename"), None)
    return of_form(Form(name or "", image, tuple(said)))


def of_form(said: Form) -> Upload:
    """What a form asks for.

    Raises:
        TooLargeError: the image has more than 32 MiB.
        InvalidInputError: there is no image, or a field cannot be used.
    """
    if said.filename is None:
        raise InvalidInputError("There is no file part 'media'.", "Send the image in it.")
    if len(said.media) > MAX_IMAGE_BYTES:
        raise too_large(len(said.media))
    last = dict(said.texts)
    return Upload(
        filename=fields.bare_name(said.filename),
        image=said.media,
        monitor=fields.flag("monitor", last.get("monitor")),
        postprocess=fields.flag("postprocess", last.get("postprocess")),
        tags=fields.tags(said.all("tags")),
        source=fields.source(last.get("source")),
        metadata=fields.json_object("metadata", last.get("metadata")),
        custom_metadata=fields.json_object("custom_metadata", last.get("custom_metadata")),
    )


def too_large(size: int) -> TooLargeError:
    """The refusal of an image of so many bytes."""
    return TooLargeError(
        f"The image has {size / 2**20:.0f} MiB or more.", "Send at most 32 MiB; resize it first."
    )


# Forms out of the ordinary -------------------------------------------------------------------


class _InMemory(MultiPartParser):
    """Keeps the image in memory, where it goes next anyway."""

    spool_max_size = MAX_BODY


async def _any_form(scope: Scope, body: bytes) -> Form:
    """Read any multipart form.

    Raises:
        InvalidInputError: it is broken.
    """
    headers = Headers(scope=scope)
    parser = _InMemory(headers, _at_once(body), max_files=1, max_fields=_MAX_FIELDS)
    try:
        parsed = await parser.parse()
    except MultiPartException as error:
        raise InvalidInputError(
            f"The form cannot be read: {error.message}",
            "Send one file part 'media' and text fields.",
        ) from error
    try:
        return await _plain(parsed)
    finally:
        await parsed.close()


async def _at_once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _plain(parsed: FormData) -> Form:
    """Starlette's form as one of ours; other files than `media` are left out."""
    media = parsed.get(form.MEDIA)
    texts = tuple((k, v) for k, v in parsed.multi_items() if isinstance(v, str))
    if not isinstance(media, UploadFile):
        return Form(None, b"", texts)
    return Form(media.filename or "", await media.read(), texts)
