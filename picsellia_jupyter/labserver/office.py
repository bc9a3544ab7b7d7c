"""The sessions of one Jupyter server, for what its pages ask; each has a thread of its own.

The event loop waits for no platform: whoever asks awaits an answer that a thread prepares.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from picsellia_jupyter.domain.errors import DeadlineError, InvalidInputError

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session

_Answer = TypeVar("_Answer")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MOST_PLATFORMS = 8


class Clerk:
    """A session, and the one thread that uses it; both are made when first asked."""

    def __init__(self, name: str, open_session: Callable[[], Session]) -> None:
        """Wait to be asked.

        Args:
            name: of the thread.
            open_session: makes the session; called in the thread.
        """
        self._name = name
        self._open_session = open_session
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._pending: dict[str, asyncio.Future[Any]] = {}
        self._thread: threading.Thread | None = None
        self._session: Session | None = None

    async def ask(
        self, key: str, question: Callable[[Session], _Answer], *, timeout_s: float
    ) -> _Answer:
        """The answer to a question; whoever asks the same meanwhile gets the same one.

        Args:
            key: what makes two questions the same.
            question: asked in the thread.
            timeout_s: longest to wait; the question itself goes on.

        Raises:
            DeadlineError: it takes longer.
        """
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = self._begin(question)
            pending.add_done_callback(lambda done: self._forget(key, done))
        try:
            # One who goes away must not take the answer from the others.
            return await asyncio.wait_for(asyncio.shield(pending), timeout_s)
        except asyncio.TimeoutError:
            raise DeadlineError(
                f"The platform did not answer within {timeout_s:g} s.",
                "Try again, or see whether it can be reached: %picsellia",
            ) from None

    def _begin(self, question: Callable[[Session], _Answer]) -> asyncio.Future[_Answer]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_Answer] = loop.create_future()

        def run() -> None:
            try:
                answer = question(self._own_session())
            except Exception as error:  # noqa: BLE001 - whoever asked is told
                _tell(loop, future.set_exception, error)
            else:
                _tell(loop, future.set_result, answer)

        self._inbox.put(run)
        if self._thread is None:
            # A daemon: a platform that hangs must not keep the server from ending.
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        return future

    def _work(self) -> None:
        while True:
            self._inbox.get()()

    def _own_session(self) -> Session:
        if self._session is None:
            self._session = self._open_session()
        return self._session

    def _forget(self, key: str, done: asyncio.Future[Any]) -> None:
        self._pending.pop(key, None)
        if not done.cancelled():
            done.exception()  # asyncio would complain of one that nobody waited for


class Clerks:
    """Who answers for one platform: what takes long does not hold up what is quick."""

    def __init__(self, host: str) -> None:
        """Open nothing yet.

        Args:
            host: the platform's address; empty for that of the server's environment.
        """
        self._host = host
        self.reading = Clerk("picsellia-reading", self._session)
        self.acting = Clerk("picsellia-acting", self._session)

    def _session(self) -> Session:
        from picsellia_jupyter.session import Session

        return Session(self._host or None)


class Office:
    """All clerks of one Jupyter server, by platform."""

    def __init__(self) -> None:
        self._clerks: dict[str, Clerks] = {}

    def clerks(self, host: str) -> Clerks:
        """Who answers for a platform.

        Args:
            host: its address; empty for that of the server's environment.

        Raises:
            InvalidInputError: it is no address that a token may be sent to.
        """
        host = host.rstrip("/")
        if host not in self._clerks:
            _check_address(host)
            if len(self._clerks) == _MOST_PLATFORMS:
                raise InvalidInputError(
                    f"This server asks {_MOST_PLATFORMS} platforms already.", "Restart it."
                )
            self._clerks[host] = Clerks(host)
        return self._clerks[host]


def _check_address(host: str) -> None:
    if not host:
        return
    parts = urlsplit(host)
    near = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (near or (parts.scheme == "https" and parts.hostname)):
        raise InvalidInputError(
            "The platform in the settings is no https address.",
            "Write one such as https://app.picsellia.com, or leave it empty.",
        )


def _tell(loop: asyncio.AbstractEventLoop, setter: Callable[[Any], None], value: object) -> None:
    def settle() -> None:
        if not setter.__self__.done():  # type: ignore[attr-defined]
            setter(value)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the server has ended
