"""Large bodies on their way through the proxy of a kernel's Jupyter server, where it has one."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders

from picsellia_jupyter.clients.door import Door
from picsellia_jupyter.clients.http_exchange import HttpExchange
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.clients.labserver import proxied_front
from picsellia_jupyter.domain.errors import NotServingError
from picsellia_jupyter.launch.exchange import Asked
from picsellia_jupyter.wire import tunnel

FROM_BYTES = 4 * 1024 * 1024
"""A body over this goes through the proxy: base64 in messages costs a third more."""
_LOOK_AGAIN_S = 60.0
"""A server that has no proxy to the kernel may have one later."""
_ADMIT_S = 3.0
_READ_AHEAD = 8
"""Pieces of a reply, of at most 256 KiB, that wait to be taken."""


class Proxy:
    """The way through our extension of the kernel's Jupyter server. Lives in one event loop."""

    def __init__(self, server: JupyterServer, kernel_id: str, tls: ssl.SSLContext | None) -> None:
        """Look for nothing yet.

        Args:
            server: owns the kernel.
            kernel_id: of the serving kernel.
            tls: how to check the server's certificate; as the system does by default.
        """
        self._tls = tls
        self.carried = 0
        """Requests that went this way."""
        self.lead_to(server, kernel_id)

    def lead_to(self, server: JupyterServer, kernel_id: str) -> None:
        """Lead to this kernel, or with this token, from now on."""
        self._target = (server, kernel_id)
        self._door = Door(server, kernel_id, self._tls)
        self._absent_until = 0.0
        self._is_there = False

    @property
    def may_be_there(self) -> bool:
        """Whether it makes sense to try."""
        return time.monotonic() >= self._absent_until

    async def open(self, asked: Asked) -> ProxiedExchange | None:
        """Begin a request.

        Returns:
            None where the server has no proxy to the kernel, or does not let us through it now.
            Nothing of the body was sent then.
        """
        if not await self._look():
            return None
        try:
            exchange = await ProxiedExchange.open(self._door, self._with_tokens(asked))
        except OSError:
            return None
        if await exchange.http.admitted(_ADMIT_S):
            self.carried += 1
            return exchange
        exchange.close()
        self._is_there = False
        return None

    async def _look(self) -> bool:
        """Whether there is one; asked once, and again after a refusal."""
        if not self._is_there and self.may_be_there:
            found = await self._door.is_proxied()
            self._is_there = found is True
            if found is False:
                self._absent_until = time.monotonic() + _LOOK_AGAIN_S
        return self._is_there

    def _with_tokens(self, asked: Asked) -> Asked:
        given = dict(asked.headers).get("authorization", "")
        front = proxied_front(*self._target, given.partition(" ")[2])
        kept = tuple(pair for pair in asked.headers if pair[0] != "authorization")
        # What is refused is refused before the body: it can still go another way.
        headers = (*kept, *front.headers.items(), ("Expect", "100-continue"))
        return Asked(asked.method, urlsplit(front.url).path + asked.target, headers)


class ProxiedExchange:
    """A request and its reply; as `launch.exchange.Exchange`."""

    http: HttpExchange

    def __init__(self) -> None:
        self._pieces: deque[tunnel.Head | tunnel.Body] = deque()
        self._closed = False
        self._changed = asyncio.Event()

    @classmethod
    async def open(cls, door: Door, asked: Asked) -> ProxiedExchange:
        """Connect to a server and say what is asked.

        Raises:
            OSError: it does not answer, or its certificate is not trusted.
        """
        exchange = cls()
        line = (asked.method, asked.target)
        exchange.http = await HttpExchange.open(door.origin, line, asked.headers, exchange)
        exchange.http.when_done(exchange._changed.set)
        return exchange

    async def feed(self, body: bytes, *, more: bool) -> None:
        """Send the next piece of the request's body, once there is room for it."""
        if body:
            await self.http.send(body)
        if not more:
            await self.http.finish_sending()

    async def reply(self) -> tunnel.Head | tunnel.Body:
        """The next piece of the reply.

        Raises:
            NotServingError: there will be none.
        """
        while not self._pieces:
            if self.http.complete:
                return tunnel.Body("", "", 0, b"", more=False)
            if self.http.is_over:
                fact = "The connection through the kernel's Jupyter server broke."
                raise NotServingError(fact, "Ask again.")
            await self._change()
        self._changed.set()
        return self._pieces.popleft()

    def close(self) -> None:
        """Break off what is under way."""
        self._closed = True
        self._changed.set()
        self.http.cancel()

    # What the exchange tells ---------------------------------------------------------------

    async def begin(self, status: int, headers: HTTPHeaders) -> None:
        """Take the reply's head."""
        kept = tunnel.end_to_end(headers.get_all())
        await self._add(tunnel.Head("", "", status, kept, b"", more=True))

    async def take(self, chunk: bytes) -> None:
        """Take some of its body."""
        await self._add(tunnel.Body("", "", 0, chunk, more=True))

    async def _add(self, piece: tunnel.Head | tunnel.Body) -> None:
        while len(self._pieces) >= _READ_AHEAD and not self._closed:
            await self._change()
        self._pieces.append(piece)
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
