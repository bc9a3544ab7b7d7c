"""The body of a predict request: one image and a few text fields."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError
from picsellia_jupyter.serving import fields

MAX_IMAGE_BYTES = 32 * 1024 * 1024
_MAX_BODY = MAX_IMAGE_BYTES + 1024 * 1024
_DISCARDED = 4 * MAX_IMAGE_BYTES
"""A body that is too long is read this far, so that its sender sees our answer."""


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


class _InMemory(MultiPartParser):
    """Keeps the image in memory, where it goes next anyway."""

    spool_max_size = _MAX_BODY


async def read(request: Request) -> Upload:
    """Read a predict request.

    Raises:
        TooLargeError: the image has more than 32 MiB.
        InvalidInputError: the form is broken, or a field of it.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidInputError(
            "The body is no multipart form.", "Send the image as its file part 'media'."
        )
    parser = _InMemory(request.headers, _bounded(request), max_files=1, max_fields=200)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidInputError(
            f"The form cannot be read: {error.message}",
            "Send one file part 'media' and text fields.",
        ) from error
    try:
        return await _upload(form)
    finally:
        await form.close()


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken <= _MAX_BODY:
            yield chunk
        elif taken > _DISCARDED:
            break
    if taken > _MAX_BODY:
        raise _too_large(taken)


async def _upload(form: FormData) -> Upload:
    media = form.get("media")
    if not isinstance(media, UploadFile):
        raise InvalidInputError("There is no file part 'media'.", "Send the image in it.")
    image = await media.read()
    if len(image) > MAX_IMAGE_BYTES:
        raise _too_large(len(image))
    return Upload(
        filename=fields.bare_name(media.filename),
        image=image,
        monitor=_flag(form, "monitor"),
        postprocess=_flag(form, "postprocess"),
        tags=fields.tags(form.getlist("tags")),
        source=fields.source(form.get("source")),
        metadata=fields.json_object("metadata", form.get("metadata")),
        custom_metadata=fields.json_object("custom_metadata", form.get("custom_metadata")),
    )


def _flag(form: FormData, key: str) -> bool:
    said = str(form.get(key, "True")).lower()
    if said not in ("true", "false"):
        raise InvalidInputError(f"{key} is {said!r}.", "Send True or False.")
    return said == "true"


def _too_large(size: int) -> TooLargeError:
    return TooLargeError(
        f"The image has {size / 2**20:.0f} MiB or more.", "Send at most 32 MiB; resize it first."
    )
