"""How the platform says no: each kind of error with its HTTP status, always as an object."""

from __future__ import annotations

import errno
import logging

import sqlalchemy.exc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    ConflictError,
    InvalidInputError,
    MissingExtraError,
    NotFoundError,
    PicselliaJupyterError,
    QuotaSpentError,
)
from picsellia_jupyter.wire.predictions import Json

logger = logging.getLogger(__name__)
_SECRET = {"api_token", "options"}
"""Fields whose values no reply repeats."""


class UnknownIdError(NotFoundError):
    """Nothing of this kind has that id."""

    def __init__(self, kind: str, ident: str) -> None:
        super().__init__(
            f"There is no {kind} with the id {ident}.",
            "It may have been deleted; list what there is and take one of those.",
        )


class ForbiddenError(AuthenticationError):
    """The caller is known, or needs not be, and still may not do this."""


class NotDurableError(PicselliaJupyterError):
    """The disk or the database could not keep a change; nothing of it was stored."""

    @classmethod
    def because(cls, error: BaseException) -> NotDurableError:
        """The refusal for what a disk or a database said."""
        said = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
        made = cls(
            f"The local platform could not store this ({str(said).strip()}).",
            "Nothing of it was kept. Make room on its disk, or start its database, then try again.",
        )
        made.__cause__ = error
        return made


def is_storage_failure(error: BaseException) -> bool:
    """Whether this says that a disk or a database does not work, rather than that we do not."""
    if isinstance(error, OSError):
        return error.errno in _DISK_ERRORS
    if not isinstance(error, sqlalchemy.exc.DBAPIError):
        return False
    return error.connection_invalidated or any(text in str(error.orig) for text in _DATABASE_SAYS)


_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
_DATABASE_SAYS = (
    "database or disk is full", "disk I/O error", "readonly database", "unable to open database",
    "No space left on device", "could not write", "connection failed", "the database system is",
)  # fmt: skip


class BucketError(PicselliaJupyterError):
    """A bucket could not do what was asked; it may the next time."""


STATUS_OF: tuple[tuple[type[PicselliaJupyterError], int], ...] = (
    (ForbiddenError, 403),
    (AuthenticationError, 401),
    (QuotaSpentError, 402),
    (NotFoundError, 404),
    (ConflictError, 409),
    (InvalidInputError, 400),
    (MissingExtraError, 400),
    (BucketError, 503),
    (NotDurableError, 507),
)


def refusal(status: int, message: str, detail: str = "") -> JSONResponse:
    """An error reply in the form the SDK reads.

    The SDK puts a full stop and the detail after the message, so the message ends without one.
    """
    body = {"message": message.removesuffix("."), "detail": detail or None}
    return JSONResponse(body, status_code=status)


def install(app: FastAPI) -> None:
    """Answer every error of this app as `{message, detail}`."""
    app.add_exception_handler(PicselliaJupyterError, _ours)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(sqlalchemy.exc.DBAPIError, _stored)
    app.add_exception_handler(OSError, _stored)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PicselliaJupyterError)  # noqa: S101 - for the type checker
    status = next((code for kind, code in STATUS_OF if isinstance(error, kind)), 500)
    return refusal(status, error.fact, error.remedy)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    problems = [_problem(item) for item in error.errors()[:10]]
    return refusal(422, problems[0], " ".join(problems[1:]))


async def _gone(request: Request, _error: Exception) -> JSONResponse:
    """Its sender went away before the body was whole: nothing of ours is wrong."""
    logger.info("%s %s: the client went away.", request.method, request.url.path)
    return refusal(400, "The body is not whole.")


def _problem(item: Json) -> str:
    place = ".".join(str(part) for part in item["loc"] if part not in ("body", "query", "path"))
    if item["type"] == "missing":
        # What was given instead is the whole body, and may hold a token.
        return f"{place or 'The body'} is missing."
    if _SECRET & set(item["loc"]):
        return f"{place}: {item['msg']}."
    given = repr(item.get("input"))
    shown = f"{given[:57]}…" if len(given) > 60 else given
    return f"{place or 'The body'}: {item['msg']}; got {shown}."


async def _routing(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    here = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        return refusal(
            404, f"The local platform has no {here}.", "It speaks a part of Picsellia's API."
        )
    if error.status_code == 405:
        return refusal(405, f"{here} takes another method.")
    return refusal(error.status_code, str(error.detail))


async def _stored(request: Request, error: Exception) -> JSONResponse:
    if is_storage_failure(error):
        logger.error("%s %s: %s", request.method, request.url.path, error)
        return await _ours(request, NotDurableError.because(error))
    if isinstance(error, sqlalchemy.exc.DataError):
        return refusal(400, "The database takes no such value", "It may be too large.")
    return await _unforeseen(request, error)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return refusal(
        500,
        f"The local platform failed at {request.method} {request.url.path} "
        f"({type(error).__name__}).",
        "Its log has the details; please report them.",
    )
