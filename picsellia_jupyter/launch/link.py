"""Keeps one websocket to a serving kernel open, and carries requests over it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from picsellia_jupyter.clients import channel as channels
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.errors import (
    DeadlineError,
    InvalidInputError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.links import LinkError, LinkState, Trouble
from picsellia_jupyter.launch.exchange import Asked, Exchange
from picsellia_jupyter.wire import tunnel
from picsellia_jupyter.wire.kernel_messages import KernelMessage

IN_FLIGHT = 32
DEADLINE_S = 330.0
"""Longer than the front takes for anything."""
_FIRST_RETRY_S, _LAST_RETRY_S = 0.2, 4.0
_HOPELESS_RETRY_S = 15.0
"""What only a user can put right is tried seldom: each time leaves a line in somebody's log."""
_TICK_S = 0.5
_ASK_AGAIN_S = 0.5
_QUIET_S, _IDLE_S = 2.0, 15.0
"""After so long without a word the kernel is asked whether it is there."""
_MUTE_S = 4.0
"""A kernel that does not say so within that time is connected to anew."""
_ABSENT_S = 10.0
"""A server whose kernel has not come back by then is connected to anew: it may have given up."""
_WELCOME_GRACE_S = 0.3
"""The news that a kernel is idle may overtake its answer."""
_PATIENCE_S = {
    Trouble.CONNECTING: 10.0,
    Trouble.UNREACHABLE: 10.0,
    Trouble.BROKEN: 10.0,
    Trouble.RESTARTING: 5.0,
    Trouble.EMPTY: 3.0,
}
"""How long requests wait for a link that may come back; for any other trouble, not at all."""
_KINDS = frozenset((tunnel.REPLY, "status", "shutdown_reply"))


