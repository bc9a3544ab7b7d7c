"""Entry of a serving kernel: `start(job)`, called once in an ordinary Jupyter kernel."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from typing import Any

from picsellia_jupyter.domain.errors import MissingExtraError
from picsellia_jupyter.serving.platform import Connect, connector
from picsellia_jupyter.wire import resources

_RUNNING: list[ServingProgram] = []
"""The program of this kernel, at most one: a second `start` has to find the first."""


class ServingProgram:
    """The front, the worker and what reports for them, in this process."""

    def __init__(self, job: dict[str, Any], connect: Connect | None = None) -> None:
        """Bind a port; `start` does the rest.

        Args:
            job: a serving job as JSON.
            connect: what makes connections to the platform; the job's own by default.
        """
        from picsellia_jupyter.serving import app, front
        from picsellia_jupyter.serving.auth import Gatekeeper
        from picsellia_jupyter.serving.service import Service

        told = resources.job_from_json(job)
        listener = front.listen()
        self.address = front.address_of(listener)
        self.service = Service(told, self.address, connect or connector(told))
        guarded = app.build(self.service, Gatekeeper(told), self.address, self._end_front)
        self._front = front.Front(guarded, listener)

    def start(self) -> None:
        """Answer from now on, and prepare the model beside that."""
        self._front.start()
        threading.Thread(target=self.service.prepare, name="prepare", daemon=True).start()

    def stop(self, reason: str) -> None:
        """Finish what is under way and end; may be called again."""
        self.service.stop(reason)
        self._front.stop()
        self._front.join(5.0)

    def _end_front(self) -> None:
        self._front.stop()


def start(job: dict[str, Any]) -> dict[str, str]:
    """Serve a model version from this kernel; a program that runs here already is stopped.

    Args:
        job: a serving job as JSON (`wire.resources.job_to_json`).

    Returns:
        `{"address": "http://127.0.0.1:PORT"}`, at once: how far it is, the front's
        `/control/status` tells.

    Raises:
        MissingExtraError: the packages of the extra `serving` are not installed.
    """
    stop("replaced by another start")
    try:
        program = ServingProgram(job)
    except ModuleNotFoundError as error:
        name = error.name or "starlette"
        raise MissingExtraError("A serving kernel", name, "serving") from error
    _RUNNING.append(program)
    program.start()
    atexit.register(program.stop, "the kernel ended")
    _stop_on_sigterm()
    return {"address": program.address}


def stop(reason: str = "stopped") -> None:
    """Stop what this kernel serves, if anything."""
    while _RUNNING:
        program = _RUNNING.pop()
        atexit.unregister(program.stop)
        program.stop(reason)


def _stop_on_sigterm() -> None:
    """Let a SIGTERM finish what is under way; a second one ends the kernel at once."""
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)

    def finish(number: int, _frame: Any) -> None:
        signal.signal(number, before)
        threading.Thread(target=_stop_then_end, args=(number,), daemon=True).start()

    signal.signal(signal.SIGTERM, finish)


def _stop_then_end(number: int) -> None:
    stop("the kernel was told to end")
    os.kill(os.getpid(), number)
