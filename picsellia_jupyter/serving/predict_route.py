"""The routes that predict on one image; the busiest has no framework around it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from picsellia_jupyter.serving import (
    deadline,
    idempotency,
    json_body,
    refusals,
    stored,
    upload,
)
from picsellia_jupyter.serving.batch import BatchRoute
from picsellia_jupyter.serving.deadline import Deadline
from picsellia_jupyter.serving.service import Service
from picsellia_jupyter.serving.stored import StoredName
from picsellia_jupyter.serving.upload import Upload
from picsellia_jupyter.wire.predictions import Json

_IMAGE = "/api/deployments/{deployment_id}/predict"
_STORED = "/api/v2/deployments/{deployment_id}/predict"
_IMAGE_PATTERN = re.compile(_IMAGE.format(deployment_id="[^/]+"))

Answer = Callable[[Scope, Receive, Deadline], Awaitable[Json]]


class TimelyRoute:
    """An ASGI app that answers within the deadline of each request."""

    def __init__(
        self,
        answer: Answer,
        note: Callable[[Exception | None], None] = lambda _error: None,
    ) -> None:
        self._answer, self._note = answer, note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or say why not."""
        try:
            async with Deadline(deadline.of_request(scope)) as until:
                answer = await self._answer(scope, receive, until)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - each is answered, and told in the log
            self._note(error)
            await refusals.answer(error)(scope, receive, send)
        else:
            self._note(None)
            await send_json(send, answer)


class PredictRoutes:
    """Where a deployment is asked for predictions, as the SDK does it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.image = TimelyRoute(self._image, service.outcomes.note)
        """Predicts on the image that was sent."""
        self.batch = BatchRoute(service)
        """Predicts on many images."""
        self.stored = TimelyRoute(self._stored, service.outcomes.note)
        """Predicts on an image of the target datalake."""
        self.shadow = TimelyRoute(self._shadow)
        """Predicts on such an image with the shadow model."""

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route(_IMAGE, self.image, methods=["POST"]),
            Route(f"{_IMAGE}/batch", self.batch, methods=["POST"]),
            Route(_STORED, self.stored, methods=["POST"]),
            Route(f"{_STORED}/shadow", self.shadow, methods=["POST"]),
        ]

    async def _image(self, scope: Scope, receive: Receive, until: Deadline) -> Json:
        self._service.check_own(scope["state"]["deployment_id"], scope["path"].split("/")[3])
        sent = _known(scope, await upload.read(scope, receive))
        until.listen(receive)
        return await self._service.predict(sent)

    async def _stored(self, scope: Scope, receive: Receive, until: Deadline) -> Json:
        _, sent = await self._stored_upload(scope, receive, until)
        return await self._service.predict(sent)

    async def _shadow(self, scope: Scope, receive: Receive, until: Deadline) -> Json:
        said, sent = await self._stored_upload(scope, receive, until)
        prediction_id = json_body.text(said, "prediction_id")
        return await self._service.predict_shadow(sent, prediction_id)

    async def _stored_upload(
        self, scope: Scope, receive: Receive, until: Deadline
    ) -> tuple[Json, Upload]:
        """What a request says, and the image of the target datalake that it names."""
        self._service.check_own(scope["state"]["deployment_id"], scope["path"].split("/")[4])
        said = await json_body.read(receive)
        until.listen(receive)
        name = StoredName.of(said.get("cloud_image"))
        image = await self._service.stored.fetch(name)
        return said, _known(scope, stored.upload_of(said, name, image))


class Shortcut:
    """Takes predictions straight to their route, past everything else of an app."""

    def __init__(self, app: ASGIApp, route: ASGIApp) -> None:
        self._app, self._route = app, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or take it to the route."""
        ours = scope["method"] == "POST" and _IMAGE_PATTERN.fullmatch(scope["path"])
        await (self._route if ours else self._app)(scope, receive, send)


def _known(scope: Scope, sent: Upload) -> Upload:
    """An upload with the id that its prediction gets by the client's key, if there is one."""
    key = idempotency.key_of(scope["headers"])
    if key is None:
        return sent
    own = idempotency.prediction_id(key, scope["state"]["deployment_id"], sent.image)
    return dataclasses.replace(sent, prediction_id=own)


async def send_json(send: Send, value: Any) -> None:
    """Send a reply that is JSON."""
    body = orjson.dumps(value)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
