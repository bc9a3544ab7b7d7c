"""One worker's place in a pool: its supervisor, and the calls that it has."""

from __future__ import annotations

from typing import Protocol

from picsellia_jupyter.domain.errors import NotServingError
from picsellia_jupyter.serving.calls import Call
from picsellia_jupyter.serving.channel import Message
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.supervisor import Supervisor

_WINDOW = 8
"""Calls that a worker has at least: so many photos are decoded while the model is busy."""
_WINDOW_BYTES = 64 * 1024 * 1024
"""Bytes that a worker has at most, unless one call has more by itself."""


class Owner(Protocol):
    """The pool. Called from any thread."""

    def answered(self, seat: Seat, message: Message) -> None:
        """A worker has answered a call."""

    def ready(self, seat: Seat, model: LoadedModel) -> None:
        """A worker is there, or there again."""

    def lost(self, seat: Seat, error: NotServingError) -> None:
        """A worker died."""

    def given_up(self, seat: Seat, reason: str) -> None:
        """A place gets no further worker."""


class Seat:
    """The calls that one worker has. Plays `supervisor.Listener`.

    Whoever changes it holds the pool's lock.
    """

    supervisor: Supervisor

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._calls: dict[int, Call] = {}
        self._held = 0
        self._kept_alone = False
        self.window = _WINDOW
        self.serving = False
        """Whether its worker is ready."""
        self.failure = ""
        """Why it is not, where it was before."""
        self.seen = False
        """Whether it ever had a worker that was ready."""

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def asked_bytes(self) -> int | None:
        """Bytes of what the worker was asked and has not answered; None for nothing."""
        return self._held if self._calls else None

    def fit(self, batch: int) -> None:
        """Give the worker enough to fill a batch while it runs another one."""
        self.window = max(_WINDOW, 2 * batch)

    def takes(self, call: Call) -> bool:
        """Whether it can be given a call; one over which a worker died is kept alone."""
        if not self.serving or not self._calls:
            return self.serving
        if call.deaths or self._kept_alone:
            return False
        return len(self._calls) < self.window and self._held + call.size <= _WINDOW_BYTES

    def give(self, number: int, call: Call) -> None:
        """Send a call to its worker."""
        self._calls[number] = call
        self._held += call.size
        self._kept_alone = call.deaths > 0
        self.supervisor.send(Message(call.message.header, call.message.body, number))

    def take(self, number: int) -> Call | None:
        """The call of that number, no longer its worker's."""
        call = self._calls.pop(number, None)
        if call:
            self._held -= call.size
        return call

    def take_all(self) -> list[Call]:
        """All its calls, no longer its worker's."""
        calls = list(self._calls.values())
        self._calls.clear()
        self._held = 0
        return calls

    def late(self, now: float) -> list[Call]:
        """Calls whose deadline is over; they stay its worker's, which is busy with them."""
        return [call for call in self._calls.values() if call.deadline <= now]

    # What its supervisor tells -------------------------------------------------------------

    def answered(self, message: Message) -> None:
        """The worker has answered."""
        self._owner.answered(self, message)

    def ready(self, model: LoadedModel) -> None:
        """The worker is there, or there again."""
        self._owner.ready(self, model)

    def lost(self, error: NotServingError) -> None:
        """The worker died."""
        self._owner.lost(self, error)

    def given_up(self, reason: str) -> None:
        """There is to be no further worker."""
        self._owner.given_up(self, reason)
