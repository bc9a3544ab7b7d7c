"""The proxy to this Jupyter server's serving kernels: `picsellia/serving/{kernel_id}/…`.

It leads to registered fronts alone: kernels of this very server that keep a lease. Who may ask
is decided before the first byte of a body is read.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timezone
from typing import Any

from tornado import web
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from typing_extensions import override

from picsellia_jupyter.clients.http_exchange import (
    LOOPBACK,
    MAX_BODY_BYTES,
    HttpExchange,
    Origin,
)
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    NotFoundError,
    NotServingError,
    PicselliaJupyterError,
)
from picsellia_jupyter.labserver import passing
from picsellia_jupyter.labserver.closed import ClosedHandler, error_of
from picsellia_jupyter.launch import leases

_STRANGERS_BYTES = 1024 * 1024
"""So much of a body is read of someone who is not let in, that the refusal may arrive."""

_Refusal = tuple[int, PicselliaJupyterError]


@web.stream_request_body
class FrontHandler(ClosedHandler):
    """Passes a request to the front of a serving kernel, and its reply back."""

    @override
    def initialize(self, slots: asyncio.Semaphore) -> None:
        """Prepare for a request.

        Args:
            slots: as many as there may be exchanges at once.
        """
        self._slots = slots
        self._exchange: HttpExchange | None = None
        self._refusal: _Refusal = (403, error_of(403))
        self._dropped, self._dropped_at_most = 0, _STRANGERS_BYTES
        self._begun = False
        self._kernel_id = ""

    @override
    async def prepare(self) -> None:
        try:
            await super().prepare()
            await self.let_in()
            self.request.connection.set_max_body_size(MAX_BODY_BYTES)
            # A piece must not wait until the client acknowledges the one before it.
            self.request.connection.stream.set_nodelay(True)
            self._dropped_at_most = MAX_BODY_BYTES
            await self._connect()
        except web.HTTPError as error:
            self._refusal = (error.status_code, error_of(error.status_code))
        except _RefusedError as error:
            self._refusal = (error.status, error.why)
        if self._exchange is None and "Expect" in self.request.headers:
            self.tell(*self._refusal)

    @override
    async def data_received(self, chunk: bytes) -> None:
        if self._exchange is not None:
            self._keep_alive()
            await self._exchange.send(chunk)
            return
        # An answer to someone who still sends might not arrive: the rest is read and dropped.
        self._dropped += len(chunk)
        if self._dropped > self._dropped_at_most and not self._finished:
            self.tell(*self._refusal)

    @override
    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._exchange is not None:
            self._exchange.cancel()

    @override
    def on_finish(self) -> None:
        if self._exchange is not None:
            self._exchange.cancel()

    async def _pass(self, *_path: str) -> None:
        whole = self._exchange is not None and await self._exchange.finish_sending()
        if whole and self._begun:
            self.finish()
        elif self._begun:
            # What was sent cannot be taken back, but must not look whole either.
            self._auto_finish = False
            self.request.connection.close()
        else:
            self.tell(*self._refusal)

    get = head = post = put = patch = delete = options = web.authenticated(_pass)

    async def begin(self, status: int, headers: HTTPHeaders) -> None:
        """Take the head of the front's reply."""
        self._keep_alive()
        trouble = _trouble(self.request.method, status, headers)
        if trouble is not None:
            self._refusal = (502, trouble)
            self._break_off()
            return
        self.set_status(status)
        self.clear_header("Content-Type")  # Tornado would say that it is HTML
        for name, value in passing.outward(headers.get_all()):
            self.add_header(name, value)
        self._begun = True
        await self._flush()

    async def take(self, chunk: bytes) -> None:
        """Take some of the front's reply."""
        self._keep_alive()
        if self._begun:
            self.write(chunk)
            await self._flush()

    async def _flush(self) -> None:
        try:
            await self.flush()
        except StreamClosedError:  # our client has gone
            self._break_off()

    def _break_off(self) -> None:
        if self._exchange is not None:
            self._exchange.cancel()

    async def _connect(self) -> None:
        """Begin the exchange with the kernel's front."""
        lease = self._lease()
        try:
            port = passing.port(lease.address)
        except InvalidInputError as error:
            raise _RefusedError(502, error) from error
        try:
            prefix = f"{self.base_url}picsellia/serving/{lease.kernel_id}"
            line = (self.request.method, passing.target(self.request.uri, prefix))
            headers = passing.inward(self.request.headers.get_all())
            _check_framing(self.request.method, self.request.headers)
        except InvalidInputError as error:
            raise _RefusedError(400, error) from error
        await self._slots.acquire()
        try:
            self._exchange = await HttpExchange.open(Origin(LOOPBACK, port), line, headers, self)
        except BaseException as error:
            self._slots.release()
            if isinstance(error, ConnectionRefusedError):
                raise _RefusedError(503, _starting()) from error
            raise
        self._exchange.when_done(self._slots.release)
        self._refusal = (502, _broken())
        self._keep_alive()

    def _lease(self) -> leases.Lease:
        kernel_id = self.path_args[0]
        self._kernel_id = kernel_id
        known = kernel_id in self.kernel_manager
        lease = leases.read(kernel_id) if known else None
        if lease is not None:
            return lease
        if known:
            raise _RefusedError(503, _starting())
        fact = "This Jupyter server has no serving kernel of this id."
        raise _RefusedError(404, NotFoundError(fact, "See %deployments."))

    def _keep_alive(self) -> None:
        """Keep the kernel from being culled as idle."""
        with contextlib.suppress(KeyError):
            kernel = self.kernel_manager.get_kernel(self._kernel_id)
            kernel.last_activity = datetime.now(timezone.utc)


class _RefusedError(Exception):
    """A request that is not passed on."""

    def __init__(self, status: int, why: PicselliaJupyterError) -> None:
        super().__init__(why.fact)
        self.status, self.why = status, why


def _check_framing(method: str, headers: HTTPHeaders) -> None:
    if "Transfer-Encoding" in headers and method not in ("POST", "PUT", "PATCH"):
        raise InvalidInputError(
            "Only POST, PUT and PATCH may have a body of unknown length.", "Send Content-Length."
        )


def _trouble(method: Any, status: int, headers: HTTPHeaders) -> PicselliaJupyterError | None:
    """Why a front's reply is not passed on."""
    if 300 <= status < 400 and status != 304:
        fact = "The serving kernel's reply leads elsewhere; the proxy passes no redirects."
        return NotServingError(fact, "Ask for the path without, or with, a slash at its end.")
    framed = "Content-Length" in headers or "Transfer-Encoding" in headers
    if not framed and status not in (204, 304) and method != "HEAD":
        # Its end could not be told from the front's death.
        return NotServingError("The serving kernel's reply has no length.", "Deploy again.")
    return None


def _starting() -> NotServingError:
    return NotServingError(
        "The kernel has no front that answers: it is starting, being restarted, or serves nothing.",
        "Try again in some seconds, or see %deployments.",
    )


def _broken() -> NotServingError:
    return NotServingError(
        "The serving kernel broke off before it answered.", "Ask again, or see its log."
    )
