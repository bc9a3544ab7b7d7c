"""Requests that wait for a notebook to perform them, and the replies that come back."""

from __future__ import annotations

import collections
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from picsellia_jupyter.domain.errors import ConflictError, NotFoundError, NotServingError

PIECE = 1024 * 1024
"""Bytes of a body that travel at once."""
CONNECTED_S = 3.0
"""A notebook that asked so short a time ago is about to ask again."""
ALONE_S, TAKEN_S = 1.0, 10.0
"""How long a request waits to be taken where no notebook is connected, and where one is."""
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

    def __init__(self) -> None:
        """Begin with none."""
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
            within_s = TAKEN_S if self.is_connected else ALONE_S
            self._changed.wait_for(lambda: exchange.id in self._taken or self._closed, within_s)
            if exchange.id in self._taken:
                return True
            self._waiting.remove(exchange)
            return False

    def take(self, wait_s: float, gone: threading.Event) -> Exchange | None:
        """The next request, for one notebook alone; None where there is none in time.

        Args:
            wait_s: how long to wait for one.
            gone: set once the notebook waits no more; `wake` then.
        """
        with self._changed:
            self._asking += 1
            try:
                self._changed.wait_for(
                    lambda: self._waiting or self._closed or gone.is_set(), wait_s
                )
                if not self._waiting or self._closed or gone.is_set():
                    return None
                exchange = self._waiting.popleft()
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
