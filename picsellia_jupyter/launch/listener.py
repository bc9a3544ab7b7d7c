"""The loopback HTTP server at the notebook's end of a tunnel."""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError
from typing_extensions import override

from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    DeadlineError,
    InvalidInputError,
    NotServingError,
    PicselliaJupyterError,
)
from picsellia_jupyter.launch.exchange import Asked, Exchange
from picsellia_jupyter.launch.link import Link
from picsellia_jupyter.launch.proxied import FROM_BYTES, ProxiedExchange, Proxy
from picsellia_jupyter.wire import resources, tunnel

HOST = "127.0.0.1"
_MAX_BODY_BYTES = 4 * 1024**3
"""What a body may have is the front's affair."""
_LAST_WORDS_S = 1.0
_GATHER_S = 0.2
"""So long a body of unknown length is collected to see whether it is a large one."""
_WITH_BODY = ("POST", "PUT", "PATCH")
_NOT_CARRIED = ("host", "origin", "cookie")
"""A browser sends the cookies of every service on this machine."""
_STATUS: tuple[tuple[type[PicselliaJupyterError], int], ...] = (
    (AuthenticationError, 403),
    (InvalidInputError, 400),
    (DeadlineError, 504),
    (NotServingError, 503),
    (PicselliaJupyterError, 500),
)


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; any free port where `port` is 0.

    It is made with IPPROTO_TCP and TCP_NODELAY: a reply in two packets takes 40 ms otherwise.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    listener.listen(256)
    return listener


class Listener(HTTPServerConnectionDelegate):
    """Answers HTTP requests by carrying them over a link, or a large one through the proxy."""

    def __init__(self, link: Link, proxy: Proxy, listening: socket.socket) -> None:
        self._link, self._proxy = link, proxy
        port = listening.getsockname()[1]
        self._hosts = (f"{HOST}:{port}", f"localhost:{port}")
        self._server = HTTPServer(
            self, chunk_size=256 * 1024, max_body_size=_MAX_BODY_BYTES, max_buffer_size=1024 * 1024
        )
        self._server.add_socket(listening)
        self._running: set[asyncio.Future[None]] = set()

    async def close(self) -> None:
        """Take no more requests, answer those that were ended, and close all connections."""
        self._server.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=_LAST_WORDS_S)
        await self._server.close_all_connections()

    @override
    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        return _Request((self._link, self._proxy), self._hosts, request_conn, self._running)


