"""What the front answers where it cannot do what it was asked."""

from __future__ import annotations

import logging
import math

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

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
    QuotaSpentError,
    ServingError,
)
from picsellia_jupyter.recording.outbox import NotDurableError
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving.upload import TooLargeError
from picsellia_jupyter.wire import resources
from picsellia_jupyter.wire.predictions import Json

# The first class that fits decides. The SDK asks again after 503, but not after 500.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (TooLargeError, 413),
    (InvalidPredictionError, 500),
    (InvalidInputError, 400),
    (NotFoundError, 404),
    (ConflictError, 409),
    (AuthenticationError, 401),
    (QuotaSpentError, 402),
    (PlatformError, 502),
    (QueueFullError, 429),
    (NotDurableError, 507),
    (DeadlineError, 504),
    (NotServingError, 503),
    (ServingError, 500),
)
_RETRY_AFTER_S = 1.0

_log = logging.getLogger(__name__)


def status_of(error: Exception) -> int:
    """The HTTP status that tells of an error."""
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 500)


def body_of(error: Exception) -> Json:
    """The JSON that tells of an error; one that nobody foresaw is told in the log alone."""
    if not isinstance(error, PicselliaJupyterError):
        _log.error("A request failed", exc_info=error)
        error = ServingError("The serving kernel made a mistake.", "Its log says which.")
    return resources.error_to_json(error)


def answer(error: Exception) -> JSONResponse:
    """The reply to a request that failed."""
    return JSONResponse(body_of(error), status_of(error), headers_of(error))


def headers_of(error: Exception) -> dict[str, str] | None:
    """What a reply to it has beside the body: when to ask again, where that may go well."""
    if status_of(error) not in (429, 503):
        return None
    return {"Retry-After": str(retry_after_s(error))}


def retry_after_s(error: Exception) -> int:
    """Whole seconds after which asking again may go well."""
    return max(1, math.ceil(getattr(error, "retry_after_s", _RETRY_AFTER_S)))


async def tell(_request: Request, error: Exception) -> JSONResponse:
    """Answer an error of a route."""
    return answer(error)


async def gone(_request: Request, _error: Exception) -> JSONResponse:
    """Nothing is amiss where a client went away in the middle of its body; nobody reads this."""
    return JSONResponse({}, 400)


async def tell_http(_request: Request, error: Exception) -> JSONResponse:
    """Answer an error of Starlette's own, such as an unknown path."""
    if not isinstance(error, HTTPException):
        raise error
    body = {"message": error.detail, "detail": None, "error": "HTTPException"}
    return JSONResponse(body, error.status_code, error.headers)
