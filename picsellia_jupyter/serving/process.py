"""One model worker as its supervisor sees it: a process, a channel and a log."""

from __future__ import annotations

import collections
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import IO

from picsellia_jupyter.domain.errors import NotServingError, ServingError
from picsellia_jupyter.serving import sandbox
from picsellia_jupyter.serving.channel import Channel, Message

_LOG_LINES = 30
_LONGEST_LINE = 500


class WorkerLog:
    """The last lines that workers printed; kept across restarts."""

    def __init__(self, on_line: Callable[[str], None] = lambda _: None) -> None:
        self._lines: collections.deque[str] = collections.deque(maxlen=_LOG_LINES)
        self._on_line = on_line

    def tail(self) -> tuple[str, ...]:
        """At most 30 lines, oldest first."""
        return tuple(self._lines)

    def follow(self, stream: IO[bytes]) -> None:
        """Read a worker's output to its end."""
        with stream:
            while line := stream.readline(4 * _LONGEST_LINE):
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self._lines.append(text[:_LONGEST_LINE])
                    self._on_line(text[:_LONGEST_LINE])


class WorkerProcess:
    """A running model worker. One call at a time."""

    def __init__(self, log: WorkerLog, on_end: Callable[[], None]) -> None:
        """Start it.

        Args:
            log: takes what it prints.
            on_end: called once, from a thread, when it has ended for whatever reason.

        Raises:
            NotServingError: it cannot be started; nothing of it is left.
        """
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        self._log = log
        try:
            with theirs:
                self._process = sandbox.spawn(theirs)
        except OSError as error:
            self._channel.close()
            raise _not_started(error) from error
        try:
            self._reader = self._thread("log", lambda: log.follow(_stdout(self._process.stdout)))
            self._thread("wait", lambda: self._await_end(on_end))
        except RuntimeError as error:  # no more threads
            self.end()
            raise _not_started(error) from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def call(self, message: Message, *, timeout_s: float) -> Message:
        """Send a message and wait for its answer.

        Raises:
            NotServingError: the worker died, hung, or answered garbage; it has ended now.
        """
        try:
            self._channel.send(message, timeout_s=timeout_s)
            return self._channel.receive(timeout_s=timeout_s)
        except TimeoutError:
            self.end()
            raise NotServingError(
                f"The model worker did not answer within {timeout_s:g} s and was ended.",
                "Send the image again; it is started anew.",
                log_tail=self._log.tail(),
            ) from None
        except ServingError as error:
            raise self._obituary() from error

    def kill(self) -> None:
        """End it at once; a call that waits for it fails. Any thread may do this."""
        self._process.kill()

    def end(self) -> None:
        """End it, wait until it is gone, and let go of what is left."""
        self._process.kill()
        self._process.wait()
        self._channel.close()
        if self._process.stdin:
            self._process.stdin.close()

    def _await_end(self, on_end: Callable[[], None]) -> None:
        self._process.wait()
        on_end()

    def _obituary(self) -> NotServingError:
        how = "closed its channel"
        if self._ended_by_itself():
            how = _ended_how(self._process.returncode)
        self.end()
        self._reader.join(1.0)  # its last words may still be in the pipe
        return NotServingError(
            f"The model worker {how}.",
            "Send the image again; it is started anew.",
            log_tail=self._log.tail(),
        )

    def _ended_by_itself(self) -> bool:
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _thread(self, name: str, run: Callable[[], object]) -> threading.Thread:
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
