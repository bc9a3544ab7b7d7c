"""Uvicorn on a socket of our own, stopped cleanly."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.protocol import SdkProtocol

GRACE_S = 5
"""Seconds that requests in flight get at the end."""
_IDLE_CHECK_S = 0.25

logger = logging.getLogger(__name__)


def listening_socket(port: int, preferred: int) -> socket.socket:
    """A loopback socket that listens.

    Args:
        port: the one to take; 0 means any.
        preferred: tried first where any will do, so that addresses known from an earlier run
            stay good.

    Raises:
        ConflictError: the port is taken.
    """
    for candidate in [port] if port else [preferred, 0]:
        # asyncio sets TCP_NODELAY only on sockets that say they are TCP; without it every
        # reply waits 40 ms (https://github.com/Kludex/uvicorn/issues/3149).
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            continue
        listener.listen(256)
        return listener
    raise ConflictError(
        f"Port {port} is taken by another program.", "Choose another one, or 0 for any free port."
    )


def run(
    app: FastAPI,
    listener: socket.socket,
    platform: Platform,
    answering: Callable[[], None],
    *,
    idle_exit_s: float | None = None,
) -> None:
    """Serve until a signal or the idle time ends it.

    Args:
        app: what to serve.
        listener: a listening socket.
        platform: knows when the last request came.
        answering: called once, as soon as requests are answered.
        idle_exit_s: seconds without a request after which to stop; None never does.
    """
    config = uvicorn.Config(
        app,
        http=SdkProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = uvicorn.Server(config)
    _end_on_signals(server)
    asyncio.run(_serve(server, listener, platform, answering, idle_exit_s))


def _end_on_signals(server: uvicorn.Server) -> None:
    # Uvicorn raises the signal again when it is done; this makes that harmless, so that the
    # clean-up after it still happens.
    def end(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


async def _serve(
    server: uvicorn.Server,
    listener: socket.socket,
    platform: Platform,
    answering: Callable[[], None],
    idle_exit_s: float | None,
) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.005)
    if not serving.done():
        answering()
        platform.last_request_at = platform.clock()
        watching = asyncio.create_task(_watch_idleness(server, platform, idle_exit_s))
        await _finish(serving, watching)
    await serving


async def _finish(serving: asyncio.Task[Any], watching: asyncio.Task[Any]) -> None:
    try:
        await asyncio.wait([serving])
    finally:
        watching.cancel()


async def _watch_idleness(
    server: uvicorn.Server, platform: Platform, idle_exit_s: float | None
) -> None:
    if idle_exit_s is None:
        return
    while platform.clock() - platform.last_request_at < idle_exit_s:  # noqa: ASYNC110
        await asyncio.sleep(_IDLE_CHECK_S)
    logger.info("No request for %g s; stopping.", idle_exit_s)
    server.should_exit = True
