"""Several model workers behind one bounded queue."""

from __future__ import annotations

import collections
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import NotServingError, ServingError
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving import capacity, messages
from picsellia_jupyter.serving.answering import SEND_AGAIN, Answering
from picsellia_jupyter.serving.awaiting import Awaiter
from picsellia_jupyter.serving.calls import Call, Waiting
from picsellia_jupyter.serving.channel import Message
from picsellia_jupyter.serving.messages import LoadRequest, WorkerReply
from picsellia_jupyter.serving.metering import Meter, Numbers
from picsellia_jupyter.serving.process import MODULE, WorkerLog
from picsellia_jupyter.serving.seat import Seat
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.supervisor import Limits, Supervisor
from picsellia_jupyter.serving.tensors import Tensors

PREDICT_TIMEOUT_S = 60.0
GRACE_S = 10.0
"""Images in the queue wait so long for a worker after the last one died."""
_TICK_S = 0.25
_STOP_S = 5.0
_FATAL_LIMIT = 2
"""An image over which workers died so often is not tried again: clients repeat on a 503."""

_log = logging.getLogger(__name__)

StateListener = Callable[[ServingState, str], None]
"""Told of READY, DEGRADED or UNHEALTHY, and why."""


class Pool:
    """Model workers, each with its supervisor, and the calls that wait for them.

    A call goes to the worker with the fewest. If its worker dies, it goes to another one, alone,
    so that it is known what kills; a second death over it is its own fault.
    """

    def __init__(
        self,
        request: LoadRequest,
        on_state: StateListener,
        on_line: Callable[[str], None],
        *,
        workers: int | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        photo: bytes | None = None,
        module: str = MODULE,
        grace_s: float = GRACE_S,
    ) -> None:
        """Make it; `start` starts the first worker, `grow` the others.

        Args:
            request: the model that its workers load.
            on_state: told when a worker died, is back, or is given up.
            on_line: told every line that a worker prints.
            workers: how many there are to be; as many as pay by default.
            limits: how long they may take for what.
            photo: what a worker is tried on before it is ready, so that it is warm then.
            module: what they run.
            grace_s: seconds that images wait for a worker after the last one died.
        """
        self.awaiter = Awaiter()
        """For the front's event loop, to wait for the futures of `submit`."""
        self._request = request
        self._on_state = on_state
        self._log = WorkerLog(on_line)
        self._workers = workers
        self._limits, self._photo, self._module = limits, photo, module
        self._grace_s = grace_s
        self._meter = Meter()
        self._answers = Answering(self._meter)
        self._numbering = itertools.count(1)
        self.model: LoadedModel | None = None
        """What the first worker said of the model."""
        self._seats: list[Seat] = []
        self._waiting = Waiting()
        self._open = self._stopped = False
        self._down_since: float | None = None
        self._given_up = ""
        self._told = (ServingState.READY, "")
        self._fatal: collections.deque[bytes] = collections.deque(maxlen=32)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._clerk = threading.Thread(target=self._watch_deadlines, name="deadlines", daemon=True)

    def start(self) -> LoadedModel:
        """Start the first worker and have it load the model.

        Returns:
            What the worker says of the model.

        Raises:
            ModelLoadError: the model cannot be loaded.
            NotServingError: the worker died while loading.
        """
        with self._changed:
            self._check_not_stopped()
            seat = self._seat(self._request)
        model = seat.supervisor.start()
        with self._changed:
            self._check_not_stopped()
            self.model, self._open = model, True
        self._clerk.start()
        return model

    def grow(self) -> None:
        """Start the other workers, as far as they pay; returns at once."""
        with self._changed:
            first = self.worker_pid
            if self.model is None or first is None or self._stopped:
                return
            for request in capacity.others(self._request, self.model, first, self._workers):
                self._seat(request).supervisor.start_beside()

    def _check_not_stopped(self) -> None:
        if self._stopped:
            raise NotServingError("Serving was stopped.")

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The workers' last lines."""
        return self._log.tail()

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run."""
        return tuple(pid for seat in list(self._seats) if (pid := seat.supervisor.worker_pid))

    @property
    def worker_pid(self) -> int | None:
        """Process id of the first of them."""
        return next(iter(self.worker_pids), None)

    @property
    def state(self) -> tuple[ServingState, str]:
        """READY, DEGRADED or UNHEALTHY, and why."""
        return self._told

    @property
    def pressure(self) -> float:
        """Photos under way for each worker; over 1, some wait. A moment's look."""
        return (len(self._waiting) + self._in_flight) / max(1, len(self._seats))

    def numbers(self) -> Numbers:
        """What it has done, and what it has to do."""
        with self._changed:
            return self._meter.numbers(
                workers=len(self._seats),
                ready=sum(seat.serving for seat in self._seats),
                queued=len(self._waiting),
                in_flight=self._in_flight,
            )

    def submit(
        self, image: bytes, name: str, *, record: bool, timeout_s: float = PREDICT_TIMEOUT_S
    ) -> Future[WorkerReply]:
        """Queue an image; its future may be cancelled until a worker has it.

        The future fails with a DeadlineError where `timeout_s` is over before there is an answer,
        and with a NotServingError where no worker is left.

        Raises:
            QueueFullError: too many wait already.
            NotServingError: there is no worker now.
            ServingError: workers died over this image before.
        """
        message = messages.predict_message(image, name, record=record)
        return self._queue(Call(message, name, timeout_s, messages.reply_of))

    def submit_tensors(
        self, given: Tensors, *, timeout_s: float = PREDICT_TIMEOUT_S
    ) -> Future[Tensors]:
        """Queue inputs of the model's own; its own outputs come back.

        Raises:
            QueueFullError: too many wait already.
            NotServingError: there is no worker now.
        """
        return self._queue(
            Call(messages.tensors_message(given), "", timeout_s, messages.tensors_of)
        )

    def drain(self, timeout_s: float) -> bool:
        """Take no more images and wait until those at hand are answered."""
        with self._changed:
            self._open = False
            return self._changed.wait_for(lambda: not (self._waiting or self._in_flight), timeout_s)

    def stop(self) -> None:
        """End the workers; images that still wait are answered with an error."""
        with self._changed:
            self._open, self._stopped = False, True
            left = [
                *self._waiting.take_all(),
                *(c for seat in self._seats for c in seat.take_all()),
            ]
            self._changed.notify_all()
        for seat in self._seats:
            seat.supervisor.stop()
        self._answers.fail(left, NotServingError("Serving was stopped.", "Deploy the model again."))
        for seat in self._seats:
            seat.supervisor.join(_STOP_S)

    # Dispatch ------------------------------------------------------------------------------

    def _queue(self, call: Call) -> Future[Any]:
        self._check_not_fatal(call)
        with self._lock:
            self._check_open()
            try:
                self._waiting.add(call, self._answers.each_s)
            except QueueFullError:
                self._meter.count("refused")
                raise
            self._dispatch()
            if self._waiting and self._waiting.last is call:
                call.reply.add_done_callback(lambda _: self._drop_cancelled(call))
            self._changed.notify_all()
        return call.reply

    def _check_open(self) -> None:
        if self._given_up:
            raise NotServingError(self._given_up, "Deploy the model again.")
        if not self._open or self._is_down():
            raise NotServingError("There is no model worker now.", "Send the image again soon.")

    def _check_not_fatal(self, call: Call) -> None:
        if self._fatal and call.digest in self._fatal:
            raise self._fatal_error(call)

    def _fatal_error(self, call: Call) -> ServingError:
        what = repr(call.name) if call.name else "these tensors"
        return ServingError(
            f"The model worker died over {what} {_FATAL_LIMIT} times.",
            "Leave this image out; the serving kernel's log tells more.",
            log_tail=self.log_tail,
        )

    def _dispatch(self) -> None:
        """Hand out what waits, as far as workers take it in."""
        while self._waiting:
            seat = self._seat_for(self._waiting.first)
            if seat is None:
                return
            call = self._waiting.take()
            if call.begin():
                seat.give(next(self._numbering), call)
            else:
                self._meter.count("cancelled")

    def _seat_for(self, call: Call) -> Seat | None:
        free = [seat for seat in self._seats if seat.takes(call)]
        return min(free, key=len, default=None)

    def _drop_cancelled(self, call: Call) -> None:
        if call.reply.cancelled():
            with self._changed:
                if self._waiting.take_if(lambda queued: queued is call):
                    self._meter.count("cancelled")
                    self._changed.notify_all()

    @property
    def _in_flight(self) -> int:
        return sum(map(len, self._seats))

    # What workers do -----------------------------------------------------------------------

    def answered(self, seat: Seat, message: Message) -> None:
        """A worker has answered a call."""
        with self._lock:
            call = seat.take(message.id)
            if call is None:
                return
            self._dispatch()
            self._changed.notify_all()
        self._answers.settle(call, message)

    def ready(self, seat: Seat, model: LoadedModel) -> None:
        """A worker is there, or there again."""
        with self._changed:
            if seat.failure:
                self._meter.count("restarts")
            seat.fit(model.batch)
            seat.serving, seat.seen, seat.failure = True, True, ""
            self._down_since = None
            self._dispatch()
            self._changed.notify_all()
        self._tell()

    def lost(self, seat: Seat, error: NotServingError) -> None:
        """A worker died: what it had goes to another one."""
        with self._changed:
            had_worker, seat.serving, seat.failure = seat.serving, False, error.fact
            fatal = self._put_back(seat.take_all()) if had_worker else []
            if self._down_since is None and not any(s.serving for s in self._seats):
                self._down_since = time.monotonic()
            self._dispatch()
            self._changed.notify_all()
        for call in fatal:
            self._answers.fail([call], self._fatal_error(call))
        self._tell()

    def given_up(self, seat: Seat, reason: str) -> None:
        """A place gets no further worker."""
        with self._changed:
            fatal = self._put_back(seat.take_all())
            seat.serving, seat.failure = False, reason
            if not seat.seen:
                # One more did not fit on this machine; those that run are not the worse for it.
                self._seats.remove(seat)
                _log.warning("There is one worker less than planned: %s", reason)
            last = not any(s.supervisor.runs for s in self._seats if s is not seat)
            self._given_up = reason if last else ""
            left = self._waiting.take_all() if last else []
            self._changed.notify_all()
        for call in fatal:
            self._answers.fail([call], self._fatal_error(call))
        gone = NotServingError(reason, "Deploy the model again.", log_tail=self.log_tail)
        self._answers.fail(left, gone)
        self._tell()

    def _put_back(self, had: list[Call]) -> list[Call]:
        """Queue again what a dead worker had; those calls that are to blame are returned."""
        fatal: list[Call] = []
        back: list[Call] = []
        for call in had:
            call.deaths += 1
            (fatal if call.deaths >= _FATAL_LIMIT else back).append(call)
        self._fatal.extend(call.digest for call in fatal)
        self._waiting.put_back([call for call in back if not call.claimed])
        return fatal

    # Deadlines -----------------------------------------------------------------------------

    def _watch_deadlines(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._waiting or self._in_flight)
                if self._stopped:
                    return
            self._answer_late(time.monotonic())
            time.sleep(_TICK_S)

    def _answer_late(self, now: float) -> None:
        with self._changed:
            down = self._waiting.take_all() if self._is_down() else []
            queued = self._waiting.take_late(now)
            begun = [call for seat in self._seats for call in seat.late(now)]
        gone = f"The model worker died and is not back after {self._grace_s:g} s."
        self._answers.fail(down, NotServingError(gone, SEND_AGAIN, log_tail=self.log_tail))
        for call in queued:
            self._answers.fail_late(call, "no worker had time for it")
        for call in begun:
            self._answers.fail_late(call, "its worker is still busy with it")

    def _is_down(self) -> bool:
        since = self._down_since
        return since is not None and time.monotonic() - since >= self._grace_s

    # States --------------------------------------------------------------------------------

    def _seat(self, request: LoadRequest) -> Seat:
        seat = Seat(self)
        seat.supervisor = Supervisor(
            request, seat, self._log, limits=self._limits, photo=self._photo, module=self._module
        )
        self._seats.append(seat)
        return seat

    def _tell(self) -> None:
        with self._changed:
            now = self._state()
            if now == self._told or self._stopped:
                return
            self._told = now
        try:
            self._on_state(*now)
        except Exception:  # noqa: BLE001 - the workers matter more than who is told of them
            _log.exception("The state %s could not be told", now[0].value)

    def _state(self) -> tuple[ServingState, str]:
        if self._given_up:
            return ServingState.UNHEALTHY, f"{self._given_up} Deploy the model again."
        failure = next((seat.failure for seat in self._seats if seat.failure), "")
        return (ServingState.DEGRADED if failure else ServingState.READY), failure
