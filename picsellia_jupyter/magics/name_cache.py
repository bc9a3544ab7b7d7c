"""Names to complete from: kept, and fetched anew in the background."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence

GRACE_S = 0.03
"""How long somebody who types waits for names that are being fetched."""

Key = tuple[str, str]
"""A kind of names, and whose they are: `("versions", "digits-detector")`."""
Fetch = Callable[[str, str], Sequence[str]]
_Known = tuple[float, tuple[str, ...]]


class NameCache:
    """What was last fetched, at once; what is old is fetched by one thread of its own.

    Nothing is ever raised to those who ask: names that cannot be had are none.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        fresh_s: float = 5.0,
        grace_s: float = GRACE_S,
        is_warm: bool = False,
    ) -> None:
        """Keep names.

        Args:
            fetch: gives the names of a key; called by one thread alone.
            fresh_s: names are fetched again where they are older.
            grace_s: how long `get` waits for names that it has not, or only old ones.
            is_warm: whether the first names come as fast as later ones; they are not waited
                for where fetching has much to import.
        """
        self._fetch = fetch
        self._fresh_s = fresh_s
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._known: dict[Key, _Known] = {}
        self._coming: dict[Key, threading.Event] = {}
        self._keys: queue.SimpleQueue[Key | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_warm = is_warm

    def get(self, kind: str, of: str = "") -> tuple[str, ...]:
        """The names that are known now."""
        key = (kind, of)
        coming = self._coming_of(key)
        if coming is not None and self._is_warm:
            coming.wait(self._grace_s)
        return self._known.get(key, (0.0, ()))[1]

    def close(self) -> None:
        """End the thread once it has fetched what it is fetching."""
        self._keys.put(None)

    def _coming_of(self, key: Key) -> threading.Event | None:
        """Set when the names of a key have been fetched; None where they are fresh."""
        with self._lock:
            known = self._known.get(key)
            if known and time.monotonic() - known[0] < self._fresh_s:
                return None
            if key not in self._coming:
                self._coming[key] = threading.Event()
                self._keys.put(key)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="names", daemon=True)
                self._thread.start()
            return self._coming[key]

    def _work(self) -> None:
        while (key := self._keys.get()) is not None:
            names = self._known.get(key, (0.0, ()))[1]
            # Whatever goes wrong, a person is typing: no names are better than an error.
            with contextlib.suppress(Exception):
                names = tuple(self._fetch(*key))
            with self._lock:
                self._known[key] = (time.monotonic(), names)
                self._is_warm = True
                self._coming.pop(key).set()
