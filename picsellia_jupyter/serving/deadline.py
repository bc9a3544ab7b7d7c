"""How long a request may take, and giving it up once nobody waits for its answer."""

from __future__ import annotations

import asyncio
import re
from types import TracebackType

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope
from typing_extensions import Self

from picsellia_jupyter.domain.errors import DeadlineError

DEFAULT_S = 60.0
LONGEST_S = 600.0
LISTEN_AFTER_S = 0.25
"""An answer that takes longer is given up when its client goes away; most are there before."""
_WAIT = re.compile(rb"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6}(?:\.\d{1,3})?)\"?(?=$|[,;\s])", re.I)


def of_request(scope: Scope) -> float:
    """Seconds that a request may take: `Prefer: wait=2.5`, or else 60.

    The header is RFC 7240's; fractions of a second are taken, too. One that says nothing
    sensible is ignored, as is the way of preferences.
    """
    for name, value in scope["headers"]:
        if name == b"prefer" and (found := _WAIT.search(value)):
            return min(max(float(found[1]), 0.001), LONGEST_S)
    return DEFAULT_S


class Deadline:
    """A block of a request's task that ends in time.

    Raises, in place of what the block was doing:
        DeadlineError: the time is over.
        ClientDisconnect: the client went away; only after `listen`.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._why: Exception | None = None
        self._receive: Receive | None = None
        self._lasts = False
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._end_at = self._loop.time() + self._within_s
        # One timer for most requests, which are answered before it is due.
        first_s = min(self._within_s, LISTEN_AFTER_S)
        self._timer = self._loop.call_later(first_s, self._look)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._listener:
            self._listener.cancel()
        if self._why and kind is asyncio.CancelledError:
            if hasattr(self._task, "uncancel"):
                self._task.uncancel()
            raise self._why

    def shorten(self, within_s: float) -> None:
        """Be over so many seconds after its beginning, if that is sooner."""
        if within_s >= self._within_s:
            return
        self._end_at -= self._within_s - within_s
        self._within_s = within_s
        self._timer.cancel()
        if self._lasts:
            self._timer = self._loop.call_at(self._end_at, self._late)
        else:
            listen_at = self._loop.time() + LISTEN_AFTER_S
            self._timer = self._loop.call_at(min(listen_at, self._end_at), self._look)

    def listen(self, receive: Receive) -> None:
        """Give up when the client goes away; its whole body must have been read."""
        self._receive = receive
        if self._lasts:
            self._listen(receive)

    def _look(self) -> None:
        """It takes longer than most: from now on both its end and its client are waited for."""
        self._lasts = True
        self._timer = self._loop.call_at(self._end_at, self._late)
        if self._receive:
            self._listen(self._receive)

    def _listen(self, receive: Receive) -> None:
        self._listener = self._loop.create_task(self._gone(receive))

    async def _gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._give_up(ClientDisconnect())

    def _late(self) -> None:
        self._give_up(
            DeadlineError(
                f"There was no answer within {self._within_s:g} s.",
                "Send the image again, or give it more time: Prefer: wait=SECONDS.",
            )
        )

    def _give_up(self, why: Exception) -> None:
        self._why = self._why or why
        self._task.cancel()
