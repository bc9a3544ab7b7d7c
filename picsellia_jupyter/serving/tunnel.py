"""Answers HTTP requests that come as messages over the kernel's control channel.

The control channel has a thread of its own, so that a request is answered while a cell runs, and
a reply goes to the asking websocket alone. That thread only reads messages and hands them to the
front's event loop: interrupts come the same way and must not wait.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import uuid
from collections.abc import Sequence
from typing import Any

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import release
from picsellia_jupyter.serving.tunnelled import App, Exchange, Say
from picsellia_jupyter.wire import tunnel
from picsellia_jupyter.wire.predictions import Json

MAX_RUNNING = 128
"""Requests that are answered at once, of all notebooks together."""
MAX_KEPT_BYTES = 64 * 1024 * 1024
"""Of replies that are done and may have to be said again."""
_ECHO_S = 20.0
"""Seconds in which a message that was sent over a broken connection may still arrive."""
_SHORTCUT = "_picsellia_shortcut"

_log = logging.getLogger(__name__)


def answer_over_control(
    kernel: Any, app: App, loop: asyncio.AbstractEventLoop, address: str
) -> ControlTunnel:
    """Have an ASGI app answer requests that come over a kernel's control channel.

    Args:
        kernel: the running ipykernel, `get_ipython().kernel`.
        app: asks for tokens itself; being in the tunnel proves nothing.
        loop: the event loop that the app runs in.
        address: of the front, `http://127.0.0.1:PORT`; the app sees it as the Host.

    Returns:
        What answers; a later call on the same kernel takes its place.
    """
    answering = ControlTunnel(kernel, app, loop, address)
    kernel.control_handlers[tunnel.REQUEST] = answering.handle
    _skip_status(kernel)
    return answering


def _skip_status(kernel: Any) -> None:
    """Handle our messages without telling every notebook that the kernel is busy, then idle.

    `process_control` is no public interface. Where it is not what we know, our messages go
    through `control_handlers`, which takes three frames instead of one.
    """
    known = getattr(kernel, "process_control", None)
    if not inspect.iscoroutinefunction(known) or hasattr(known, _SHORTCUT):
        return

    async def process_control(frames: Sequence[Any]) -> None:
        if not _handle(kernel, frames):
            await known(frames)

    setattr(process_control, _SHORTCUT, True)
    kernel.process_control = process_control


def _handle(kernel: Any, frames: Sequence[Any]) -> bool:
    """Handle a message if it is one of ours."""
    handler = kernel.control_handlers.get(tunnel.REQUEST)
    try:
        idents, parts = kernel.session.feed_identities(frames, copy=False)
        head = bytes(parts[1].buffer)
        if handler is None or kernel.session.unpack(head)["msg_type"] != tunnel.REQUEST:
            return False
        message = kernel.session.deserialize(parts, content=True, copy=False)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        # ipykernel says what is wrong with it.
        return False
    handler(kernel.control_stream, idents, message)
    return True


class ControlTunnel:
    """The kernel's end of all tunnels that lead to it."""

    def __init__(
        self, kernel: Any, app: App, loop: asyncio.AbstractEventLoop, address: str
    ) -> None:
        self.incarnation = uuid.uuid4().hex
        self._kernel = kernel
        self._app = app
        self._loop = loop
        self._address = address
        self._exchanges: dict[str, Exchange] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._kept: dict[str, int] = {}
        self._kept_bytes = 0
        self._past: dict[str, float] = {}

    def close(self) -> None:
        """Answer nothing any more."""
        if self._kernel.control_handlers.get(tunnel.REQUEST) == self.handle:
            del self._kernel.control_handlers[tunnel.REQUEST]

    def handle(self, stream: Any, idents: Any, parent: Json) -> None:
        """Take a message in the control thread; returns at once."""
        try:
            message = tunnel.from_content(parent["content"])
        except InvalidInputError as error:
            _log.warning("%s", error)
            return

        def say(reply: tunnel.ToNotebook) -> None:
            content = tunnel.to_content(reply)
            stream.io_loop.add_callback(
                self._kernel.session.send, stream, tunnel.REPLY, content, parent, idents
            )

        if isinstance(message, tunnel.Hello):
            say(tunnel.Welcome(self.incarnation, self._address, release.version()))
            return
        try:
            self._loop.call_soon_threadsafe(self._take, message, say)
        except RuntimeError:
            # The front has ended; the kernel is about to.
            self._refuse(message, say, 503, "The serving kernel is ending.", "Deploy again.")

    def _take(self, message: tunnel.Message, say: Say) -> None:
        if isinstance(message, tunnel.Hello | tunnel.Welcome | tunnel.Head | tunnel.Refused):
            return
        if message.incarnation != self.incarnation:
            fact = "The request was for an earlier start of this kernel, which is gone."
            self._refuse(message, say, tunnel.STALE, fact, "Ask again.")
        elif isinstance(message, tunnel.Close):
            self._forget(message.ids)
        elif message.id in self._exchanges:
            self._go_on(self._exchanges[message.id], message, say)
        elif isinstance(message, tunnel.Open) and message.id not in self._past:
            self._open(message, say)
        elif isinstance(message, tunnel.Body | tunnel.Ack):
            fact = "The kernel does not know this request, or gave it up."
            self._refuse(message, say, 503, fact, "Ask again.")

    def _open(self, opened: tunnel.Open, say: Say) -> None:
        self._forget(opened.closed)
        if len(self._tasks) >= MAX_RUNNING:
            fact = f"The serving kernel answers {MAX_RUNNING} requests already."
            self._refuse(opened, say, 503, fact, "Ask again in a moment.")
            return
        exchange = self._exchanges[opened.id] = Exchange(opened, self._address, say)
        exchange.take(opened)
        self._watch(exchange)
        task = self._loop.create_task(exchange.run(self._app))
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._ended, exchange))

    def _go_on(self, exchange: Exchange, message: tunnel.Message, say: Say) -> None:
        # The newest message says where the notebook can be reached now.
        exchange.say = say
        if isinstance(message, tunnel.Body):
            exchange.take(message)
        elif isinstance(message, tunnel.Ack):
            exchange.acknowledge(message)

    def _watch(self, exchange: Exchange) -> None:
        """Drop an exchange once neither side said anything for as long as it may take."""
        quiet_s = self._loop.time() - exchange.touched
        left_s = exchange.deadline_s - quiet_s
        if left_s > 0:
            self._timers[exchange.id] = self._loop.call_later(left_s, self._watch, exchange)
            return
        if not exchange.finished:
            exchange.refuse(504, "The time for this request is over.", "Ask again.")
        self._forget([exchange.id])

    def _forget(self, ids: Sequence[str]) -> None:
        """Keep nothing of these but that they were here, for as long as an echo may come late."""
        now = self._loop.time()
        for exchange_id in ids:
            if (exchange := self._exchanges.pop(exchange_id, None)) is not None:
                exchange.leave()
                self._timers.pop(exchange_id).cancel()
                self._kept_bytes -= self._kept.pop(exchange_id, 0)
                self._past[exchange_id] = now
        while self._past and now - next(iter(self._past.values())) > _ECHO_S:
            del self._past[next(iter(self._past))]

    def _ended(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        """Keep a reply until the notebook says that it came, but not too much of them."""
        self._tasks.discard(task)
        if exchange.id in self._exchanges:
            self._kept[exchange.id] = exchange.kept_bytes
            self._kept_bytes += exchange.kept_bytes
        while self._kept_bytes > MAX_KEPT_BYTES:
            self._forget([next(iter(self._kept))])

    def _refuse(
        self, message: tunnel.Message, say: Say, status: int, fact: str, remedy: str
    ) -> None:
        if isinstance(message, tunnel.Open | tunnel.Body | tunnel.Ack):
            say(tunnel.Refused(message.id, message.incarnation, status, fact, remedy))
