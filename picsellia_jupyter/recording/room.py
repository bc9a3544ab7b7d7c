"""Room for what waits, counted in items and bytes; who finds none stands in line for it."""

from __future__ import annotations

import collections
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from picsellia_jupyter.domain.errors import NotServingError


class QueueFullError(NotServingError):
    """More waits than the kernel holds; the client should slow down."""

    def __init__(self, fact: str, remedy: str = "", *, retry_after_s: float = 1.0) -> None:
        super().__init__(fact, remedy)
        self.retry_after_s = retry_after_s
        """When there is likely to be room."""


@dataclass(slots=True, eq=False)
class Place:
    """Room for one image that is about to be predicted on."""

    size: int
    """Bytes."""
    granted: Future[None] = field(default_factory=Future)
    """Done once the place is had; fails where there will be none."""
    used: bool = False
    """Whether its prediction is kept, which then has the room."""


class Room:
    """A bounded number of places and bytes, given out in the order they were asked for.

    What is kept in them counts until it is freed. Thread-safe.
    """

    def __init__(self, *, places: int, size: int, line: int) -> None:
        """Make it empty.

        Args:
            places: how many there are.
            size: bytes that they may hold together, and those in line likewise.
            line: how many may wait for a place.
        """
        self._places = places
        self._size = size
        self._longest_line = line
        self._line: collections.deque[Place] = collections.deque()
        self._taken: set[Place] = set()
        self._kept = 0
        self._held = 0
        self._in_line = 0
        self._closed = False
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """Places of what is being predicted on now."""
        return len(self._taken)

    @property
    def is_half_full(self) -> bool:
        """Whether what is kept takes half of it or more."""
        return 2 * self._kept >= self._places or 2 * self._held >= self._size

    def ask(self, size: int) -> Place | None:
        """Ask for a place for so many bytes; None when too many wait for one already.

        Raises:
            NotServingError: it is closed.
        """
        with self._lock:
            if self._closed:
                raise _closed()
            if len(self._line) >= self._longest_line or self._in_line + size > self._size:
                return None
            place = Place(size)
            self._line.append(place)
            self._in_line += size
            self._admit()
            return place

    def keep(self, place: Place, size: int) -> None:
        """Count a place as kept, at the true size of what is in it."""
        with self._lock:
            place.used = True
            self._taken.discard(place)
            self._kept += 1
            self._held += size - place.size
            self._admit()

    def fill(self, places: int, size: int) -> None:
        """Count what was kept before, or with negative numbers free what was kept."""
        with self._lock:
            self._kept += places
            self._held += size
            self._admit()

    def leave(self, place: Place) -> None:
        """Give a place back, or leave the line; may be called again."""
        with self._lock:
            if place in self._taken:
                self._taken.remove(place)
                self._held -= place.size
            elif place in self._line:
                self._line.remove(place)
                self._in_line -= place.size
            self._admit()

    def close(self) -> None:
        """Give out no more places; those that are had stay had."""
        with self._lock:
            self._closed = True
            line, self._line = self._line, collections.deque()
            self._in_line = 0
        for place in line:
            if place.granted.set_running_or_notify_cancel():
                place.granted.set_exception(_closed())

    def _admit(self) -> None:
        while self._line and self._fits(self._line[0]):
            place = self._line.popleft()
            self._in_line -= place.size
            if place.granted.set_running_or_notify_cancel():
                self._taken.add(place)
                self._held += place.size
                place.granted.set_result(None)

    def _fits(self, place: Place) -> bool:
        taken = len(self._taken) + self._kept
        return taken < self._places and self._held + place.size <= self._size


def _closed() -> NotServingError:
    return NotServingError("Serving was stopped.", "Deploy the model again.")
