"""Says every second that a runner lives, hands on what is printed, and hears what is wanted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType

from typing_extensions import Self

from picsellia_jupyter.clients.runners import RunnerClient
from picsellia_jupyter.domain.errors import ConflictError, NotFoundError, PicselliaJupyterError

EVERY_S = 1.0
PATIENCE_S = 600.0
"""Seconds without the platform after which there is nobody to train for. It takes no run from
a runner before it has been up for a while itself."""
LINES_AT_ONCE = 500


class Pulse:
    """A thread with a connection of its own, from entering to leaving."""

    def __init__(
        self, connect: Callable[[], RunnerClient], stop: Callable[[], None], *, wall_s: float
    ) -> None:
        """Make it.

        Args:
            connect: makes a connection for this thread alone, its experiment open; once more
                where the platform came back at another address.
            stop: ends what the runner does now; called once, from this thread.
            wall_s: seconds that the run may take.
        """
        self._connect, self._stop = connect, stop
        self._client = connect()
        self.wall_s = wall_s
        self._began = self._heard = time.monotonic()
        self._ending = threading.Event()
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self.progress, self.step = 0.0, ""
        self._ticks = 0
        self.is_cancelled = self.is_late = self.is_lost = False

    @property
    def is_stopped(self) -> bool:
        """Whether what the runner does is at an end."""
        return self.is_cancelled or self.is_late or self.is_lost

    def print(self, line: str) -> None:
        """Hand on a line; from any thread."""
        with self._lock:
            self._lines.append(line)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Hand on what is left."""
        self._ending.set()
        self._thread.join()
        if not self.is_lost:
            self._hand_on()

    def _run(self) -> None:
        while not self._ending.wait(EVERY_S):
            if not self.is_stopped:
                self._beat()
            elif not self.is_lost:
                # What it does is being ended; the run stays its own until that is told.
                self._beat_on()

    def _beat(self) -> None:
        now = time.monotonic()
        try:
            self.is_cancelled = self._tell()
            self._heard = now
            self._hand_on()
        except (ConflictError, NotFoundError):
            self.is_lost = True
        except PicselliaJupyterError:
            self.is_lost = now - self._heard > PATIENCE_S
            with contextlib.suppress(PicselliaJupyterError):
                self._client = self._connect()
        self.is_late = now - self._began > self.wall_s
        if self.is_stopped:
            self._stop()

    def _beat_on(self) -> None:
        try:
            self._tell()
        except PicselliaJupyterError:
            self.is_lost = True

    def _tell(self) -> bool:
        self._ticks += 1
        return self._client.beat(self.progress, self.step, self._ticks)

    def _hand_on(self) -> None:
        while self._lines:
            with self._lock:
                some = self._lines[:LINES_AT_ONCE]
            self._client.print_lines(some, "training")
            # Only what has arrived: a platform that is away for a while is told the rest later.
            with self._lock:
                del self._lines[: len(some)]
