"""How much of a numbered row of messages may be under way, and what must be said again."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

WINDOW_BYTES = 4 * 1024 * 1024
WINDOW_MESSAGES = 64
_ACK_BYTES = WINDOW_BYTES // 4
_ACK_MESSAGES = WINDOW_MESSAGES // 4

Sent = TypeVar("Sent")


class Outgoing(Generic[Sent]):
    """The sender's side: keeps each message until it is acknowledged."""

    def __init__(self) -> None:
        self.next = 0
        """The number of the next message."""
        self._kept: deque[tuple[int, int, Sent]] = deque()
        self.bytes = 0
        """Bytes of bodies that are kept."""

    @property
    def has_room(self) -> bool:
        """Whether one more message may be sent."""
        return self.bytes < WINDOW_BYTES and len(self._kept) < WINDOW_MESSAGES

    def add(self, message: Sent, size: int) -> None:
        """Note that a message is sent whose body has `size` bytes."""
        self._kept.append((self.next, size, message))
        self.next += 1
        self.bytes += size

    def acknowledge(self, seq: int) -> None:
        """Forget every message before `seq`."""
        while self._kept and self._kept[0][0] < seq:
            self.bytes -= self._kept.popleft()[1]

    def clear(self) -> None:
        """Forget all."""
        self.acknowledge(self.next)

    def unacknowledged(self) -> list[Sent]:
        """What must be said again after the connection broke, in its order."""
        return [message for _, _, message in self._kept]


class Incoming:
    """The receiver's side: takes messages in their order, each once."""

    def __init__(self) -> None:
        self.next = 0
        """The number of the next message that is taken."""
        self.used = 0
        """Messages that were used; what an acknowledgement says."""
        self._bytes = 0
        self._messages = 0

    def takes(self, seq: int) -> bool:
        """Whether this is the next message; one that came before or too early is not."""
        if seq != self.next:
            return False
        self.next += 1
        return True

    def use(self, size: int) -> bool:
        """Note that the oldest unused message was used; whether it is time to say so."""
        self.used += 1
        self._bytes += size
        self._messages += 1
        if self._bytes < _ACK_BYTES and self._messages < _ACK_MESSAGES:
            return False
        self._bytes = self._messages = 0
        return True
