"""One request to a front, and its reply, as they come.

Tornado's HTTP client sends a whole body before it reads a byte of the reply, and does not wait
for whoever takes it; so this speaks over the connection itself.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine
from tornado.iostream import IOStream, StreamClosedError
from typing_extensions import override

from picsellia_jupyter.labserver.passing import Headers

CONNECT_S = 5.0
SILENCE_S = 600.0
"""A front that says and takes nothing for so long hangs; it answers an image within 60 s."""
MAX_BODY_BYTES = 4 * 1024**3
"""What a body may have is the front's affair."""
_BUFFER_BYTES = 1024 * 1024
_CHUNK_BYTES = 256 * 1024


class Taker(Protocol):
    """Takes the reply; it is waited for, so that nothing piles up."""

    async def begin(self, status: int, headers: HTTPHeaders) -> None:
        """Take the reply's head."""

    async def take(self, chunk: bytes) -> None:
        """Take some of its body."""


class Exchange(HTTPMessageDelegate):
    """A request that is being sent to a front while its reply is read."""

    def __init__(self, stream: IOStream, taker: Taker) -> None:
        self._taker = taker
        limits = HTTP1ConnectionParameters(
            no_keep_alive=True, chunk_size=_CHUNK_BYTES, max_body_size=MAX_BODY_BYTES
        )
        self._connection = HTTP1Connection(stream, is_client=True, params=limits)
        self._complete = False
        self._clock = asyncio.get_running_loop().time
        self._heard = self._clock()
        self._reading: asyncio.Future[bool] = asyncio.ensure_future(self._read())
        self._watching = asyncio.ensure_future(self._watch())

    @classmethod
    async def open(
        cls, port: int, line: tuple[str, str], headers: Headers, taker: Taker
    ) -> Exchange:
        """Connect to a front and send it a request's head.

        Args:
            port: of the front, on loopback.
            line: the method and the target.
            headers: as the front is to see them.
            taker: of the reply.

        Raises:
            ConnectionRefusedError: nobody takes the connection.
        """
        stream = IOStream(
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP),
            max_buffer_size=_BUFFER_BYTES,
            read_chunk_size=_CHUNK_BYTES,
        )
        try:
            connecting: Any = stream.connect(("127.0.0.1", port))
            await asyncio.wait_for(connecting, CONNECT_S)
        except (OSError, asyncio.TimeoutError) as error:
            stream.close()
            raise ConnectionRefusedError(f"Nobody answers at port {port}.") from error
        stream.set_nodelay(True)
        exchange = cls(stream, taker)
        # Not "Connection: close": a front that answers early would reset the connection under its
        # own reply, where it would read on otherwise.
        exchange._begin(line, (("host", f"127.0.0.1:{port}"), *headers))
        return exchange

    async def send(self, chunk: bytes) -> None:
        """Send some of the body; what follows an early reply is dropped."""
        self._heard = self._clock()
        if not self._reading.done():
            sent: asyncio.Future[Any] = self._connection.write(chunk)
            await asyncio.wait({sent, self._reading}, return_when=asyncio.FIRST_COMPLETED)

    async def finish_sending(self) -> bool:
        """Say that this was the body, and wait for the end of the reply.

        Returns:
            Whether the reply is complete.
        """
        if not self._reading.done():
            self._connection.finish()
        return await self._reading

    def when_done(self, then: Callable[[], object]) -> None:
        """Call a function once the exchange has ended, however it did."""
        self._reading.add_done_callback(lambda _: then())

    def cancel(self) -> None:
        """Break it off; the front sees its client go."""
        self._connection.close()

    @override
    async def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self._heard = self._clock()
        if start_line.code >= 200:
            await self._taker.begin(start_line.code, headers)

    @override
    async def data_received(self, chunk: bytes) -> None:
        self._heard = self._clock()
        await self._taker.take(chunk)

    @override
    def finish(self) -> None:
        self._complete = True
        # A reply may come before all was sent; nobody would read the rest.
        self._connection.close()

    def _begin(self, line: tuple[str, str], headers: Headers) -> None:
        together = HTTPHeaders()
        for name, value in headers:
            together.add(name, value)
        self._connection.write_headers(RequestStartLine(*line, "HTTP/1.1"), together)

    async def _read(self) -> bool:
        try:
            await self._connection.read_response(self)
        except StreamClosedError:
            pass
        finally:
            self._connection.close()
        return self._complete

    async def _watch(self) -> None:
        """Break off what has stood still for too long."""
        while (left := self._heard + SILENCE_S - self._clock()) > 0:
            done, _ = await asyncio.wait({self._reading}, timeout=left)
            if done:
                return
        self.cancel()
