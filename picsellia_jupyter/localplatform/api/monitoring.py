"""The one busy route: a prediction is recorded. Without FastAPI's machinery, for speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from picsellia_jupyter.domain.errors import AuthenticationError
from picsellia_jupyter.localplatform.auth import DeploymentCaller
from picsellia_jupyter.localplatform.ingesting import Plain
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.recording import NewPrediction, check_image, record
from picsellia_jupyter.localplatform.refusals import ForbiddenError

router = APIRouter()
_SMALL_BYTES = 2**17
"""Bodies that are read in the event loop; larger ones would keep everybody else waiting."""


async def monitor(request: Request) -> Response:
    """Record a prediction; the answer comes after it is safe on disk."""
    here: Platform = request.app.state.platform
    deployment_id = _own_deployment(request)
    raw = await request.body()
    read = _read if len(raw) <= _SMALL_BYTES else _read_elsewhere
    body = await read(raw)
    if body.sample is False and body.cloud_image is None:
        plain = Plain(deployment_id, body.prediction_id(), body, here.clock())
        await request.app.state.ingest.record(plain)
        prediction_id = plain.prediction_id
    else:
        prediction_id = await run_in_threadpool(record, here, deployment_id, body)
    return JSONResponse({"id": prediction_id, "deployment_id": deployment_id}, status_code=201)


ROUTE = Route("/api/deployment/{deployment_id}/predictions", monitor, methods=["POST"])
router.routes.append(ROUTE)


class Shortcut:
    """ASGI middleware that takes predictions straight to their route.

    Finding a route among all, and what FastAPI wraps around each, costs a fifth of the time
    that a prediction takes.
    """

    def __init__(self, app: ASGIApp, handlers: Mapping[Any, Any]) -> None:
        """Wrap an application; `handlers` are what it answers errors with, by their class."""
        self._app, self._handlers = app, dict(handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or take it to the route."""
        found, matched = ROUTE.matches(scope)
        if found is not Match.FULL:
            await self._app(scope, receive, send)
            return
        scope.update(matched)
        scope["starlette.exception_handlers"] = (self._handlers, {})
        await ROUTE.app(scope, receive, send)


def _own_deployment(request: Request) -> str:
    caller = request.state.caller
    if not isinstance(caller, DeploymentCaller):
        raise AuthenticationError(
            "The monitoring service takes a deployment's own token.",
            "Log in first: POST /api/auth/login.",
        )
    if caller.deployment_id != request.path_params["deployment_id"]:
        raise ForbiddenError("This token is another deployment's.", "Log in to this one.")
    return caller.deployment_id


async def _read(raw: bytes) -> NewPrediction:
    return _body(raw)


async def _read_elsewhere(raw: bytes) -> NewPrediction:
    return await run_in_threadpool(_body, raw)


def _body(raw: bytes) -> NewPrediction:
    try:
        body = NewPrediction.model_validate_json(raw)
    except ValidationError as error:
        problems = [{**item, "loc": ("body", *item["loc"])} for item in error.errors()]
        raise RequestValidationError(problems) from error
    if body.sample is False and body.cloud_image is None:
        check_image(body)
    return body
