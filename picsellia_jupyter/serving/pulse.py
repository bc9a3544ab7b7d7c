"""Whether a worker still moves: the front asks a thread of it that does nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading

_PING = b"."


class Pulse:
    """The front's end. One thread at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._asked = False
        self.missed = 0
        """How many beats the last question has gone without an answer.

        Counted, not timed: while the front itself stands still, the worker owes nothing.
        """

    def beat(self) -> None:
        """Look for the answer to the last question, and ask anew where it came."""
        with contextlib.suppress(OSError):
            if self._asked and not self._answered():
                self.missed += 1
                return
            self.missed = 0
            self._asked = True
            self._socket.send(_PING)

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()

    def _answered(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            return bool(self._socket.recv(64))
        return False


def answer_from_thread(connection: socket.socket) -> None:
    """Answer every question of the front from a thread of its own, as a worker does."""
    threading.Thread(target=_answer, args=(connection,), name="pulse", daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while question := connection.recv(64):
            connection.send(question)
