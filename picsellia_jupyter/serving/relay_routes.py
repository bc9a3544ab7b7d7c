"""Where a notebook fetches the requests that wait for it, and brings their replies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from picsellia_jupyter.domain.errors import InvalidInputError, NotServingError
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving import json_body, upload
from picsellia_jupyter.serving.exchanges import PIECE, Exchange, Head
from picsellia_jupyter.serving.relay import Relay

LONGEST_WAIT_S = 25.0
_LONGEST_NAME = 64
MOST_ASKING = 16
"""Notebooks, or their threads, that wait for a request at once."""


def routes(relay: Relay | None, check_own: Callable[[Request], None]) -> list[Route]:
    """The routes, for who has the control token and for who has one of the deployment.

    Args:
        relay: None where this kernel reaches its platform by itself; each route says so then.
        check_own: refuses the token of another deployment.
    """
    made = _Routes(relay, check_own)
    return [
        route
        for base in ("/control/relay", "/api/deployments/{deployment_id}/relay")
        for route in (
            Route(f"{base}/next", made.next),
            Route(f"{base}/{{exchange_id}}/body", made.body),
            Route(f"{base}/{{exchange_id}}/head", made.head, methods=["POST"]),
            Route(f"{base}/{{exchange_id}}", made.piece, methods=["POST"]),
        )
    ]


class _Routes:
    def __init__(self, relay: Relay | None, check_own: Callable[[Request], None]) -> None:
        self._own = relay
        self._check_own = check_own
        self._asking = 0

    async def next(self, request: Request) -> Response:
        """The next request, waited for; 204 where there is none."""
        relay, wait_s = self._relay(request), _number(request, "wait_s", 0.0)
        if self._asking >= MOST_ASKING:
            raise QueueFullError("Enough notebooks wait for requests.", "Ask again in a while.")
        self._asking += 1
        gone = threading.Event()
        watch = asyncio.create_task(_watch(request, gone, relay))
        try:
            within_s = min(wait_s, LONGEST_WAIT_S)
            by = request.query_params.get("by", "")[:_LONGEST_NAME]
            taken = await run_in_threadpool(relay.exchanges.take, within_s, gone, by)
        finally:
            watch.cancel()
            self._asking -= 1
        if taken is None:
            return Response(status_code=204)
        said = {
            "id": taken.id,
            "method": taken.method,
            "target": taken.target,
            "headers": taken.headers,
            "length": len(taken.body),
            "confirm": bool(taken.taken_by),
        }
        return JSONResponse(said)

    async def body(self, request: Request) -> Response:
        """A piece of a request's body, from `at` on; asking for it confirms the request."""
        at = int(_number(request, "at", 0))
        exchange = self._exchange(request)
        self._relay(request).exchanges.confirm(exchange)
        piece = exchange.body[at : at + PIECE]
        return Response(piece, media_type="application/octet-stream")

    async def head(self, request: Request) -> Response:
        """How the reply begins: status and headers, or the error there is instead."""
        exchange = self._exchange(request)
        said = await json_body.read(request.receive)
        if said.get("error"):
            exchange.fail(str(said["error"])[:200])
        else:
            exchange.begin(_head(said))
        return JSONResponse({})

    async def piece(self, request: Request) -> Response:
        """The next piece of the reply, `seq`; answered once there is room for one more."""
        exchange = self._exchange(request)
        seq, more = int(_number(request, "seq", 0)), bool(_number(request, "more", 0))
        body = await upload.body_of(request.receive, PIECE)
        await run_in_threadpool(exchange.give, seq, body, more=more)
        return JSONResponse({})

    def _exchange(self, request: Request) -> Exchange:
        return self._relay(request).exchanges.taken(request.path_params["exchange_id"])

    def _relay(self, request: Request) -> Relay:
        self._check_own(request)
        if self._own is None:
            raise NotServingError(
                "This kernel reaches its platform by itself.", "Leave the relay out."
            )
        return self._own


async def _watch(request: Request, gone: threading.Event, relay: Relay) -> None:
    """Notice that a notebook has gone, before it is given a request."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
    relay.exchanges.wake()


def _number(request: Request, name: str, default: float) -> float:
    said = request.query_params.get(name, default)
    try:
        value = float(said)
    except ValueError:
        value = -1.0
    if not 0 <= value < 2**40:
        raise InvalidInputError(f"{name} is {str(said)[:40]!r}.", "Send a number from 0 on.")
    return value


def _head(said: dict[str, Any]) -> Head:
    try:
        headers = tuple((str(name).lower(), str(value)) for name, value in said["headers"])
        status = int(said["status"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"The reply's head cannot be read ({error}).", "Send status and headers."
        ) from error
    if not 200 <= status <= 599 or any(set("\r\n\0") & set(n + v) for n, v in headers):
        raise InvalidInputError(f"The reply's head has status {status}.", "Send 200 to 599.")
    return Head(status, headers)
