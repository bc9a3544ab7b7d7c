"""Calls that a stop must not cut in two."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Any, TypeVar

R = TypeVar("R")
_GLANCE_S = 0.1


def shielded(call: Callable[[], R], *, undo: Callable[[R], object]) -> R:
    """Run a call to its end although a stop may come meanwhile, then undo it.

    A stop (KeyboardInterrupt) in the middle of a request leaves something made of which
    nobody knows: a kernel whose id was not read yet, a deployment whose reply was lost. So
    the call runs in a thread of its own; where a stop comes, its result is waited for,
    undone, and only then the stop goes on.

    Args:
        call: makes something.
        undo: unmakes it.

    Returns:
        What the call made.

    Raises:
        KeyboardInterrupt: a stop came; what was made is unmade.
    """
    work = _Work(call)
    stopped = work.wait()
    if work.error is not None:
        raise stopped or work.error
    if stopped is not None:
        undo(work.made)
        raise stopped
    made: R = work.made
    return made


class _Work:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._claim = threading.Lock()
        self._done = threading.Event()
        self.made: Any = None
        self.error: BaseException | None = None

    def wait(self) -> KeyboardInterrupt | None:
        """Begin, and wait for the end; the first stop that came meanwhile."""
        stopped: KeyboardInterrupt | None = None
        begun = False
        while not self._done.is_set():
            try:
                if not begun:
                    # A stop right here may start a second thread; only one claims the call.
                    # `Thread.start` would not do: it waits, and a stop may end that wait.
                    _thread.start_new_thread(self._run, ())
                    begun = True
                self._done.wait(_GLANCE_S)
            except KeyboardInterrupt as stop:
                stopped = stopped or stop
        return stopped

    def _run(self) -> None:
        if not self._claim.acquire(blocking=False):
            return
        try:
            self.made = self._call()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self.error = error
        finally:
            self._done.set()
