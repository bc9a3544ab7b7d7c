"""Many images in one request; each is answered as soon as it is predicted on."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from picsellia_jupyter.domain.errors import InvalidInputError, PicselliaJupyterError
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving import deadline, form, idempotency, refusals, upload
from picsellia_jupyter.serving.deadline import Deadline
from picsellia_jupyter.serving.form import Form
from picsellia_jupyter.serving.parts import Part, Parts
from picsellia_jupyter.serving.service import Service
from picsellia_jupyter.serving.upload import Upload
from picsellia_jupyter.wire.predictions import Json

IN_FLIGHT = 32
IN_FLIGHT_BYTES = 64 * 1024 * 1024
UNREAD_BYTES = 64 * 1024 * 1024
"""Results that a client may leave unread while it is still sending images."""
_MAX_FIELDS = 200
_PAUSES_S = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Between two tries of an image that finds the queue full."""


class Batch:
    """One request with many images, on its way through a serving kernel.

    Images are read while earlier ones are predicted on, at most 32 or 64 MiB of them at a
    time; whoever sends faster has to wait. Results never wait for the client to read them, so
    that one that sends everything before it reads anything is not stuck.
    """

    def __init__(
        self, service: Service, send: Send, within_s: float, known: tuple[uuid.UUID | None, str]
    ) -> None:
        """Prepare to answer.

        Args:
            service: predicts.
            send: takes the reply.
            within_s: how long each image may take.
            known: the request's key, if it has one, and the deployment.
        """
        self._service = service
        self._key, self._deployment_id = known
        self._send = send
        self._within_s = within_s
        self._texts: list[tuple[str, str]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._bytes = 0
        self._count = self._failed = 0
        self._lines: list[bytes] = []
        self._unread = 0
        self._changed = asyncio.Event()

    async def answer(self, receive: Receive, boundary: bytes) -> None:
        """Predict on every image and send the results, one JSON object a line.

        Raises:
            InvalidInputError: the form is broken before its first image.
            ClientDisconnect: the client went away; what was queued is given up.
        """
        sent = Parts(receive, boundary, at_most=upload.MAX_IMAGE_BYTES)
        coming = sent.__aiter__()
        try:
            first = await self._first_image(coming)
        except InvalidInputError:
            await sent.drain()
            raise
        writing = asyncio.create_task(self._write())
        listening: asyncio.Task[None] | None = None
        try:
            error = await self._read(first, coming)
            await sent.drain()
            listening = asyncio.create_task(_gone(receive))
            await self._rest(listening)
            self._say({"images": self._count, "failed": self._failed, "error": error})
            self._lines.append(b"")
            await writing
        finally:
            _cancel(writing, listening, *self._tasks)

    async def _first_image(self, coming: AsyncIterator[Part]) -> Part:
        async for part in coming:
            if part.filename is not None:
                self._check(part)
                return part
            self._add_text(part)
        raise InvalidInputError("There is no file part 'media'.", "Send the images in them.")

    async def _read(self, first: Part, coming: AsyncIterator[Part]) -> Json | None:
        """Begin with every image; why there will be no more of them, if that is too early."""
        try:
            await self._begin(first)
            async for part in coming:
                self._check(part)
                await self._begin(part)
        except PicselliaJupyterError as error:
            return refusals.body_of(error)
        return None

    def _check(self, part: Part) -> None:
        """Refuse what is no image, and fields that cannot be used for any of them."""
        if part.filename is None or part.name != form.MEDIA:
            raise InvalidInputError(
                f"The part {part.name!r} is no image.", "Send text fields before the images."
            )
        if not self._count:
            upload.of_form(self._form(part, b""))

    def _add_text(self, part: Part) -> None:
        if len(self._texts) >= _MAX_FIELDS or len(part.content) > upload.MAX_TEXT_BYTES:
            raise InvalidInputError("The fields are too long.", "Send fewer, or shorter ones.")
        self._texts.append((part.name, part.content.decode(errors="replace")))

    def _form(self, part: Part, content: bytes) -> Form:
        return Form(part.filename or "", content, tuple(self._texts))

    # Predicting ----------------------------------------------------------------------------

    async def _begin(self, part: Part) -> None:
        """Start on an image once there is room for it."""
        while self._tasks and (
            len(self._tasks) >= IN_FLIGHT or self._bytes + len(part.content) > IN_FLIGHT_BYTES
        ):
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        if self._unread > UNREAD_BYTES:
            raise InvalidInputError(
                "The results are not read.", "Read them while sending, or send fewer images."
            )
        self._bytes += len(part.content)
        task = asyncio.create_task(self._one(self._count, part))
        self._count += 1
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one(self, index: int, part: Part) -> None:
        said: Json = {"index": index, "filename": part.filename}
        try:
            sent = self._upload(part, index)
            async with Deadline(self._within_s):
                said |= {"status": 200, "prediction": await self._predicted(sent)}
            self._service.outcomes.note()
        except Exception as error:  # noqa: BLE001 - it fails this image only
            self._failed += 1
            self._service.outcomes.note(error)
            said |= {"status": refusals.status_of(error), "error": refusals.body_of(error)}
        finally:
            self._bytes -= len(part.content)
        self._say(said)

    def _upload(self, part: Part, index: int) -> Upload:
        if part.size > upload.MAX_IMAGE_BYTES:
            raise upload.too_large(part.size)
        sent = upload.of_form(self._form(part, part.content))
        own = idempotency.prediction_id(self._key, self._deployment_id, sent.image, place=index)
        return dataclasses.replace(sent, prediction_id=own) if own else sent

    async def _predicted(self, sent: Upload) -> Json:
        """Predict on an image; a full queue is waited for."""
        tries = 0
        while True:
            try:
                return await self._service.predict(sent)
            except QueueFullError:
                await asyncio.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
                tries += 1

    async def _rest(self, listening: asyncio.Task[None]) -> None:
        """Wait for all that was begun, unless the client goes away."""
        while self._tasks:
            done, _ = await asyncio.wait(
                [*self._tasks, listening], return_when=asyncio.FIRST_COMPLETED
            )
            if listening in done:
                raise ClientDisconnect

    # Answering -----------------------------------------------------------------------------

    def _say(self, said: Json) -> None:
        line = orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)
        self._lines.append(line)
        self._unread += len(line)
        self._changed.set()

    async def _write(self) -> None:
        """Send lines as they come; an empty one is the end."""
        headers = [(b"content-type", b"application/x-ndjson")]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        more = True
        while more:
            await self._changed.wait()
            self._changed.clear()
            lines, self._lines = self._lines, []
            more = b"" not in lines
            body = b"".join(lines)
            await self._send({"type": "http.response.body", "body": body, "more_body": more})
            self._unread -= len(body)


class BatchRoute:
    """Answers `POST /api/deployments/{deployment_id}/predict/batch`; an ASGI app."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Predict on the images of a request."""
        try:
            boundary = self._boundary(scope)
            known = idempotency.key_of(scope["headers"]), scope["state"]["deployment_id"]
            batch = Batch(self._service, send, deadline.of_request(scope), known)
            await batch.answer(receive, boundary)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - each is answered, and told in the log
            self._service.outcomes.note(error)
            await refusals.answer(error)(scope, receive, send)

    def _boundary(self, scope: Scope) -> bytes:
        self._service.check_own(scope["state"]["deployment_id"], scope["path"].split("/")[3])
        content_type = next((v for k, v in scope["headers"] if k == b"content-type"), b"")
        boundary = form.boundary_of(content_type)
        if boundary is None:
            raise InvalidInputError(
                "The body is no multipart form.", "Send each image as a file part 'media'."
            )
        return boundary


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _cancel(*tasks: asyncio.Task[None] | None) -> None:
    for task in tasks:
        if task is not None:
            task.cancel()