class _Upload:
    """A request's body between the connection that it comes from and the link."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ended = False
        self._dropped = False
        self._enough = 2 * tunnel.PIECE_BYTES
        self._changed = asyncio.Event()

    async def exceeds(self, size: int, within_s: float) -> bool:
        """Collect some of it; whether there are more bytes than that."""
        usual, self._enough = self._enough, size
        try:
            self._changed.set()
            await asyncio.wait_for(self._collect(size), within_s)
        except asyncio.TimeoutError:
            pass
        finally:
            self._enough = usual
        return len(self._buffer) > size

    async def _collect(self, size: int) -> None:
        while len(self._buffer) <= size and not self._ended and not self._dropped:
            await self._change()

    async def add(self, chunk: bytes) -> None:
        """Take a chunk; waits while there is enough."""
        while len(self._buffer) > self._enough and not self._dropped:
            await self._change()
        if not self._dropped:
            self._buffer += chunk
            self._changed.set()

    def end(self) -> None:
        """Note that this was all."""
        self._ended = True
        self._changed.set()

    def drop(self) -> None:
        """Take the rest, but keep nothing: it was answered."""
        self._dropped = True
        self._buffer.clear()
        self._changed.set()

    async def next(self) -> tuple[bytes, bool]:
        """A piece, and whether there is more."""
        while not self._ended and len(self._buffer) < tunnel.PIECE_BYTES:
            await self._change()
        piece = bytes(self._buffer[: tunnel.PIECE_BYTES])
        del self._buffer[: tunnel.PIECE_BYTES]
        self._changed.set()
        return piece, bool(self._buffer) or not self._ended

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


class _Request(HTTPMessageDelegate):
    """One request of a client, and its reply."""

    def __init__(
        self,
        ways: tuple[Link, Proxy],
        hosts: tuple[str, ...],
        connection: Any,
        running: set[asyncio.Future[None]],
    ) -> None:
        self._link, self._proxy = ways
        self._running = running
        self._hosts = hosts
        self._connection = connection
        self._upload = _Upload()
        self._task: asyncio.Task[None] | None = None

    @override
    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self._connection.set_close_callback(self.on_connection_close)
        error = self._refusal(start_line, headers)
        if error is not None:
            self._task = asyncio.ensure_future(self._tell(error))
            return
        carried = tunnel.end_to_end(headers.get_all(), without=_NOT_CARRIED)
        asked = Asked(start_line.method, start_line.path, carried)
        self._task = asyncio.ensure_future(self._carry(asked))
        self._running.add(self._task)
        self._task.add_done_callback(self._running.discard)

    @override
    async def data_received(self, chunk: bytes) -> None:
        await self._upload.add(chunk)

    @override
    def finish(self) -> None:
        self._upload.end()

    @override
    def on_connection_close(self) -> None:
        self._upload.drop()
        if self._task is not None:
            self._task.cancel()

    def _refusal(
        self, start_line: RequestStartLine, headers: HTTPHeaders
    ) -> PicselliaJupyterError | None:
        """Why no web page or misled client is let through; tokens are the front's affair."""
        hosts = headers.get_list("Host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            fact = "The Host header is not this server's."
            return AuthenticationError(fact, f"Ask it as http://{self._hosts[0]}.")
        own = [f"http://{host}" for host in self._hosts]
        if any(origin not in own for origin in headers.get_list("Origin")):
            return AuthenticationError("Web pages may not ask this server.", "Use the SDK.")
        if not start_line.path.startswith("/"):
            return InvalidInputError(f"{start_line.path!r} is no path.", "Begin it with /.")
        return None

    async def _carry(self, asked: Asked) -> None:
        try:
            async with self._exchange(asked) as exchange:
                feeding = asyncio.ensure_future(self._feed(exchange))
                try:
                    await self._answer(exchange)
                finally:
                    feeding.cancel()
        except PicselliaJupyterError as error:
            await self._tell(error)
        except (StreamClosedError, ValueError, OSError):
            self._break_off()
        finally:
            self._upload.drop()

    @contextlib.asynccontextmanager
    async def _exchange(self, asked: Asked) -> AsyncIterator[Exchange | ProxiedExchange]:
        """The way that suits the body: the link, or for a large one the proxy if there is one."""
        proxied = await self._proxy.open(asked) if await self._is_large(asked) else None
        if proxied is None:
            async with self._link.exchange(asked) as exchange:
                yield exchange
            return
        with contextlib.closing(proxied):
            yield proxied

    async def _is_large(self, asked: Asked) -> bool:
        length = dict(asked.headers).get("content-length", "")
        if not self._proxy.may_be_there or asked.method not in _WITH_BODY:
            return False
        if length:
            return length.isdigit() and int(length) > FROM_BYTES
        return await self._upload.exceeds(FROM_BYTES, _GATHER_S)

    async def _feed(self, exchange: Exchange | ProxiedExchange) -> None:
        more = True
        while more:
            piece, more = await self._upload.next()
            await exchange.feed(piece, more=more)

    async def _answer(self, exchange: Exchange | ProxiedExchange) -> None:
        head = await exchange.reply()
        if not isinstance(head, tunnel.Head):
            raise NotServingError("The kernel's reply has no status.", "Ask again.")
        await self._write_head(head.status, list(head.headers), head.body)
        more = head.more
        while more:
            try:
                piece = await exchange.reply()
            except PicselliaJupyterError:
                # The status is sent; an end without a last chunk is all that can be told.
                self._break_off()
                return
            await self._connection.write(piece.body)
            more = piece.more
        self._connection.finish()

    async def _write_head(self, status: int, pairs: list[tuple[str, str]], body: bytes) -> None:
        headers = HTTPHeaders()
        for name, value in pairs:
            headers.add(name, value)
        try:
            reason = http.HTTPStatus(status).phrase
        except ValueError:
            reason = "Unknown"
        line = ResponseStartLine("HTTP/1.1", status, reason)
        await self._connection.write_headers(line, headers, body)

    async def _tell(self, error: PicselliaJupyterError) -> None:
        """Answer with an error, as the front does."""
        self._upload.drop()
        body = json.dumps(resources.error_to_json(error)).encode()
        status = _status_of(error)
        pairs = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        if status == 503:
            pairs.append(("Retry-After", "1"))
        try:
            await self._write_head(status, pairs, body)
            self._connection.finish()
        except (StreamClosedError, OSError):
            self._break_off()

    def _break_off(self) -> None:
        if self._connection.stream is not None:
            self._connection.stream.close()


def _status_of(error: PicselliaJupyterError) -> int:
    return next(status for kind, status in _STATUS if isinstance(error, kind))
