"""One HTTP request that came over the control channel, run by the front's ASGI app."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from picsellia_jupyter.wire import tunnel
from picsellia_jupyter.wire.windows import WINDOW_BYTES, WINDOW_MESSAGES, Incoming, Outgoing

_log = logging.getLogger(__name__)

Say = Callable[[tunnel.ToNotebook], None]
App = Callable[..., Any]


class Exchange:
    """A request and its reply. Lives in the front's event loop."""

    def __init__(self, opened: tunnel.Open, address: str, say: Say) -> None:
        self.id = opened.id
        self.say = say
        """Says something to the notebook; another one once that connected anew."""
        self.deadline_s = opened.deadline_s
        self.touched = asyncio.get_running_loop().time()
        """When something was last heard or said."""
        self.finished = False
        """Whether its reply was said in full, or given up."""
        self._opened = opened
        self._address = address
        self._requests = Incoming()
        self._replies: Outgoing[tunnel.ToNotebook] = Outgoing()
        self._pieces: deque[tunnel.Open | tunnel.Body] = deque()
        self._head: tuple[int, tunnel.Headers] | None = None
        self._gone = False
        self._changed = asyncio.Event()

    @property
    def kept_bytes(self) -> int:
        """What it holds of replies that were not acknowledged."""
        return self._replies.bytes

    @property
    def began(self) -> bool:
        """Whether some of its reply was said."""
        return self._replies.next > 0

    async def run(self, app: App) -> None:
        """Have the app answer; a failure of the app is said as well."""
        try:
            await app(self._scope(), self._receive, self._send)
        except Exception:  # noqa: BLE001 - of an app that is not ours to know
            _log.exception("A request over the tunnel failed")
        finally:
            if not self.finished and not self._gone:
                self.refuse(500, "The serving kernel made a mistake.", "Its log says which.")
            self._end()

    def take(self, piece: tunnel.Open | tunnel.Body) -> None:
        """Accept the next piece of the request's body; one that came before is passed over."""
        self._touch()
        seq = 0 if isinstance(piece, tunnel.Open) else piece.seq
        if self.finished or not self._requests.takes(seq):
            return
        self._pieces.append(piece)
        if len(self._pieces) > WINDOW_MESSAGES or self._waiting_bytes() > 2 * WINDOW_BYTES:
            self.refuse(413, "More of the body came than was asked for.", "Send it again.")
        self._changed.set()

    def acknowledge(self, ack: tunnel.Ack) -> None:
        """Note what arrived; say the rest again where the notebook connected anew."""
        self._touch()
        self._replies.acknowledge(ack.seq)
        if ack.resume:
            if not self.finished:
                self._acknowledge_request()
            for message in self._replies.unacknowledged():
                self.say(message)
        self._changed.set()

    def leave(self) -> None:
        """Keep nothing of it, and tell the app that nobody waits, as a closed connection would."""
        self._gone = True
        self._replies.clear()
        self._changed.set()

    def refuse(self, status: int, fact: str, remedy: str) -> None:
        """End it with an error."""
        opened = self._opened
        # It is kept like a reply, since it may have to be said again.
        self._tell(tunnel.Refused(opened.id, opened.incarnation, status, fact, remedy), 0)
        self._end()

    def _end(self) -> None:
        self.finished = True
        self._pieces.clear()
        self._changed.set()

    def _waiting_bytes(self) -> int:
        return sum(len(piece.body) for piece in self._pieces)

    def _scope(self) -> dict[str, Any]:
        opened = self._opened
        path, _, query = opened.target.partition("?")
        host = self._address.removeprefix("http://")
        headers = tunnel.end_to_end(opened.headers, without=("host",))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": opened.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "root_path": "",
            # What the front expects; who asks is the token's affair.
            "headers": [
                (b"host", host.encode()),
                *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers),
            ],
            "client": None,
            "server": (host.partition(":")[0], int(host.partition(":")[2] or 80)),
            "state": {},
        }

    async def _receive(self) -> dict[str, Any]:
        while not self._gone and not self.finished:
            if self._pieces:
                return self._use(self._pieces.popleft())
            await self._change()
        return {"type": "http.disconnect"}

    def _use(self, piece: tunnel.Open | tunnel.Body) -> dict[str, Any]:
        if self._requests.use(len(piece.body)) and piece.more:
            self._acknowledge_request()
        return {"type": "http.request", "body": piece.body, "more_body": piece.more}

    def _acknowledge_request(self) -> None:
        opened = self._opened
        self.say(tunnel.Ack(opened.id, opened.incarnation, self._requests.used))

    async def _send(self, event: dict[str, Any]) -> None:
        if self._gone or self.finished:
            return
        if event["type"] == "http.response.start":
            headers = [(_text(name), _text(value)) for name, value in event.get("headers", ())]
            self._head = event["status"], tunnel.end_to_end(headers)
        elif event["type"] == "http.response.body":
            body = b"" if self._opened.method == "HEAD" else bytes(event.get("body", b""))
            await self._send_body(body, bool(event.get("more_body", False)))

    async def _send_body(self, body: bytes, more: bool) -> None:
        if self.began and more and not body:
            return
        left = len(body)
        for piece in tunnel.pieces(body):
            left -= len(piece)
            while not self._replies.has_room and not self._gone:
                await self._change()
            if self._gone:
                return
            self._tell(self._reply(piece, more or left > 0), len(piece))
        if not more:
            self._end()

    def _reply(self, body: bytes, more: bool) -> tunnel.ToNotebook:
        opened = self._opened
        if self._head is None:
            raise RuntimeError("the app sent a body before its status")
        if self.began:
            seq = self._replies.next
            return tunnel.Body(opened.id, opened.incarnation, seq, body, more)
        return tunnel.Head(opened.id, opened.incarnation, *self._head, body, more)

    def _tell(self, message: tunnel.ToNotebook, size: int) -> None:
        self._touch()
        self._replies.add(message, size)
        self.say(message)

    def _touch(self) -> None:
        self.touched = asyncio.get_running_loop().time()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def _text(value: bytes) -> str:
    return value.decode("latin-1")
