"""Work of a form that must not hold up the kernel."""

from __future__ import annotations

import queue
from collections.abc import Callable

from picsellia_jupyter.handles.threads import begin

Call = Callable[[], None]


class Worker:
    """One thread that does one thing after another, and ends when it is told to.

    One thread, because a platform's client is for one thread alone. A daemon: a kernel that is
    shut down does not wait for a platform that is slow to answer.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        begin(self._work, name)

    def submit(self, call: Call) -> None:
        """Do this after everything that was submitted before."""
        self._calls.put(call)

    def end(self) -> None:
        """Do nothing more once what was submitted is done."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
