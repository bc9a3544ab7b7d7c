"""What is asked of the workers: calls, and the bounded queue in which they wait."""

from __future__ import annotations

import collections
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.serving.channel import Message

COUNT_LIMIT = 64
BYTES_LIMIT = 256 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Call:
    """One message to a worker, and who waits for what it answers."""

    message: Message
    name: str
    """Of the image; empty where there is none."""
    timeout_s: float
    read: Callable[[Message], Any]
    """Makes the reply of the worker's answer."""
    reply: Future[Any] = field(default_factory=Future)
    came: float = field(default_factory=time.monotonic)
    began: float | None = None
    """When a worker was first given it."""
    deaths: int = 0
    """Workers that died while they had it."""
    claimed: bool = False
    size: int = field(init=False)
    """Bytes."""

    def __post_init__(self) -> None:
        self.size = len(self.message.body)

    @property
    def deadline(self) -> float:
        """When its answer is due, as `time.monotonic` counts."""
        return self.came + self.timeout_s

    @property
    def waited_s(self) -> float:
        """Seconds until a worker had it."""
        return (self.began or time.monotonic()) - self.came

    @property
    def digest(self) -> bytes:
        """What tells its image from others."""
        return hashlib.blake2b(self.message.body, digest_size=16).digest()

    def begin(self) -> bool:
        """Whether somebody still waits for its answer; it cannot be cancelled from now on."""
        if self.began is not None:
            return not self.claimed
        self.began = time.monotonic()
        return self.reply.set_running_or_notify_cancel()

    def claim(self) -> bool:
        """Whether the caller is the first who is to answer it."""
        first, self.claimed = not self.claimed, True
        return first

    def fail(self, error: Exception) -> None:
        """Answer it with an error; whoever does so has claimed it."""
        if self.began is not None or self.begin():
            self.reply.set_exception(error)


class Waiting:
    """Calls that no worker has yet, in their order; those that were begun already go first.

    Whoever uses it from several threads holds a lock.
    """

    def __init__(self, *, count: int = COUNT_LIMIT, size: int = BYTES_LIMIT) -> None:
        """Make it empty, for so many calls and bytes."""
        self._calls: collections.deque[Call] = collections.deque()
        self._count, self._size = count, size
        self._held = 0

    def __len__(self) -> int:
        return len(self._calls)

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def first(self) -> Call:
        """The next one."""
        return self._calls[0]

    @property
    def last(self) -> Call:
        """The one that came last."""
        return self._calls[-1]

    def add(self, call: Call, seconds_each: float) -> None:
        """Queue a call.

        Args:
            call: the new one.
            seconds_each: after how many seconds, at present, one leaves after the other.

        Raises:
            QueueFullError: too many wait already, or too long for its deadline.
        """
        full = len(self._calls) >= self._count or self._held + call.size > self._size
        expected_s = len(self._calls) * seconds_each
        if full or expected_s > call.timeout_s:
            raise QueueFullError(
                f"{len(self._calls)} images wait for the model already.",
                "Send fewer at a time, and this one again in a second.",
                retry_after_s=expected_s if full else expected_s - call.timeout_s,
            )
        self._calls.append(call)
        self._held += call.size

    def put_back(self, calls: list[Call]) -> None:
        """Queue calls again that a worker could not answer, before all others."""
        self._calls.extendleft(reversed(calls))
        self._held += sum(call.size for call in calls)

    def take(self) -> Call:
        """The next one, out of the queue."""
        call = self._calls.popleft()
        self._held -= call.size
        return call

    def take_all(self) -> list[Call]:
        """All of them, out of the queue."""
        return self.take_if(lambda _: True)

    def take_late(self, now: float) -> list[Call]:
        """Those past their deadline, out of the queue."""
        return self.take_if(lambda call: call.deadline <= now)

    def take_if(self, chosen: Callable[[Call], bool]) -> list[Call]:
        """Some of them, out of the queue."""
        taken = [call for call in self._calls if chosen(call)]
        if taken:
            self._calls = collections.deque(call for call in self._calls if not chosen(call))
            self._held -= sum(call.size for call in taken)
        return taken
