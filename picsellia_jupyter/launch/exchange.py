"""One HTTP request on its way through a tunnel, on the notebook's side."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from picsellia_jupyter.domain.errors import (
    DeadlineError,
    InvalidInputError,
    NotServingError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.wire import tunnel
from picsellia_jupyter.wire.windows import Incoming, Outgoing

Say = Callable[[tunnel.ToKernel], None]

_REFUSALS = {
    413: InvalidInputError,
    tunnel.STALE: NotServingError,
    503: NotServingError,
    504: DeadlineError,
}
"""The errors that the kernel's refusals are; any other is a mistake of its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The head of a request."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]


class Exchange:
    """A request and its reply. Lives in the tunnel's event loop."""

    def __init__(self, asked: Asked, incarnation: str, deadline_s: float, say: Say) -> None:
        self.id = uuid.uuid4().hex
        self.incarnation = incarnation
        """The start of the kernel that is asked."""
        self.touched = time.monotonic()
        """When something was last heard or said."""
        self.deadline_s = deadline_s
        self.complete = False
        """Whether the whole reply arrived."""
        self._asked = asked
        self._say = say
        self._requests: Outgoing[tunnel.ToKernel] = Outgoing()
        self._replies = Incoming()
        self._pieces: deque[tunnel.Head | tunnel.Body] = deque()
        self._error: PicselliaJupyterError | None = None
        self._changed = asyncio.Event()

    @property
    def started(self) -> bool:
        """Whether any of it was said."""
        return self._requests.next > 0

    async def feed(self, body: bytes, *, more: bool) -> None:
        """Send the next piece of the request's body, once there is room for it."""
        while not self._requests.has_room and not self._over:
            await self._change()
        if self._over:
            return
        message = self._piece(body, more)
        self._requests.add(message, len(body))
        self._touch()
        self._say(message)

    async def reply(self) -> tunnel.Head | tunnel.Body:
        """The next piece of the reply.

        Raises:
            PicselliaJupyterError: there will be none.
        """
        while not self._pieces:
            if self._error is not None:
                raise self._error
            await self._change()
        piece = self._pieces.popleft()
        if self._replies.use(len(piece.body)) and not self.complete:
            self._say(tunnel.Ack(self.id, self.incarnation, self._replies.used))
        return piece

    def hear(self, message: tunnel.Head | tunnel.Body | tunnel.Ack | tunnel.Refused) -> None:
        """Take what the kernel says of it."""
        self._touch()
        if isinstance(message, tunnel.Refused):
            kind = _REFUSALS.get(message.status, ServingError)
            self.fail(kind(message.fact, message.remedy))
        elif isinstance(message, tunnel.Ack):
            self._requests.acknowledge(message.seq)
            self._changed.set()
        elif self._replies.takes(message.seq if isinstance(message, tunnel.Body) else 0):
            self._pieces.append(message)
            self.complete = not message.more
            self._changed.set()

    def fail(self, error: PicselliaJupyterError) -> None:
        """End it, unless its reply arrived in full."""
        if not self.complete and self._error is None:
            self._error = error
        self._changed.set()

    def greet(self, incarnation: str, *, anew: bool) -> None:
        """Go on after the kernel said which incarnation it is.

        Args:
            incarnation: of the kernel.
            anew: whether the connection is a new one; then what may not have arrived is said
                again, and what did not arrive here is asked for.
        """
        if not self.started:
            self.incarnation = incarnation
        elif anew and not self._over:
            for message in self._requests.unacknowledged():
                self._say(message)
            self._say(tunnel.Ack(self.id, self.incarnation, self._replies.next, resume=True))

    @property
    def overdue(self) -> bool:
        """Whether neither side said anything for as long as it may take."""
        return time.monotonic() - self.touched > self.deadline_s

    @property
    def _over(self) -> bool:
        return self.complete or self._error is not None

    def _piece(self, body: bytes, more: bool) -> tunnel.ToKernel:
        if self.started:
            return tunnel.Body(self.id, self.incarnation, self._requests.next, body, more)
        asked = self._asked
        left_s = max(0.0, self.deadline_s - (time.monotonic() - self.touched))
        return tunnel.Open(
            self.id, self.incarnation, left_s, asked.method, asked.target, asked.headers, body, more
        )

    def _touch(self) -> None:
        self.touched = time.monotonic()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
