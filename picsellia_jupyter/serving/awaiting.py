"""Lets an event loop wait for what other threads do, and wakes it once for many of them."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import threading
from concurrent.futures import Future
from typing import Any, TypeVar

_T = TypeVar("_T")


class Awaiter:
    """Like `asyncio.wrap_future`, for futures that are done in bursts.

    Waking a loop takes a system call, during which the interpreter goes to the loop's thread; a
    thread that has eight answers would have to wait for it eight times.
    """

    def __init__(self) -> None:
        self._done: collections.deque[tuple[Future[Any], asyncio.Future[Any]]] = collections.deque()
        self._called = False
        self._lock = threading.Lock()

    async def result(self, future: Future[_T]) -> _T:
        """Wait for a future of another thread; it is cancelled with the one who waits.

        One loop at a time.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[_T] = loop.create_future()
        future.add_done_callback(lambda done: self._note(done, waiter, loop))
        try:
            return await waiter
        except asyncio.CancelledError:
            future.cancel()
            raise

    def _note(
        self, future: Future[Any], waiter: asyncio.Future[Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        with self._lock:
            self._done.append((future, waiter))
            called, self._called = self._called, True
        if not called:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        with self._lock:
            done, self._done = self._done, collections.deque()
            self._called = False
        for future, waiter in done:
            if not waiter.done():
                _copy(future, waiter)


def _copy(future: Future[Any], waiter: asyncio.Future[Any]) -> None:
    if future.cancelled():
        waiter.cancel()
    elif error := future.exception():
        waiter.set_exception(error)
    else:
        waiter.set_result(future.result())
