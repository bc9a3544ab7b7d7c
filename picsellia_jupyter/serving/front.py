"""Runs the front's ASGI app in a thread of the kernel, on a loopback port."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any

HOST = "127.0.0.1"
_LOOP_S = 10.0


def listen() -> socket.socket:
    """A listening socket on a free loopback port.

    It is made with IPPROTO_TCP: asyncio turns Nagle's algorithm off only where it sees that,
    and each reply takes 40 ms more with it on.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind((HOST, 0))
    listener.listen(256)
    return listener


def address_of(listener: socket.socket) -> str:
    """`http://127.0.0.1:PORT`."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


class Front:
    """An HTTP server in its own thread, with its own event loop."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        import uvicorn

        from picsellia_jupyter.serving.writes import GatheringProtocol

        config = uvicorn.Config(
            app,
            # The SDK's own method XGET, which it refuses, is never sent to a serving service.
            http=GatheringProtocol,
            ws="none",
            proxy_headers=False,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, name="serving front", daemon=True)

    def start(self) -> None:
        """Begin to answer; connections that came earlier wait in the socket."""
        self._thread.start()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that it answers in; waited for where it has just been started."""
        return self._loop.result(_LOOP_S)

    def stop(self) -> None:
        """Answer what is under way, then end; does not wait for it."""
        self._server.should_exit = True

    def join(self, timeout_s: float) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        with self._listener:
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop.set_result(asyncio.get_running_loop())
        await self._server.serve(sockets=[self._listener])
