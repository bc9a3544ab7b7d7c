"""Keeps one model worker running: starts it, watches it, starts it anew when it dies."""

from __future__ import annotations

import collections
import contextlib
import logging
import threading
import time
from concurrent.futures import Future, InvalidStateError, wait
from dataclasses import dataclass
from typing import Protocol

from picsellia_jupyter.domain.errors import NotServingError, PicselliaJupyterError
from picsellia_jupyter.serving import messages
from picsellia_jupyter.serving.channel import Message
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.process import MODULE, WorkerLog, WorkerProcess
from picsellia_jupyter.serving.signature import LoadedModel

_OWN = 0
"""Number of the supervisor's own messages."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a worker may take for what; in seconds."""

    load_s: float = 600.0
    tick_s: float = 1.0
    """How often a worker is looked at."""
    pulse_s: float = 8.0
    """Without a sign of life, it hangs."""
    stall_s: float = 9.0
    """Without an answer though it was asked, it hangs; more for a slow model."""
    stall_share: float = 20.0
    """A slow model may take so many times as long as for the first photo."""
    stall_s_per_byte: float = 1e-6
    """A large photo takes long to decode."""
    first_s: float = 60.0
    """For the first photo, over which compilers run and libraries are loaded."""
    backoff_s: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0)
    """Before a worker is started anew."""
    deaths: int = 5
    """So many within `deaths_s`, and it is given up."""
    deaths_s: float = 60.0


class Listener(Protocol):
    """Whose worker it is. Called from any thread."""

    @property
    def asked_bytes(self) -> int | None:
        """Bytes of what the worker was asked and has not answered; None for nothing."""

    def answered(self, message: Message) -> None:
        """The worker has answered."""

    def ready(self, model: LoadedModel) -> None:
        """The worker is there, or there again."""

    def lost(self, error: NotServingError) -> None:
        """The worker died; what it was asked is not going to be answered."""

    def given_up(self, reason: str) -> None:
        """There is to be no further worker."""


