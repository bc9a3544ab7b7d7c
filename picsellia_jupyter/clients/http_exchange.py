"""One HTTP request, and its reply, as they come.

Tornado's HTTP client sends a whole body before it reads a byte of the reply, and does not wait
for whoever takes it; so this speaks over the connection itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine
from tornado.iostream import IOStream, StreamClosedError
from tornado.tcpclient import TCPClient
from typing_extensions import override

CONNECT_S = 5.0
SILENCE_S = 600.0
"""A front that says and takes nothing for so long hangs; it answers an image within 60 s."""
MAX_BODY_BYTES = 4 * 1024**3
"""What a body may have is the front's affair."""
_BUFFER_BYTES = 1024 * 1024
_CHUNK_BYTES = 256 * 1024
LOOPBACK = "127.0.0.1"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who is asked."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    """How its certificate is checked; None where it speaks no TLS."""

    @classmethod
    def of(cls, url: str, tls: ssl.SSLContext | None) -> Origin:
        """That of an http(s) address."""
        parts = urlsplit(url)
        default = 443 if parts.scheme == "https" else 80
        return cls(parts.hostname or "", parts.port or default, tls)

    @property
    def name(self) -> str:
        """`HOST:PORT`, as the header Host says it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Taker(Protocol):
    """Takes the reply; it is waited for, so that nothing piles up."""

    async def begin(self, status: int, headers: HTTPHeaders) -> None:
        """Take the reply's head."""

    async def take(self, chunk: bytes) -> None:
        """Take some of its body."""


class HttpExchange(HTTPMessageDelegate):
    """A request that is being sent while its reply is read."""

    def __init__(self, stream: IOStream, taker: Taker) -> None:
        self._taker = taker
        limits = HTTP1ConnectionParameters(
            no_keep_alive=True, chunk_size=_CHUNK_BYTES, max_body_size=MAX_BODY_BYTES
        )
        self._connection = HTTP1Connection(stream, is_client=True, params=limits)
        self.complete = False
        """Whether the whole reply was read."""
        self._told, self._refused = asyncio.Event(), False
        self._clock = asyncio.get_running_loop().time
        self._heard = self._clock()
        self._reading: asyncio.Future[bool] = asyncio.ensure_future(self._read())
        self._watching = asyncio.ensure_future(self._watch())

    @classmethod
    async def open(
        cls, at: Origin, line: tuple[str, str], headers: Headers, taker: Taker
    ) -> HttpExchange:
        """Connect and send a request's head.

        Args:
            at: who is asked.
            line: the method and the target.
            headers: but for Host, which is the origin's.
            taker: of the reply.

        Raises:
            ConnectionRefusedError: nobody takes the connection.
            ssl.SSLError: its certificate is not trusted, or it speaks no TLS.
        """
        try:
            stream = await asyncio.wait_for(_connected(at), CONNECT_S)
        except ssl.SSLError:
            raise
        except (OSError, asyncio.TimeoutError) as error:
            raise ConnectionRefusedError(f"Nobody answers at port {at.port}.") from error
        stream.set_nodelay(True)
        exchange = cls(stream, taker)
        # Not "Connection: close": a front that answers early would reset the connection under its
        # own reply, where it would read on otherwise.
        exchange._begin(line, (("host", at.name), *headers))
        return exchange

    async def admitted(self, within_s: float) -> bool:
        """Wait for what a request with `Expect: 100-continue` is told before its body is sent.

        Returns:
            Whether the body is wanted; also where nothing is said in time, as with a server that
            does not know of this.
        """
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._told.wait(), within_s)
        return not self._refused

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

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self._reading.done()

    def when_done(self, then: Callable[[], object]) -> None:
        """Call a function once the exchange has ended, however it did."""
        self._reading.add_done_callback(lambda _: then())

    def cancel(self) -> None:
        """Break it off; the front sees its client go."""
        self._connection.close()

    @override
    async def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self._heard = self._clock()
        self._refused = self._refused or (start_line.code >= 200 and not self._told.is_set())
        if start_line.code == 100 or start_line.code >= 200:
            self._told.set()
        if start_line.code >= 200:
            await self._taker.begin(start_line.code, headers)

    @override
    async def data_received(self, chunk: bytes) -> None:
        self._heard = self._clock()
        await self._taker.take(chunk)

    @override
    def finish(self) -> None:
        self.complete = True
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
            self._refused = self._refused or not self._told.is_set()
            self._told.set()
        return self.complete

    async def _watch(self) -> None:
        """Break off what has stood still for too long."""
        while (left := self._heard + SILENCE_S - self._clock()) > 0:
            done, _ = await asyncio.wait({self._reading}, timeout=left)
            if done:
                return
        self.cancel()


async def _connected(at: Origin) -> IOStream:
    if at.host != LOOPBACK or at.tls is not None:
        return await TCPClient().connect(
            at.host, at.port, ssl_options=at.tls, max_buffer_size=_BUFFER_BYTES
        )
    stream = IOStream(
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP),
        max_buffer_size=_BUFFER_BYTES,
        read_chunk_size=_CHUNK_BYTES,
    )
    try:
        connecting: Any = stream.connect((at.host, at.port))
        await connecting
    except BaseException:
        stream.close()
        raise
    return stream
