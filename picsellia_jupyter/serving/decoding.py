"""How many pixels the threads of a worker have decoded at a time."""

from __future__ import annotations

import threading
from types import TracebackType

from typing_extensions import Self

AT_ONCE = 100_000_000
"""Pixels: eight photos of an ordinary camera, or two of the largest that are taken."""


class DecodingLimit:
    """Has threads wait for each other where their photos are large, so that memory suffices."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """Make it.

        Args:
            at_once: pixels; no photo may have more.
        """
        self._left = at_once
        self._changed = threading.Condition()
        self.waiting = 0
        """Threads that wait."""

    def photo(self) -> Claim:
        """The room of one photo: a context that gives it back."""
        return Claim(self)

    def take(self, pixels: int) -> None:
        """Wait until so many pixels fit."""
        with self._changed:
            self.waiting += 1
            self._changed.wait_for(lambda: self._left >= pixels)
            self.waiting -= 1
            self._left -= pixels

    def give_back(self, pixels: int) -> None:
        """Let others have them."""
        with self._changed:
            self._left += pixels
            self._changed.notify_all()


class Claim:
    """What one photo takes, once its size is known."""

    def __init__(self, limit: DecodingLimit) -> None:
        self._limit = limit
        self._pixels = 0

    def __call__(self, pixels: int) -> None:
        """Wait until so many pixels fit; once."""
        self._limit.take(pixels)
        self._pixels = pixels

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._pixels:
            self._limit.give_back(self._pixels)
