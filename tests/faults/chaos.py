"""A proxy before a platform that now and then does to a prediction whatever a network can."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERS = (
    "500", "429", "401", "408", "502", "503", "200 []", "201 {}", "201 <html>", "409 {}",
    "409 <html>", "slow", "reset", "dropped", "garbage", "cut on its way", "truncated", "drip",
)  # fmt: skip
"""What may happen to a prediction; all but the slow ones and the drip keep it from the platform."""
LOST_REPLIES = tuple(
    f"recorded, then {answer}"
    for answer in ("reset", "dropped", "garbage", "truncated", "500", "408", "503", "201 {}")
)
TROUBLES = ANSWERS + LOST_REPLIES
DROPPED_S = 0.3
"""A connection that is dropped is silent for so long before it ends."""
DRIP_S = 0.002
"""Between two bytes of an answer that drips."""


class Chaos:
    """Stands before a real local platform; each entry of `troubles` meets one prediction."""

    def __init__(self, platform: str, known_as: str = "") -> None:
        self.platform = platform.removeprefix("http://")
        self.troubles: list[str] = []
        self.poison = b""
        """A prediction whose body has this in it is refused for good, with HTTP 422."""
        handler = type("Handler", (_Handler,), {"chaos": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.host = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.known_as = (known_as or self.host).removeprefix("http://")
        """The address that the platform's replies name."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def chaos_before(platform: str, known_as: str = "") -> Iterator[Chaos]:
    """Stand before a platform for a while."""
    made = Chaos(platform, known_as)
    try:
        yield made
    finally:
        made.close()


class _Handler(BaseHTTPRequestHandler):
    chaos: Chaos
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on(self._body())

    def do_POST(self) -> None:
        body, troubles = self._body(), self.chaos.troubles
        if not self.path.endswith("/predictions"):
            self._pass_on(body)
        elif self.chaos.poison and self.chaos.poison in body:
            self._answer(422, b'{"message": "This is no prediction."}')
        elif troubles:
            self._spoil(body, troubles.pop(0))
        else:
            self._pass_on(body)

    def _spoil(self, body: bytes, trouble: str) -> None:
        first, _, then = trouble.partition(", then ")
        said = b'{"message": "Not now."}'
        if first == "recorded":
            _, said = self._ask(body)
            first = then
        ways = {
            "slow": self._slowly, "drip": self._drip, "cut on its way": self._cut,
            "reset": self._reset, "dropped": self._dropped, "garbage": self._garbage,
            "truncated": self._truncated,
        }  # fmt: skip
        if first in ways:
            ways[first](said if then else body)
        else:
            status, _, text = first.partition(" ")
            self._answer(int(status), text.encode() or b'{"message": "Not now."}')

    def _slowly(self, body: bytes) -> None:
        time.sleep(0.3)
        self._pass_on(body)

    def _drip(self, body: bytes) -> None:
        status, said = self._ask(body)
        self._begin(status, len(said))
        for one in said:
            self.wfile.write(bytes([one]))
            time.sleep(DRIP_S)

    def _cut(self, body: bytes) -> None:
        """The platform has half of the request, and then nothing more."""
        host, _, port = self.chaos.platform.partition(":")
        head = f"{self.command} {self.path} HTTP/1.1\r\nHost: {self.chaos.platform}\r\n"
        headers = "".join(f"{key}: {value}\r\n" for key, value in self.headers.items())
        with socket.create_connection((host, int(port)), 10) as there:
            there.sendall(f"{head}{headers}\r\n".encode() + body[: len(body) // 2])
        self._reset(b"")

    def _reset(self, _: bytes) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def _dropped(self, _: bytes) -> None:
        time.sleep(DROPPED_S)
        self.close_connection = True

    def _garbage(self, _: bytes) -> None:
        self.wfile.write(b"\x16\x03\x01\x00\xff\x00 no HTTP \r\n\r\n" * 3)
        self.close_connection = True

    def _truncated(self, said: bytes) -> None:
        self._begin(201, len(said))
        self.wfile.write(said[: len(said) // 2])
        self.close_connection = True

    do_XGET = do_GET  # noqa: N815 - the SDK's own method

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection(self.chaos.platform)) as there:
            headers = {**self.headers, "Host": self.chaos.platform, "Content-Length": len(body)}
            there.request(self.command, self.path, body, headers)
            reply = there.getresponse()
            return reply.status, reply.read()

    def _pass_on(self, body: bytes) -> None:
        status, said = self._ask(body)
        # The platform tells the SDK where its services are.
        named = self.chaos.known_as.encode()
        self._answer(status, said.replace(self.chaos.platform.encode(), named))

    def _answer(self, status: int, body: bytes) -> None:
        self._begin(status, len(body))
        self.wfile.write(body)

    def _begin(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
