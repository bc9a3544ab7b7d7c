"""One model worker as the front sees it: a process, a channel, a pulse and a log."""

from __future__ import annotations

import collections
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from picsellia_jupyter.domain.errors import NotServingError, ServingError
from picsellia_jupyter.serving import sandbox
from picsellia_jupyter.serving.channel import Channel, ChannelClosedError, Message
from picsellia_jupyter.serving.pulse import Pulse

MODULE = "picsellia_jupyter.serving.worker"
_LOG_LINES = 50
_LONGEST_LINE = 500
_IDLE_WARNING = "[W:onnxruntime:"
"""What onnxruntime writes as it is imported in a sandbox, whatever the model."""


class WorkerLog:
    """The last lines that workers printed, but idle warnings; kept across restarts."""

    def __init__(self, on_line: Callable[[str], None] = lambda _: None) -> None:
        self._lines: collections.deque[str] = collections.deque(maxlen=_LOG_LINES)
        self._on_line = on_line

    def tail(self) -> tuple[str, ...]:
        """At most 50 lines, oldest first."""
        return tuple(self._lines)

    def follow(self, stream: IO[bytes]) -> None:
        """Read a worker's output to its end."""
        with stream:
            while line := stream.readline(4 * _LONGEST_LINE):
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self._on_line(text[:_LONGEST_LINE])
                if text and _IDLE_WARNING not in text:
                    self._lines.append(text[:_LONGEST_LINE])


class WorkerProcess:
    """A running model worker."""

    def __init__(
        self,
        log: WorkerLog,
        on_message: Callable[[Message], None],
        on_end: Callable[[], None],
        *,
        module: str = MODULE,
        reads: Sequence[Path] = (),
        device: str = "auto",
    ) -> None:
        """Start it.

        Args:
            log: takes what it prints.
            on_message: told, in a thread of the worker's own, what it answers.
            on_end: called, in another one, after `ended` was set.
            module: what it runs.
            reads: the model's own files.
            device: `cpu` keeps it from graphics cards.

        Raises:
            NotServingError: it cannot be started; nothing of it is left.
        """
        self.ended = threading.Event()
        """Set once it is gone, all that it answered was told, and its log was read."""
        self._log = log
        self._why = ""
        self._on_end = on_end
        self._rest: collections.deque[Message | list[memoryview]] = collections.deque()
        self._sending = threading.RLock()
        self._more = threading.Condition(self._sending)
        (ours, theirs), (pulse, its_pulse) = socket.socketpair(), socket.socketpair()
        self._channel, self.pulse = Channel(ours), Pulse(pulse)
        try:
            with theirs, its_pulse:
                self._process = sandbox.spawn(theirs, its_pulse, module, reads=reads, device=device)
        except OSError as error:
            self._let_go()
            raise _not_started(error) from error
        self._start_threads(on_message)

    def _start_threads(self, on_message: Callable[[Message], None]) -> None:
        try:
            output = _stdout(self._process.stdout)
            log = _thread("log", lambda: self._log.follow(output))
            receiver = _thread("answers", lambda: self._receive(on_message))
            _thread("questions", self._send_rest)
            _thread("wait", lambda: self._await_end(receiver, log))
        except RuntimeError as error:  # no more threads
            self._process.kill()
            self._process.wait()
            self._let_go()
            raise _not_started(error) from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def send(self, message: Message) -> None:
        """Send a message; never waits. What a dead worker is sent is lost."""
        with self._sending:
            try:
                rest = message if self._rest else self._channel.offer(message)
            except ChannelClosedError:
                return
            if rest:
                self._rest.append(rest)
                self._more.notify()

    def kill(self, why: str = "") -> None:
        """End it at once; any thread may do this.

        Args:
            why: what its obituary says in place of how it ended.
        """
        self._why = self._why or why
        self._process.kill()

    def end(self) -> None:
        """End it and wait until it is gone."""
        self.kill("was ended")
        self.ended.wait()

    def obituary(self) -> NotServingError:
        """How it ended; it has."""
        return NotServingError(
            f"The model worker {self._why or _ended_how(self._process.returncode)}.",
            "Send the image again; it is started anew.",
            log_tail=self._log.tail(),
        )

    def _receive(self, on_message: Callable[[Message], None]) -> None:
        try:
            while True:
                on_message(self._channel.receive())
        except ChannelClosedError:
            self._kill_unless_ending()
        except Exception as error:  # noqa: BLE001 - what it sends next cannot be told apart
            self.kill(f"answered what cannot be read ({error}) and was ended")

    def _kill_unless_ending(self) -> None:
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.kill("closed its channel and was ended")

    def _send_rest(self) -> None:
        """Send what did not fit at once."""
        while True:
            with self._more:
                self._more.wait_for(lambda: self._rest or self.ended.is_set())
                if self.ended.is_set():
                    return
                rest = self._rest[0]
            try:
                if isinstance(rest, Message):
                    self._channel.send(rest)
                else:
                    self._channel.send_rest(rest)
            except ChannelClosedError:
                return
            with self._more:
                self._rest.popleft()

    def _await_end(self, receiver: threading.Thread, log: threading.Thread) -> None:
        self._process.wait()
        # Its last answers and words may still be on their way; a process that it started
        # may hold the other ends open for ever.
        receiver.join(1.0)
        log.join(1.0)
        self._let_go()
        self.ended.set()
        with self._more:
            self._rest.clear()
            self._more.notify()
        self._on_end()

    def _let_go(self) -> None:
        self._channel.close()
        self.pulse.close()
        process: subprocess.Popen[bytes] | None = getattr(self, "_process", None)
        if process and process.stdin:
            process.stdin.close()


def _thread(name: str, run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run, name=f"model worker: {name}", daemon=True)
    thread.start()
    return thread


def _not_started(error: Exception) -> NotServingError:
    return NotServingError(
        f"The model worker could not be started: {error}.",
        "End other processes on this machine, then deploy the model again.",
    )


def _stdout(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ServingError("The model worker has no output to read.")
    return stream


def _ended_how(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = "; out of memory, perhaps" if -code == signal.SIGKILL else ""
    return f"was ended by {name}{hint}"
