"""Requests that wait for a notebook to perform them, and the replies that come back."""

from __future__ import annotations

import collections
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from picsellia_jupyter.domain.errors import ConflictError, NotFoundError, NotServingError

PIECE = 1024 * 1024
"""Bytes of a body that travel at once."""
CONNECTED_S = 3.0
"""A notebook that asked so short a time ago is about to ask again."""
ALONE_S, TAKEN_S = 1.0, 10.0
"""How long a request waits to be taken where no notebook is connected, and where one is."""
CONFIRM_S = 2.0
"""A notebook fetches what it was given within this time, or has gone while it waited for it."""
STEP_S = 30.0
"""A notebook that is silent for so long in the middle of a request has gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a reply begins."""

    status: int
    headers: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its reply, which is handed on piece by piece."""

    method: str
    target: str
    """Path and query."""
    headers: tuple[tuple[str, str], ...]
    body: bytes
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    head: Head | None = None
    failed: str = ""
    """Why there is no reply, or no more of it."""
    taken_by: str = ""
    """The notebook that it was given to, if that is to confirm it."""
    confirmed: bool = False
    _piece: bytes | None = None
    _seq: int = -1
    """Of the last piece that was given."""
    _ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    # The notebook's side -------------------------------------------------------------------

    def begin(self, head: Head) -> None:
        """Tell how the reply begins; may be said again.

        Raises:
            NotServingError: nobody waits for it any more.
        """
        with self._changed:
            self._check()
            self.head = head
            self._changed.notify_all()

    def give(self, seq: int, piece: bytes, *, more: bool) -> None:
        """Give the next piece of the reply, once the one before is used; may be said again.

        Raises:
            ConflictError: it is not the next one.
            NotServingError: nobody waits for it any more.
        """
        with self._changed:
            if seq == self._seq:
                return
            if seq != self._seq + 1 or self.head is None:
                raise ConflictError(f"Piece {seq} comes after {self._seq}.", "Send them in order.")
            if not self._changed.wait_for(lambda: self._piece is None or self.failed, STEP_S):
                self.failed = "The reply is not read."
            self._check()
            self._seq, self._piece, self._ended = seq, piece, not more
            self._changed.notify_all()

    def fail(self, why: str) -> None:
        """Say that there is no reply; whoever waits for it learns it now."""
        with self._changed:
            self.failed = self.failed or why
            self._changed.notify_all()

    def _check(self) -> None:
        if self.failed:
            raise NotServingError(f"The request was given up: {self.failed}", "Take the next one.")

    # The side of who asked -----------------------------------------------------------------

    def await_head(self) -> Head | None:
        """How the reply begins; None where there is none in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.head or self.failed, STEP_S):
                self.failed = "The notebook that took it is silent."
            return None if self.failed else self.head

    def pieces(self) -> Iterator[bytes]:
        """The reply's body; ends early where `failed` says so."""
        while True:
            with self._changed:
                if not self._changed.wait_for(
                    lambda: self._piece is not None or self.failed, STEP_S
                ):
                    self.failed = "The notebook that took it is silent."
                if self.failed or self._piece is None:
                    return
                piece, last = self._piece, self._ended
            yield piece
            with self._changed:
                self._piece = None
                self._changed.notify_all()
            if last:
                return


class Exchanges:
    """The requests of a kernel: each is taken by one notebook. Thread-safe."""

    def __init__(self, on_connected: Callable[[], None] = lambda: None) -> None:
        """Begin with none.

        Args:
            on_connected: called when a notebook asks that did not before; must not wait.
        """
        self._on_connected = on_connected
        self._known: set[str] = set()
        self._silent: set[str] = set()
        """Notebooks that did not confirm what they were given, and have not asked again."""
        self._waiting: collections.deque[Exchange] = collections.deque()
        self._taken: dict[str, Exchange] = {}
        self._asking = 0
        self._asked = float("-inf")
        self._closed = False
        self._changed = threading.Condition()

    @property
    def is_connected(self) -> bool:
        """Whether a notebook asks for requests."""
        return self._asking > 0 or time.monotonic() - self._asked < CONNECTED_S

    def offer(self, exchange: Exchange) -> bool:
        """Have a request taken; False where no notebook takes it soon."""
        with self._changed:
            self._waiting.append(exchange)
            self._changed.notify_all()
            until = time.monotonic() + (TAKEN_S if self.is_connected else ALONE_S)
            while self._await_taker(exchange, until):
                if self._await_confirmation(exchange):
                    return True
                self._take_back(exchange)
            self._waiting.remove(exchange)
            return False

    def _await_taker(self, exchange: Exchange, until: float) -> bool:
        return self._changed.wait_for(
            lambda: exchange.id in self._taken or self._closed, max(0.0, until - time.monotonic())
        ) and (exchange.id in self._taken)

    def _await_confirmation(self, exchange: Exchange) -> bool:
        """Wait until the notebook has begun with it; one that needs not say so has."""
        return not exchange.taken_by or self._changed.wait_for(
            lambda: exchange.confirmed or bool(exchange.failed) or self._closed, CONFIRM_S
        )

    def _take_back(self, exchange: Exchange) -> None:
        """Give it to another notebook; under a new name, so that the first may not come late."""
        self._silent.add(exchange.taken_by)
        del self._taken[exchange.id]
        exchange.id, exchange.taken_by = uuid.uuid4().hex, ""
        self._waiting.appendleft(exchange)
        self._changed.notify_all()

    def take(self, wait_s: float, gone: threading.Event, by: str = "") -> Exchange | None:
        """The next request, for one notebook alone; None where there is none in time.

        Args:
            wait_s: how long to wait for one.
            gone: set once the notebook waits no more; `wake` then.
            by: which notebook it is, where that confirms what it is given. Through a tunnel
                nobody is told that it has gone.
        """
        if not self.is_connected or by not in self._known:
            self._on_connected()
        with self._changed:
            self._known.add(by)
            self._silent.discard(by)
            self._asking += 1
            try:
                self._changed.wait_for(
                    lambda: self._waiting or self._closed or gone.is_set() or by in self._silent,
                    wait_s,
                )
                if not self._waiting or self._closed or gone.is_set() or by in self._silent:
                    return None
                exchange = self._waiting.popleft()
                exchange.taken_by = by
                self._taken[exchange.id] = exchange
                self._changed.notify_all()
                return exchange
            finally:
                self._asking -= 1
                self._asked = time.monotonic()

    def taken(self, exchange_id: str) -> Exchange:
        """One that is under way.

        Raises:
            NotFoundError: it is not, or not any more.
        """
        found = self._taken.get(exchange_id)
        if found is None:
            raise NotFoundError("There is no such request any more.", "Take the next one.")
        return found

    def confirm(self, exchange: Exchange) -> None:
        """Note that its notebook has begun with it."""
        with self._changed:
            exchange.confirmed = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Have those look up who wait."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more, on either side."""
        with self._changed:
            self._closed = True
            under_way = [*self._waiting, *self._taken.values()]
            self._changed.notify_all()
        for exchange in under_way:
            exchange.fail("The kernel ends.")

    def end(self, exchange: Exchange) -> None:
        """Forget one that is over."""
        with self._changed:
            self._taken.pop(exchange.id, None)
