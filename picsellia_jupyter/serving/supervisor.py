"""Keeps one model worker running and hands it images one after another."""

from __future__ import annotations

import collections
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import (
    NotServingError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.serving import messages
from picsellia_jupyter.serving.channel import Message
from picsellia_jupyter.serving.messages import LoadRequest, WorkerReply
from picsellia_jupyter.serving.process import WorkerLog, WorkerProcess
from picsellia_jupyter.serving.room import QueueFullError
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.tensors import Tensors

LOAD_TIMEOUT_S = 600.0
PREDICT_TIMEOUT_S = 60.0
QUEUE_LIMIT = 64
QUEUE_BYTES_LIMIT = 256 * 1024 * 1024
GRACE_S = 10.0
"""Images in the queue wait so long for a new worker after one died."""
_DEATHS_LIMIT, _DEATHS_WITHIN_S = 5, 60.0
_FATAL_LIMIT = 2
"""An image over which the worker died so often is not tried again: clients repeat on a 503."""
_BACKOFF_S = (0.1, 0.5, 1.0, 2.0)

_log = logging.getLogger(__name__)

StateListener = Callable[[ServingState, str], None]
"""Told of READY, DEGRADED or UNHEALTHY, and why."""


@dataclass(slots=True, eq=False)
class _Call:
    message: Message
    timeout_s: float
    read: Callable[[Message], Any]
    """Makes the reply of the worker's answer."""
    reply: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What there is to do, and what was done."""

    queued: int
    in_flight: int
    restarts: int
    queue_s: float
    run_s: float
    batches: Mapping[int, int]


class Supervisor:
    """One worker, a bounded queue before it, and a restart when it dies."""

    def __init__(
        self, request: LoadRequest, on_state: StateListener, on_line: Callable[[str], None]
    ) -> None:
        """Make it; `start` starts the worker.

        Args:
            request: the model that its workers load.
            on_state: told when a worker died, is back, or is given up.
            on_line: told every line that a worker prints.
        """
        self._request = request
        self._on_state = on_state
        self._log = WorkerLog(on_line)
        self._worker: WorkerProcess | None = None
        self._calls: collections.deque[_Call] = collections.deque()
        self._busy = False
        self._answered = self._restarts = 0
        self._accepting = False
        self._draining = False
        self._replacing = False
        self._stopped = False
        self._last_failure = ""
        self._changed = threading.Condition()
        self._fatal: collections.deque[bytes] = collections.deque(maxlen=32)
        self._deaths: collections.deque[float] = collections.deque(maxlen=_DEATHS_LIMIT)
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> LoadedModel:
        """Start the worker and have it load the model.

        Returns:
            What the worker says of the model.

        Raises:
            ModelLoadError: the model cannot be loaded.
            NotServingError: the worker died while loading.
        """
        model = self._load()
        self._accepting = True
        self._thread.start()
        return model

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The worker's last lines."""
        return self._log.tail()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, where one runs."""
        worker = self._worker
        return worker.pid if worker and worker.alive else None

    def numbers(self) -> Numbers:
        """What there is to do, and what was done."""
        batches = {1: self._answered} if self._answered else {}
        return Numbers(len(self._calls), int(self._busy), self._restarts, 0.0, 0.0, batches)

    def submit(
        self, image: bytes, name: str, *, record: bool, timeout_s: float = PREDICT_TIMEOUT_S
    ) -> Future[WorkerReply]:
        """Queue an image.

        Raises:
            QueueFullError: too many wait already.
            NotServingError: there is no worker now.
            ServingError: the worker died over this image before.
        """
        self._check_not_fatal(image, name)
        message = messages.predict_message(image, name, record=record)
        return self._queue(_Call(message, timeout_s, messages.reply_of))

    def submit_tensors(
        self, given: Tensors, *, timeout_s: float = PREDICT_TIMEOUT_S
    ) -> Future[Tensors]:
        """Queue inputs of the model's own; its own outputs come back.

        Raises:
            QueueFullError: too many wait already.
            NotServingError: there is no worker now.
        """
        return self._queue(_Call(messages.tensors_message(given), timeout_s, messages.tensors_of))

    def _queue(self, call: _Call) -> Future[Any]:
        with self._changed:
            if self._draining or not self._accepting:
                raise NotServingError("There is no model worker now.", "Send the image again soon.")
            waiting = sum(len(queued.message.body) for queued in self._calls)
            if (
                len(self._calls) >= QUEUE_LIMIT
                or waiting + len(call.message.body) > QUEUE_BYTES_LIMIT
            ):
                raise QueueFullError(
                    f"{len(self._calls)} images wait for the model already.",
                    "Send fewer at a time, and this one again in a second.",
                )
            self._calls.append(call)
            self._changed.notify_all()
        return call.reply

    def _check_not_fatal(self, image: bytes, name: str) -> None:
        if self._fatal and self._fatal.count(_digest(image)) >= _FATAL_LIMIT:
            raise ServingError(
                f"The model worker died over {name!r} {_FATAL_LIMIT} times.",
                "Leave this image out; the serving kernel's log tells more.",
                log_tail=self.log_tail,
            )

    def drain(self, timeout_s: float) -> bool:
        """Take no more images and wait until those at hand are answered."""
        with self._changed:
            self._draining = True
            return self._changed.wait_for(lambda: not (self._calls or self._busy), timeout_s)

    def stop(self) -> None:
        """End the worker; images that still wait are answered with an error."""
        with self._changed:
            self._stopped = True
            self._accepting = False
            if self._worker:
                self._worker.kill()
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(5.0)

    # The supervisor's own thread -----------------------------------------------------------

    def _run(self) -> None:
        while (worker := self._worker) is not None and self._go_on(worker):
            pass
        self._refuse_waiting("Serving was stopped.", "Deploy the model again.")

    def _go_on(self, worker: WorkerProcess) -> bool:
        """Answer one image, or replace a dead worker; False when there is to be none."""
        try:
            call = self._next(worker)
            if call is None:
                return self._replace(worker)
            self._answer(worker, call)
        except Exception:  # noqa: BLE001 - without this thread every image would wait forever
            _log.exception("The supervisor of the model worker failed")
            worker.end()
        return True

    def _next(self, worker: WorkerProcess) -> _Call | None:
        """The next image; None once the worker is dead or is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._calls or self._stopped or not worker.alive)
            if self._stopped or not worker.alive:
                return None
            self._busy = True
            return self._calls.popleft()

    def _answer(self, worker: WorkerProcess, call: _Call) -> None:
        try:
            if call.reply.set_running_or_notify_cancel():
                call.reply.set_result(call.read(_ask(worker, call)))
                self._answered += 1
        except PicselliaJupyterError as error:
            if isinstance(error, NotServingError):
                self._fatal.append(_digest(call.message.body))
            call.reply.set_exception(error)
        except Exception as error:  # noqa: BLE001 - it fails this image only
            _log.exception("An image could not be answered")
            call.reply.set_exception(_mistake(error))
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _replace(self, dead: WorkerProcess) -> bool:
        """Start a new worker after one died; False when there is to be none."""
        self._deaths.append(time.monotonic())
        with self._changed:
            self._replacing = True
        dead.end()
        patience = threading.Timer(GRACE_S, self._refuse_late)
        patience.daemon = True
        patience.start()
        try:
            return self._start_anew()
        finally:
            patience.cancel()

    def _start_anew(self) -> bool:
        while not self._stopped:
            if self._dies_too_often():
                self._give_up()
                return False
            died = "The model worker died and is started anew."
            self._tell(ServingState.DEGRADED, self._last_failure or died)
            if self._pause() and self._reload():
                return True
        return False

    def _give_up(self) -> None:
        why = f" The last time: {self._last_failure}" if self._last_failure else ""
        reason = f"The model worker died {_DEATHS_LIMIT} times within a minute.{why}"
        self._refuse_waiting(reason, "Deploy the model again.")
        self._tell(ServingState.UNHEALTHY, f"{reason} Deploy the model again.")

    def _refuse_late(self) -> None:
        with self._changed:
            if self._replacing:
                fact = f"The model worker died and is not back after {GRACE_S:g} s."
                self._refuse_waiting(fact, "Send the image again in a while.")

    def _refuse_waiting(self, fact: str, remedy: str) -> None:
        with self._changed:
            self._accepting = False
            waiting, self._calls = list(self._calls), collections.deque()
            self._changed.notify_all()
        for call in waiting:
            if call.reply.set_running_or_notify_cancel():
                error = NotServingError(fact, remedy, log_tail=self.log_tail)
                call.reply.set_exception(error)

    def _dies_too_often(self) -> bool:
        full = len(self._deaths) == _DEATHS_LIMIT
        return full and self._deaths[-1] - self._deaths[0] <= _DEATHS_WITHIN_S

    def _pause(self) -> bool:
        """Wait a little longer after every death; False when the supervisor is to stop."""
        wait_s = _BACKOFF_S[min(len(self._deaths), len(_BACKOFF_S)) - 1]
        with self._changed:
            return not self._changed.wait_for(lambda: self._stopped, wait_s)

    def _reload(self) -> bool:
        try:
            self._load()
        except Exception as error:  # noqa: BLE001 - whatever it is, it counts as a death
            self._deaths.append(time.monotonic())
            self._last_failure = str(error) or type(error).__name__
            return False
        with self._changed:
            self._replacing = False
            self._accepting = not self._stopped
        self._last_failure = ""
        self._restarts += 1
        self._tell(ServingState.READY, "")
        return True

    def _load(self) -> LoadedModel:
        with self._changed:
            if self._stopped:
                raise NotServingError("Serving was stopped.")
            worker = self._worker = WorkerProcess(self._log, self._notify)
        try:
            answer = worker.call(messages.load_message(self._request), timeout_s=LOAD_TIMEOUT_S)
            return messages.loaded_model(answer)
        except Exception:
            worker.end()
            raise

    def _tell(self, state: ServingState, reason: str) -> None:
        try:
            self._on_state(state, reason)
        except Exception:  # noqa: BLE001 - the worker matters more than who is told of it
            _log.exception("The state %s could not be told", state.value)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _ask(worker: WorkerProcess, call: _Call) -> Message:
    try:
        return worker.call(call.message, timeout_s=call.timeout_s)
    except PicselliaJupyterError:
        raise
    except Exception:
        # Its answer may still come, and would be taken for that to the next image.
        worker.end()
        raise


def _digest(image: bytes) -> bytes:
    return hashlib.blake2b(image, digest_size=16).digest()


def _mistake(error: Exception) -> ServingError:
    return ServingError(
        f"The image could not be answered: {type(error).__name__}: {error}",
        "The serving kernel's log tells more.",
    )
