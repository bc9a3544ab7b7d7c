"""A platform that now and then answers a prediction with anything but the truth."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TROUBLES = (
    "500", "429", "401", "200 []", "201 {}", "201 <html>", "409 {}", "409 <html>", "slow",
    "reset", "recorded, then reset", "recorded, then 500", "recorded, then 201 {}",
)  # fmt: skip


class Chaos:
    """Stands before a real local platform; each entry of `troubles` meets one prediction."""

    def __init__(self, platform: str, known_as: str = "") -> None:
        self.platform = platform.removeprefix("http://")
        self.troubles: list[str] = []
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
        if not (troubles and self.path.endswith("/predictions")):
            self._pass_on(body)
            return
        first, _, then = troubles.pop(0).partition(", then ")
        if first == "recorded":
            self._ask(body)
            first = then
        if first == "slow":
            time.sleep(0.3)
            self._pass_on(body)
        elif first == "reset":
            self.close_connection = True
            self.connection.close()
        else:
            status, _, said = first.partition(" ")
            self._answer(int(status), (said or '{"message": "Not now."}').encode())

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
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