class Supervisor:
    """One worker at a time, and a restart when it dies or hangs."""

    def __init__(
        self,
        request: LoadRequest,
        listener: Listener,
        log: WorkerLog,
        *,
        limits: Limits = Limits(),
        photo: bytes | None = None,
        module: str = MODULE,
    ) -> None:
        """Make it; `start` or `start_beside` starts the worker.

        Args:
            request: the model that its workers load.
            listener: told of their answers and deaths.
            log: takes what they print.
            limits: how long they may take.
            photo: what a worker is tried on before it is ready, so that it is warm then.
            module: what they run.
        """
        self._request = request
        self._listener = listener
        self._log = log
        self._limits = limits
        self._photo = photo
        self._module = module
        self._worker: WorkerProcess | None = None
        self._own: Future[Message] = Future()
        self._model = LoadedModel("")
        self._answers = 0
        self._photo_s = 0.0
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._deaths: collections.deque[float] = collections.deque(maxlen=limits.deaths)
        self._thread: threading.Thread | None = None
        self._over = False

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, where one runs."""
        worker = self._worker
        return worker.pid if worker and worker.alive else None

    @property
    def runs(self) -> bool:
        """Whether it has a worker, or is to have one."""
        return self._thread is not None and not self._over

    def start(self) -> LoadedModel:
        """Start the worker and have it load the model.

        Returns:
            What the worker says of the model.

        Raises:
            ModelLoadError: the model cannot be loaded.
            NotServingError: the worker died while loading, or took too long.
        """
        self._begin(self._load())
        return self._model

    def start_beside(self) -> None:
        """Start the worker from a thread; given up if it does not load at the first try."""
        self._begin(None)

    def send(self, message: Message) -> None:
        """Send a message to the worker; never waits."""
        if worker := self._worker:
            worker.send(message)

    def stop(self) -> None:
        """End the worker at once, whatever it does."""
        self._stopping.set()
        with self._starting:
            if self._worker:
                self._worker.kill("was stopped")

    def join(self, timeout_s: float) -> None:
        """Wait until the worker is gone."""
        if self._thread:
            self._thread.join(timeout_s)

    # Its own thread ------------------------------------------------------------------------

    def _begin(self, worker: WorkerProcess | None) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(worker,), name="supervisor", daemon=True
        )
        self._thread.start()

    def _run(self, worker: WorkerProcess | None) -> None:
        try:
            current = worker or self._load()
            while not self._stopping.is_set():
                self._listener.ready(self._model)
                self._watch(current)
                current = self._anew(current.obituary())
        except Exception as error:  # noqa: BLE001 - without this thread nobody would notice a death
            self._over = True
            if not self._stopping.is_set():
                self._give_up(error)
        finally:
            if self._worker:
                self._worker.end()

    def _give_up(self, error: Exception) -> None:
        if isinstance(error, _GivenUpError | PicselliaJupyterError):
            self._listener.given_up(str(error))
            return
        _log.error("The supervisor of a model worker failed", exc_info=error)
        self._listener.given_up(f"The model worker is given up: {error}.")

    def _watch(self, worker: WorkerProcess) -> None:
        """Wait until the worker has ended; end it if it hangs."""
        limits, seen, silent_s = self._limits, self._answers, 0.0
        while not worker.ended.wait(limits.tick_s):
            worker.pulse.beat()
            asked, answers = self._listener.asked_bytes, self._answers
            # Counted in ticks, not timed: while the front stands still, the worker owes nothing.
            silent_s = 0.0 if asked is None or answers != seen else silent_s + limits.tick_s
            seen = answers
            if worker.pulse.missed * limits.tick_s >= limits.pulse_s:
                worker.kill(f"gave no sign of life for {limits.pulse_s:g} s and was ended")
            elif silent_s >= self._patience_s(asked or 0):
                worker.kill(f"did not answer within {silent_s:g} s and was ended")

    def _patience_s(self, asked_bytes: int) -> float:
        limits = self._limits
        usual = limits.stall_share * self._photo_s if self._answers else limits.first_s
        return max(limits.stall_s, usual) + limits.stall_s_per_byte * asked_bytes

    def _anew(self, error: NotServingError) -> WorkerProcess:
        """Start a new worker after one died."""
        while True:
            self._deaths.append(time.monotonic())
            if self._dies_too_often():
                raise _GivenUpError(
                    f"The model worker died {self._limits.deaths} times within "
                    f"{self._limits.deaths_s:g} s. The last time: {error.fact}"
                )
            self._listener.lost(error)
            backoff = self._limits.backoff_s
            self._stopping.wait(backoff[min(len(self._deaths), len(backoff)) - 1])
            try:
                return self._load()
            except Exception as failure:  # whatever it is, it counts as a death
                if self._stopping.is_set():
                    raise
                error = NotServingError(str(failure) or type(failure).__name__)

    def _dies_too_often(self) -> bool:
        deaths = self._deaths
        return len(deaths) == deaths.maxlen and deaths[-1] - deaths[0] <= self._limits.deaths_s

    # Loading -------------------------------------------------------------------------------

    def _load(self) -> WorkerProcess:
        with self._starting:
            if self._stopping.is_set():
                raise NotServingError("Serving was stopped.")
            self._own = Future()
            worker = self._worker = WorkerProcess(
                self._log,
                self._take,
                self._end,
                module=self._module,
                reads=self._request.files,
                device=self._request.device,
            )
        try:
            load = messages.load_message(self._request)
            answer = self._ask(worker, load, self._limits.load_s, "load the model")
            self._model = messages.loaded_model(answer)
            self._warm(worker)
        except Exception:
            worker.end()
            raise
        return worker

    def _warm(self, worker: WorkerProcess) -> None:
        """Have the worker predict on a photo twice; what it says of it is for the dry run."""
        if self._photo is None:
            return
        question = messages.predict_message(self._photo, "warm-up.jpg", record=False)
        for _ in ("cold", "warm"):
            began = time.monotonic()
            self._ask(worker, question, self._limits.first_s, "predict on a first photo")
            self._photo_s = time.monotonic() - began

    def _ask(self, worker: WorkerProcess, message: Message, within_s: float, what: str) -> Message:
        own: Future[Message] = Future()
        self._own = own
        worker.send(message)
        if worker.ended.is_set():
            self._end()
        answered, _ = wait([own], within_s)
        if answered:
            return own.result()
        worker.kill()
        raise NotServingError(
            f"The model worker did not {what} within {within_s:g} s and was ended.",
            "Deploy a smaller model, or free this machine of other work.",
            log_tail=self._log.tail(),
        )

    def _take(self, message: Message) -> None:
        self._answers += 1
        if message.id != _OWN:
            self._listener.answered(message)
        elif not self._own.done():
            self._own.set_result(message)

    def _end(self) -> None:
        with contextlib.suppress(InvalidStateError):
            if self._worker:
                self._own.set_exception(self._worker.obituary())


class _GivenUpError(Exception):
    """There is to be no further worker."""
