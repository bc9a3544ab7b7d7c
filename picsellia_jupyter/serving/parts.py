"""A multipart form read part by part, so that a long one is never in memory whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import form

_LONGEST_HEAD = 2048
_DISCARDED = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a form."""

    name: str
    filename: str | None
    """None where it is a text."""
    content: bytes
    """Empty where there was too much of it."""
    size: int
    """Bytes that there were."""


class Parts:
    """The parts of a form, each as soon as it has arrived; read once."""

    def __init__(self, receive: Receive, boundary: bytes, *, at_most: int) -> None:
        """Read nothing yet.

        Args:
            receive: gives the body.
            boundary: as the content type names it.
            at_most: bytes of a part that are kept; a longer one comes without its content.
        """
        self._body = _Body(receive)
        self._fence = b"\r\n--" + boundary
        self._at_most = at_most

    async def __aiter__(self) -> AsyncIterator[Part]:
        """One part after another.

        Raises:
            InvalidInputError: the form is broken, or ends early.
            ClientDisconnect: the client went away.
        """
        body = self._body
        await body.expect(self._fence)
        while await body.take(2) == b"\r\n":
            head, _ = await body.until(b"\r\n\r\n", at_most=_LONGEST_HEAD)
            try:
                name, filename = form.names_in(head)
            except ValueError as error:
                raise _broken(f"it has {error}") from None
            content, size = await body.until(self._fence, at_most=self._at_most)
            yield Part(name, filename, content, size)

    async def drain(self) -> None:
        """Take the rest, so that its sender sees our answer; up to 128 MiB of it."""
        await self._body.drain()


class _Body:
    """The body of a request, taken from the front."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        # The first boundary has no line before it; with one it is like all others.
        self._held = bytearray(b"\r\n")
        self._more = True

    async def expect(self, start: bytes) -> None:
        """Take what the body must begin with."""
        if await self.take(len(start)) != start:
            raise _broken("it does not begin with its boundary")

    async def take(self, count: int) -> bytes:
        """The next bytes."""
        while len(self._held) < count:
            await self._fill()
        return self._cut(count)

    async def until(self, mark: bytes, *, at_most: int) -> tuple[bytes, int]:
        """What comes before a mark, which is taken, too; nothing of it where it is too much."""
        dropped = seen = 0
        while (at := self._held.find(mark, seen)) < 0:
            seen = max(len(self._held) - len(mark) + 1, 0)
            if dropped + seen > at_most:
                del self._held[:seen]
                dropped, seen = dropped + seen, 0
            await self._fill()
        size = dropped + at
        content = self._cut(at)
        self._cut(len(mark))
        return (b"" if size > at_most else content), size

    async def drain(self) -> None:
        """Take the rest, which says nothing."""
        dropped = 0
        while self._more and dropped < _DISCARDED:
            dropped += len(self._held)
            self._held.clear()
            await self._fill()

    async def _fill(self) -> None:
        if not self._more:
            raise _broken("it ends in the middle of a part")
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._held += message.get("body", b"")
        self._more = message.get("more_body", False)

    def _cut(self, count: int) -> bytes:
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken


def _broken(why: str) -> InvalidInputError:
    return InvalidInputError(
        f"The form cannot be read: {why}.",
        "Send text fields first, then every image as a file part 'media'.",
    )
