"""Entry of a serving kernel: `start(job)`, called once in an ordinary Jupyter kernel."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from picsellia_jupyter.domain.errors import MissingExtraError
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.serving import ending, resuming
from picsellia_jupyter.serving.leasehold import Leasehold
from picsellia_jupyter.serving.platform import Connect, connector
from picsellia_jupyter.serving.watch import Watch, running_kernel, sign_of_life
from picsellia_jupyter.wire import resources

_RUNNING: list[ServingProgram] = []
"""The program of this kernel, at most one: a second `start` has to find the first."""
_FRONT_END_S = 8.0
"""Seconds that requests under way get once the reply to a stop was sent."""

_log = logging.getLogger(__name__)


class ServingProgram:
    """The front, the worker and what reports for them, in this process."""

    def __init__(
        self,
        job: dict[str, Any],
        connect: Connect | None = None,
        end_process: Callable[[], None] | None = None,
        *,
        leased: bool = False,
    ) -> None:
        """Bind a port; `start` does the rest.

        Args:
            job: a serving job as JSON.
            connect: what makes connections to the platform; the job's own by default.
            end_process: ends the process once the program was told to stop, or its deployment
                is not its own any more; None where the process is not the program's to end.
            leased: whether this process is a kernel, which keeps a lease.
        """
        from picsellia_jupyter.serving import app, front, logfile
        from picsellia_jupyter.serving.activity import Activity
        from picsellia_jupyter.serving.auth import Gatekeeper
        from picsellia_jupyter.serving.relay import Relay
        from picsellia_jupyter.serving.service import Service

        told = resources.job_from_json(job)
        listener = front.listen()
        self.address = front.address_of(listener)
        self._log = logfile.open_for(told)
        self._end_process = end_process
        self._ending = threading.Lock()
        self._relay = Relay(told.host, self._reached) if told.relayed else None
        relay = self._relay.address if self._relay else None
        connect = connect or (connector(told, relay) if relay else connector(told))
        self.service = Service(
            told, self.address, connect,
            log=self._log, on_gone=self._end, on_champion=self._switched,
        )  # fmt: skip
        self._activity = Activity(told.idle_s)
        self._app = app.build(
            self.service,
            Gatekeeper(told, relay=relay),
            self.address,
            self._end,
            activity=self._activity,
            on_attached=self._attached,
            relay=self._relay,
        )
        self._front = front.Front(self._app, listener)
        self._resumes = told.resumes
        self._leasehold = Leasehold(told, job, self.address) if leased else None
        self._watch: Watch | None = None
        self.comes_back = False
        """Whether Jupyter is about to start this kernel anew, which then needs its lease."""

    @property
    def log_file(self) -> str | None:
        """Where its last lines and those of its workers are."""
        return str(self._log.path) if self._log else None

    def start(self) -> None:
        """Answer from now on, and prepare the model beside that."""
        if self._log and self._end_process:
            self._log.catch_faults()
        self._front.start()
        self._watch = Watch(self._activity, self._leave, sign_of_life)
        threading.Thread(target=self._prepare, name="prepare", daemon=True).start()

    def answer_over_control(self, kernel: Any) -> None:
        """Answer what comes over a kernel's control channel too: a tunnel from elsewhere."""
        from picsellia_jupyter.serving import tunnel

        tunnel.answer_over_control(kernel, self._app, self._front.loop, self.address)

    def stop(self, reason: str) -> None:
        """Finish what is under way and end; may be called again."""
        if self._watch:
            self._watch.stop()
        why = "the kernel is started anew" if self.comes_back else reason
        self.service.stop(why, comes_back=self.comes_back)
        self._let_lease_go()
        self._end_front()
        if self._log:
            self._log.close()

    def _reached(self) -> None:
        """Record what waits at once: a notebook is there, through which the platform is reached."""
        self.service.flush(0.0)

    def _prepare(self) -> None:
        self.service.prepare()
        if self._resumes:
            resuming.attach_again(self.service, self._resumes, self._attached, self._leave)

    def _attached(self, deployment_id: str) -> None:
        version = self.service.version
        if self._leasehold:
            self._leasehold.serves(deployment_id, version.title if version else "")

    def _switched(self, version: ModelVersion) -> None:
        if self._leasehold:
            self._leasehold.goes_over_to(version.id, version.title)

    def _leave(self, reason: str) -> None:
        """Stop for a reason of its own, and end the process."""
        self.service.stop(reason)
        self._end()

    def _end_front(self) -> None:
        if self._relay:
            # Notebooks that wait for requests would hold the front up.
            self._relay.close()
        self._front.stop()
        self._front.join(_FRONT_END_S)

    def _let_lease_go(self) -> None:
        if self._leasehold and not self.comes_back:
            self._leasehold.end()

    def _end(self) -> None:
        """End the front and then the process; returns at once."""
        # Not in the front's own thread, which must first send what it has to say.
        if self._ending.acquire(blocking=False):
            threading.Thread(target=self._end_now, name="end", daemon=True).start()

    def _end_now(self) -> None:
        self._let_lease_go()
        self._end_front()
        if self._end_process:
            self._end_process()


def start(job: dict[str, Any]) -> dict[str, str | None]:
    """Serve a model version from this kernel; a program that runs here already is stopped.

    Args:
        job: a serving job as JSON (`wire.resources.job_to_json`).

    Returns:
        `{"address": "http://127.0.0.1:PORT", "log_file": PATH}`, at once: how far it is, the
        front's `/control/status` tells. The log file, None where it cannot be written, holds
        the last lines of the kernel and its workers, also after they died.

    Raises:
        MissingExtraError: the packages of the extra `serving` are not installed.
    """
    stop("replaced by another start")
    try:
        end_process = functools.partial(ending.end_process, job["kernel_id"])
        program = ServingProgram(job, end_process=end_process, leased=True)
    except ModuleNotFoundError as error:
        name = error.name or "starlette"
        raise MissingExtraError("A serving kernel", name, "serving") from error
    _RUNNING.append(program)
    program.start()
    _answer_tunnels(program)
    atexit.register(program.stop, "the kernel ended")
    _stop_on_sigterm(job["kernel_id"])
    return {"address": program.address, "log_file": program.log_file}


def _answer_tunnels(program: ServingProgram) -> None:
    kernel = running_kernel()
    if kernel is None:
        return
    try:
        program.answer_over_control(kernel)
    except Exception:  # noqa: BLE001 - it still serves on this machine
        _log.exception("This kernel cannot be reached through its Jupyter server")


def stop(reason: str = "stopped") -> None:
    """Stop what this kernel serves, if anything."""
    while _RUNNING:
        program = _RUNNING.pop()
        atexit.unregister(program.stop)
        program.stop(reason)


def come_back() -> None:
    """Keep the lease when this kernel ends: Jupyter is about to start it anew."""
    for program in _RUNNING:
        program.comes_back = True


def serves_nothing() -> bool:
    """Whether nothing was started here."""
    return not _RUNNING


def _stop_on_sigterm(kernel_id: str) -> None:
    """Let a SIGTERM finish what is under way; a second one ends the kernel at once.

    It is meant for good: Jupyter, which would start the kernel anew, with nothing to serve, is
    asked to delete it.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)

    def finish(number: int, _frame: Any) -> None:
        signal.signal(number, before)
        threading.Thread(target=_stop_then_end, args=(number, kernel_id), daemon=True).start()

    signal.signal(signal.SIGTERM, finish)


def _stop_then_end(number: int, kernel_id: str) -> None:
    stop("the kernel was told to end")
    ending.have_deleted(kernel_id)
    os.kill(os.getpid(), number)
