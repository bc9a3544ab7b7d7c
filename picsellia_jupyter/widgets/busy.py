"""Says while a cell runs that a form may have to wait for it."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Protocol

PATIENCE_S = 0.7
"""A cell that takes no longer is not worth a word."""


class Cells(Protocol):
    """Tells when the kernel begins and ends to run a cell."""

    def watch(self, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
        """Have both called, until what is returned is called."""


class BusyWatch:
    """Calls back once a cell has run for a while, and again when it is done.

    ipykernel 6 and 7.4 give a widget's messages to a busy kernel only after its cell, 7.1 to 7.3
    at once; the kernel cannot know which the page makes use of.
    """

    def __init__(self, cells: Cells, say: Callable[[bool], None], *, in_cell: bool) -> None:
        """Begin to watch.

        Args:
            cells: of the kernel.
            say: called with whether a cell runs, on any thread.
            in_cell: whether one runs just now, whose begin nobody tells any more.
        """
        self._say = say
        self._timer: threading.Timer | None = None
        self._stop = cells.watch(self._begins, self._ends)
        if in_cell:
            self._begins()

    def end(self) -> None:
        """Watch no longer."""
        self._stop()
        if self._timer is not None:
            self._timer.cancel()

    def _begins(self) -> None:
        # In the context of the cell, as the threads of `handles/threads.py`.
        say = contextvars.copy_context().run
        self._timer = threading.Timer(PATIENCE_S, say, [self._say, True])
        self._timer.daemon = True
        self._timer.start()

    def _ends(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._say(False)
