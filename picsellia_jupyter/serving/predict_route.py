"""The route that predicts on one image; the busiest one, so without a framework around it."""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from picsellia_jupyter.domain.errors import AuthenticationError
from picsellia_jupyter.serving import deadline, refusals, upload
from picsellia_jupyter.serving.deadline import Deadline
from picsellia_jupyter.serving.service import Service
from picsellia_jupyter.wire.predictions import Json

PATH = "/api/deployments/{deployment_id}/predict"
_PATH = re.compile(PATH.format(deployment_id="([^/]+)"))


class PredictRoute:
    """Answers `POST /api/deployments/{deployment_id}/predict`; an ASGI app."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Predict on the image of a request and answer it, within its deadline."""
        try:
            async with Deadline(deadline.of_request(scope)) as until:
                answer = await self._answer(scope, receive, until)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - each is answered, and told in the log
            await refusals.answer(error)(scope, receive, send)
        else:
            await send_json(send, answer)

    async def _answer(self, scope: Scope, receive: Receive, until: Deadline) -> Json:
        check_own(self._service, scope, scope["path"].split("/")[3])
        sent = await upload.read(scope, receive)
        until.listen(receive)
        return await self._service.predict(sent)


class Shortcut:
    """Takes predictions straight to their route, past everything else of an app."""

    def __init__(self, app: ASGIApp, route: PredictRoute) -> None:
        self._app, self._route = app, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or take it to the route."""
        ours = scope["method"] == "POST" and _PATH.fullmatch(scope["path"])
        await (self._route if ours else self._app)(scope, receive, send)


def check_own(service: Service, scope: Scope, deployment_id: str) -> None:
    """Refuse a token for another deployment, and one that is not served now.

    Raises:
        AuthenticationError: the token is for another deployment.
        NotServingError: nothing is served now.
        NotFoundError: another deployment is served.
    """
    if scope["state"]["deployment_id"] != deployment_id:
        raise AuthenticationError("The token is for another deployment.", "Log in again.")
    service.check_serves(deployment_id)


async def send_json(send: Send, value: Any) -> None:
    """Send a reply that is JSON."""
    body = orjson.dumps(value)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
