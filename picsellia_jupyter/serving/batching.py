"""When a batch starts, and how many images are in it."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable

WAIT_S = 0.003
"""The longest that a free device waits for more images."""
_WAIT_SHARE = 0.5
"""Of the time that the model takes: waiting longer than it saves would be no gain."""
_REMEMBERED = 4
"""Batches whose load tells how many images to expect."""


class Batcher:
    """Starts a batch when the device is free, unless recent load promises a fuller one at once.

    Whoever sent an image often sends the next one when the answer is there. After a batch, the
    images of those whose answers just went out are therefore a moment away, and starting with
    the few that wait would make small batches for ever. So a free device waits, but only for
    as many images as were lately outstanding at the same time, and at most 3 ms.

    One thread at a time.
    """

    def __init__(self, largest: int, clock: Callable[[], float] = time.perf_counter) -> None:
        """Make it.

        Args:
            largest: images in the largest batch that pays.
            clock: seconds, never going back.
        """
        self.largest = largest
        """Fewer once a batch did not fit into the device's memory."""
        self._clock = clock
        self._peaks: collections.deque[int] = collections.deque([0], maxlen=_REMEMBERED)
        self._free_since: float | None = None
        self._shortest_s = 0.0
        self._recent_s = (0.0, 0.0)

    def came(self, outstanding: int) -> None:
        """An image came; now so many are not answered."""
        self._peaks[-1] = max(self._peaks[-1], outstanding)

    def wait_s(self, ready: int, outstanding: int) -> float | None:
        """How long the free device should wait before it starts with what is ready.

        Args:
            ready: images that are prepared.
            outstanding: images that are not answered, the ready ones among them.

        Returns:
            Seconds until it should ask again, or sooner if another image is ready; 0.0 to
            start now; None where there is nothing to start with.
        """
        if not ready:
            return None
        if self.enough(ready):
            return 0.0
        now = self._clock()
        if self._free_since is None:
            self._free_since = now
        left = self._free_since + min(WAIT_S, _WAIT_SHARE * self._shortest_s) - now
        if left > 0:
            return left
        self._disappointed(outstanding)
        return 0.0

    def enough(self, ready: int) -> bool:
        """Whether so many are as many as recent load promises, or as fit."""
        return ready >= min(self.largest, max(self._peaks))

    def take(self, ready: int) -> int:
        """A batch starts: how many of the ready images are in it."""
        self._free_since = None
        return min(ready, self.largest)

    def ran(self, seconds: float, outstanding: int) -> None:
        """A batch is done; so many images are not answered, its own among them."""
        if not self._shortest_s or seconds < self._shortest_s:
            self._shortest_s = seconds
        self._recent_s = (self._recent_s[1], seconds)
        self._peaks.append(outstanding)

    @property
    def recent_s(self) -> float:
        """Seconds of the faster one of the last two batches; 0.0 before there were two."""
        return min(self._recent_s)

    def _disappointed(self, outstanding: int) -> None:
        """They did not come: expect no more than there are now."""
        self._peaks.clear()
        self._peaks.append(outstanding)