class Link:
    """The notebook's end of a tunnel. Lives in one event loop, but for `state`."""

    def __init__(
        self,
        server: JupyterServer,
        kernel_id: str,
        tls: ssl.SSLContext | None,
        on_change: Callable[[], None],
    ) -> None:
        """Prepare; `keep` connects.

        Args:
            server: owns the kernel.
            kernel_id: of the serving kernel.
            tls: how to check the server's certificate; as the system does by default.
            on_change: called in the event loop after `state` changed.
        """
        self._tls = tls
        self._on_change = on_change
        self._aim(server, kernel_id)
        self.welcome: tunnel.Welcome | None = None
        """What the kernel last said of itself."""
        self._channel: channels.KernelChannel | None = None
        self._exchanges: dict[str, Exchange] = {}
        self._closed: list[str] = []
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._changed = asyncio.Event()
        self._heard = self._asked = self._opened = time.monotonic()
        self._ask_s = _FIRST_RETRY_S
        self._hello_id = ""
        self._try_now = asyncio.Event()

    def _aim(self, server: JupyterServer, kernel_id: str) -> None:
        self._target = (server, kernel_id)
        self._where = f"kernel {kernel_id} of {server.url}"
        trouble = LinkError(Trouble.CONNECTING, f"The {self._where} has not answered yet.")
        self.state = LinkState(self._where, time.time(), trouble)

    def lead_to(self, server: JupyterServer, kernel_id: str) -> None:
        """Connect to this kernel from now on; what is under way to another one ends."""
        if kernel_id != self._target[1]:
            fact = f"The {self._where} was left for another one."
            self._fail(LinkError(Trouble.CLOSED, fact, "Ask again."))
        self._aim(server, kernel_id)
        self._connect_anew()
        self._try_now.set()
        self._on_change()

    async def keep(self) -> None:
        """Connect, and again each time the connection is lost, until cancelled."""
        watching = asyncio.create_task(self._watch())
        pause_s = _FIRST_RETRY_S
        try:
            while True:
                target = self._target
                try:
                    await self._serve(*target)
                except LinkError as error:
                    if self.state.connected:
                        pause_s = _FIRST_RETRY_S
                    if target is self._target:
                        self._lose(error)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._try_now.wait(), self._pause(pause_s) * _jitter())
                self._try_now.clear()
                pause_s = min(2 * pause_s, _LAST_RETRY_S)
        finally:
            watching.cancel()
            fact = f"The tunnel to {self._where} was closed."
            self._lose(LinkError(Trouble.CLOSED, fact, "Deploy or attach again."))

    @asynccontextmanager
    async def exchange(self, asked: Asked) -> AsyncIterator[Exchange]:
        """Carry one request; at most `IN_FLIGHT` at once, others wait for their turn.

        Raises:
            LinkError: the kernel cannot be reached.
        """
        async with self._slots:
            incarnation = (await self._connected()).incarnation
            exchange = Exchange(asked, incarnation, DEADLINE_S, self._say)
            self._exchanges[exchange.id] = exchange
            try:
                yield exchange
            finally:
                self._close(exchange)

    def nudge(self) -> None:
        """Ask a kernel that is lost once more: somebody waits for it."""
        if not self.state.connected and time.monotonic() - self._asked > _ASK_AGAIN_S:
            self._ask()

    def _close(self, exchange: Exchange) -> None:
        """Note that nobody waits for it any more."""
        del self._exchanges[exchange.id]
        if exchange.started and exchange.incarnation == self._incarnation:
            self._closed.append(exchange.id)
            if not exchange.complete or len(self._closed) >= IN_FLIGHT:
                self._say_closed()

    @property
    def _incarnation(self) -> str:
        return self.welcome.incarnation if self.welcome else ""

    async def _connected(self) -> tunnel.Welcome:
        """Wait until requests pass, as long as there is hope."""
        while (error := self.state.error) is not None or self.welcome is None:
            self.nudge()
            left_s = self._patience()
            if error is not None and left_s <= 0:
                raise error
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._change(), left_s)
        return self.welcome

    def _patience(self) -> float:
        """Seconds for which requests still wait for the link."""
        error = self.state.error
        if error is None:
            return _TICK_S
        return self.state.since + _PATIENCE_S.get(error.trouble, 0.0) - time.time()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _pause(self, pause_s: float) -> float:
        error = self.state.error
        hopeless = error is not None and not error.trouble.may_pass
        return _HOPELESS_RETRY_S if hopeless else pause_s

    async def _serve(self, server: JupyterServer, kernel_id: str) -> None:
        """Connect once and hear what comes, until the connection is lost."""
        channel = await channels.connect(server, kernel_id, _KINDS, self._tls)
        if self._target != (server, kernel_id):
            channel.close()
            return
        self._channel = channel
        self._heard = self._opened = time.monotonic()
        self._ask_s = _FIRST_RETRY_S
        try:
            self._ask()
            while (message := await channel.hear()) is not None:
                self._hear(message)
        finally:
            self._channel = None
            channel.close()
        fact = f"The connection to {self._where} broke."
        raise LinkError(Trouble.BROKEN, fact, "It is being made anew.")

    def _hear(self, message: KernelMessage) -> None:
        if message.kind == tunnel.REPLY:
            self._heard = time.monotonic()
            try:
                self._take(tunnel.from_content(message.content))
            except InvalidInputError as error:
                self._lose(LinkError(Trouble.EMPTY, error.fact, error.remedy))
        elif message.kind == "status":
            self._hear_state(message)
        else:
            self._lose(self._restarting())
            if not message.content.get("restart"):
                # The server knows whether it is there any more.
                self._connect_anew()

    def _hear_state(self, message: KernelMessage) -> None:
        state = message.content.get("execution_state")
        if state in ("restarting", "dead"):
            self._lose(self._restarting())
        if state == "dead":
            self._connect_anew()
        elif state in ("restarting", "starting"):
            self._ask_s = _FIRST_RETRY_S
            self._ask()
        elif state == "idle" and self._hello_id and message.parent_id == self._hello_id:
            loop = asyncio.get_running_loop()
            loop.call_later(_WELCOME_GRACE_S, self._miss_welcome, self._hello_id)

    def _miss_welcome(self, hello_id: str) -> None:
        """The kernel handled our greeting, but had no answer to it."""
        if hello_id == self._hello_id:
            fact = f"The {self._where} runs but serves nothing; it may have been restarted."
            self._lose(LinkError(Trouble.EMPTY, fact, "Deploy again."))

    def _restarting(self) -> LinkError:
        fact = f"The {self._where} died or was restarted."
        return LinkError(Trouble.RESTARTING, fact, "Ask again in a few seconds.")

    def _take(self, message: tunnel.Message) -> None:
        if isinstance(message, tunnel.Welcome):
            self._greet(message)
        elif isinstance(message, tunnel.Head | tunnel.Body | tunnel.Ack | tunnel.Refused):
            exchange = self._exchanges.get(message.id)
            if exchange is not None and exchange.incarnation == message.incarnation:
                exchange.hear(message)
            if isinstance(message, tunnel.Refused) and message.status == tunnel.STALE:
                # It serves anew, and nobody told us.
                self._ask()

    def _greet(self, welcome: tunnel.Welcome) -> None:
        self._hello_id = ""
        if self.welcome is not None and self._incarnation != welcome.incarnation:
            self._fail(self._restarting(), started=True)
            self._closed.clear()
        self.welcome = welcome
        anew = not self.state.connected
        if anew:
            self._become(None)
        else:
            self._on_change()
        for exchange in list(self._exchanges.values()):
            exchange.greet(welcome.incarnation, anew=anew)

    def _connect_anew(self) -> None:
        if self._channel is not None:
            self._channel.close()

    def _ask(self) -> None:
        """Ask the kernel who it is."""
        self._asked = time.monotonic()
        if self._channel is not None:
            content = tunnel.to_content(tunnel.Hello())
            self._hello_id = self._channel.say(tunnel.REQUEST, content)

    def _say(self, message: tunnel.ToKernel) -> None:
        # What is said while there is no connection is said again after the next greeting.
        if self._channel is None or not self.state.connected:
            return
        if isinstance(message, tunnel.Open) and self._closed:
            message = dataclasses.replace(message, closed=tuple(self._closed))
            self._closed.clear()
        self._channel.say(tunnel.REQUEST, tunnel.to_content(message))

    def _say_closed(self) -> None:
        if self._closed and self.state.connected:
            self._say(tunnel.Close(self._incarnation, tuple(self._closed)))
            self._closed.clear()

    def _lose(self, error: LinkError) -> None:
        self._become(error)
        if not error.trouble.may_pass:
            self._fail(error)
        elif error.trouble in (Trouble.RESTARTING, Trouble.EMPTY):
            self._fail(error, started=True)

    def _become(self, error: LinkError | None) -> None:
        lost_before = error is not None and self.state.error is not None
        since = self.state.since if lost_before else time.time()
        self.state = LinkState(self._where, since, error)
        self._changed.set()
        self._on_change()

    def _fail(self, error: PicselliaJupyterError, *, started: bool = False) -> None:
        """End all requests, or those alone of which the kernel was told."""
        for exchange in list(self._exchanges.values()):
            if exchange.started or not started:
                exchange.fail(error)

    async def _watch(self) -> None:
        """Look now and then whether the kernel is there and requests are in time."""
        while True:
            await asyncio.sleep(_TICK_S)
            self._expire()
            self._say_closed()
            if self.state.connected:
                self._check_pulse()
            else:
                self._look_for_kernel(self.state.error)

    def _expire(self) -> None:
        error = self.state.error
        if error is not None and self._patience() <= 0:
            self._fail(error)
        for exchange in list(self._exchanges.values()):
            if exchange.overdue:
                fact = f"The {self._where} did not answer within {DEADLINE_S:.0f} s."
                exchange.fail(DeadlineError(fact, "Ask again."))

    def _look_for_kernel(self, error: LinkError | None) -> None:
        """Ask a kernel that is not there yet, and its server after a while."""
        now = time.monotonic()
        empty = error is not None and error.trouble is Trouble.EMPTY
        if not empty and now - max(self._heard, self._opened) > _ABSENT_S:
            self._opened = now
            self._connect_anew()
        elif now - self._asked > self._ask_s:
            self._ask_s = min(2 * self._ask_s, _HOPELESS_RETRY_S if empty else _LAST_RETRY_S)
            self._ask()

    def _check_pulse(self) -> None:
        """Ask a kernel that is silent whether it is there; connect anew if it stays silent."""
        now, quiet_s = time.monotonic(), _QUIET_S if self._exchanges else _IDLE_S
        if now - max(self._heard, self._asked) > quiet_s:
            self._ask()
        elif self._heard < self._asked < now - _MUTE_S:
            self._connect_anew()


def _jitter() -> float:
    """Keeps notebooks that lost the same server from coming back at once."""
    return random.uniform(0.5, 1.0)  # noqa: S311
