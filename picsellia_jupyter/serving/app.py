"""The front's routes: health, control, and those the Picsellia SDK calls."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    ConflictError,
    DeadlineError,
    InvalidInputError,
    InvalidPredictionError,
    NotFoundError,
    NotServingError,
    PicselliaJupyterError,
    PlatformError,
    ServingError,
)
from picsellia_jupyter.serving import upload
from picsellia_jupyter.serving.auth import Gatekeeper, Guard
from picsellia_jupyter.serving.room import QueueFullError
from picsellia_jupyter.serving.service import Service
from picsellia_jupyter.serving.upload import TooLargeError
from picsellia_jupyter.wire import resources

_MAX_JSON = 64 * 1024
_MAX_FLUSH_S = 300.0
# The first class that fits decides. The SDK asks again after 503, but not after 500.
_STATUS: tuple[tuple[type[PicselliaJupyterError], int], ...] = (
    (TooLargeError, 413),
    (InvalidPredictionError, 500),
    (InvalidInputError, 400),
    (NotFoundError, 404),
    (ConflictError, 409),
    (AuthenticationError, 401),
    (PlatformError, 502),
    (QueueFullError, 429),
    (DeadlineError, 504),
    (NotServingError, 503),
    (ServingError, 500),
)

_log = logging.getLogger(__name__)


def build(
    service: Service, keeper: Gatekeeper, address: str, on_stopped: Callable[[], None]
) -> Guard:
    """The front as an ASGI app.

    Args:
        service: what it serves.
        keeper: knows the tokens.
        address: its own, `http://127.0.0.1:PORT`.
        on_stopped: called after the reply to a stop was sent.
    """
    routes = _Routes(service, keeper, on_stopped)
    app = Starlette(
        routes=[
            Route("/health/live", routes.live),
            Route("/health/ready", routes.ready),
            Route("/control/status", routes.status),
            Route("/control/attach", routes.attach, methods=["POST"]),
            Route("/control/flush", routes.flush, methods=["POST"]),
            Route("/control/stop", routes.stop, methods=["POST"]),
            Route("/api/login", routes.login, methods=["POST"]),
            Route("/api/deployments/{deployment_id}/predict", routes.predict, methods=["POST"]),
            # Ours: a notebook that found the deployment again has no control token.
            Route("/api/deployments/{deployment_id}/flush", routes.flush, methods=["POST"]),
            Route("/api/deployments/{deployment_id}/stop", routes.stop, methods=["POST"]),
        ],
        exception_handlers={
            PicselliaJupyterError: _tell,
            HTTPException: _tell_http,
            Exception: _tell_unexpected,
        },
    )
    return Guard(app, keeper, address)


class _Routes:
    def __init__(
        self, service: Service, keeper: Gatekeeper, on_stopped: Callable[[], None]
    ) -> None:
        self._service = service
        self._keeper = keeper
        self._on_stopped = on_stopped

    async def live(self, _request: Request) -> JSONResponse:
        return JSONResponse({"live": True})

    async def ready(self, _request: Request) -> JSONResponse:
        state = self._service.status.state
        return JSONResponse({"state": state.value}, 200 if state is ServingState.READY else 503)

    async def status(self, _request: Request) -> JSONResponse:
        return JSONResponse(self._service.report())

    async def attach(self, request: Request) -> JSONResponse:
        deployment_id = _text(await _json(request), "deployment_id")
        await run_in_threadpool(self._service.attach, deployment_id)
        return JSONResponse({})

    async def flush(self, request: Request) -> JSONResponse:
        self._check_own(request)
        timeout_s = (await _json(request)).get("timeout_s", 10.0)
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float):
            raise InvalidInputError(f"timeout_s is {timeout_s!r}.", "Send a number of seconds.")
        within_s = min(max(float(timeout_s), 0.0), _MAX_FLUSH_S)
        await run_in_threadpool(self._service.flush, within_s)
        return JSONResponse(self._service.backlog())

    async def stop(self, request: Request) -> JSONResponse:
        """Answers when all is recorded or given up, which takes 135 s at most."""
        self._check_own(request)
        outcome = await run_in_threadpool(self._service.stop)
        told = dataclasses.asdict(outcome)
        return JSONResponse(told, background=BackgroundTask(self._on_stopped))

    async def login(self, request: Request) -> JSONResponse:
        body = await _json(request)
        deployment_id = _text(body, "deployment_id")
        token, expires = await self._keeper.login(_text(body, "api_token"), deployment_id)
        self._service.check_serves(deployment_id)
        return JSONResponse({"jwt": token, "expires": expires})

    async def predict(self, request: Request) -> JSONResponse:
        self._check_own(request)
        self._service.check_serves(request.path_params["deployment_id"])
        return JSONResponse(await self._service.predict(await upload.read(request)))

    def _check_own(self, request: Request) -> None:
        """Refuse a token for another deployment; the control routes have none in their path."""
        deployment_id = request.path_params.get("deployment_id")
        if deployment_id is None:
            return
        if request.state.deployment_id != deployment_id:
            raise AuthenticationError("The token is for another deployment.", "Log in again.")
        self._service.check_is_of(deployment_id)


async def _json(request: Request) -> dict[str, Any]:
    """The body as an object, whatever its content type: the SDK's login sends none."""
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > _MAX_JSON:
            raise InvalidInputError("The body is too long.", f"Send at most {_MAX_JSON} bytes.")
    try:
        value = json.loads(bytes(text) or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInputError("The body is no JSON object.", "Send one, such as {}.")
    return value


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{key} is missing or no text.", f'Send {{"{key}": "…"}}.')
    return value


async def _tell(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, PicselliaJupyterError):
        raise error
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    retry_after = max(1, math.ceil(getattr(error, "retry_after_s", 1.0)))
    headers = {"Retry-After": str(retry_after)} if status in (429, 503) else None
    return JSONResponse(resources.error_to_json(error), status, headers)


async def _tell_http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    body = {"message": error.detail, "detail": None, "error": "HTTPException"}
    return JSONResponse(body, error.status_code, error.headers)


async def _tell_unexpected(_request: Request, error: Exception) -> JSONResponse:
    _log.error("A request failed", exc_info=error)
    told = ServingError("The serving kernel made a mistake.", "Its log says which.")
    return JSONResponse(resources.error_to_json(told), 500)
