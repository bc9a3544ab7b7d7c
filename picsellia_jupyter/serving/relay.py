"""The way to a platform that only the notebook can reach: a forward proxy in the kernel.

What this kernel asks of its platform waits here until a connected notebook fetches it, asks the
platform, and brings the reply back.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving.exchanges import Exchange, Exchanges
from picsellia_jupyter.wire import tunnel

MOST_BYTES = 64 * 1024 * 1024
"""Of a request's body: an image of 32 MiB in base64."""
_BODILESS = (204, 304)


class Relay:
    """A proxy on loopback, to one origin and nothing else; its address has its own secret."""

    def __init__(self, origin: str, on_connected: Callable[[], None] = lambda: None) -> None:
        """Listen on a free port.

        Args:
            origin: of the platform, `http://HOST:PORT`.
            on_connected: called when a notebook begins to ask for requests; must not wait.

        Raises:
            InvalidInputError: it is none, or an https one, whose requests nobody can read here.
        """
        parts = urlsplit(origin)
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidInputError(
                f"{origin} cannot be relayed: it is no http address.",
                "A relay is for a local platform; reach others directly.",
            )
        self.origin = (parts.hostname, parts.port or 80)
        self.exchanges = Exchanges(on_connected)
        secret = secrets.token_urlsafe(32)
        self._expected = "Basic " + base64.b64encode(f"relay:{secret}".encode()).decode()
        handler = type("Handler", (_Handler,), {"relay": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://relay:{secret}@127.0.0.1:{self._server.server_address[1]}"
        """For `requests` and `httpx`; it is a secret."""
        threading.Thread(target=self._server.serve_forever, name="relay", daemon=True).start()

    def __repr__(self) -> str:
        return f"Relay(origin={self.origin!r})"

    def admits(self, proxy_authorization: str) -> bool:
        """Whether this is who knows the address."""
        return hmac.compare_digest(proxy_authorization.encode(), self._expected.encode())

    def close(self) -> None:
        """Take no more requests, and let nobody wait."""
        self.exchanges.close()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection of this kernel's own HTTP clients."""

    relay: Relay
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Relay a request of any method."""
        refusal = self._refusal()
        if refusal:
            self._refuse(*refusal)
            return
        parts = urlsplit(self.path)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = self.rfile.read(self._length)
        headers = tunnel.end_to_end(self.headers.items(), without=_LEFT_OUT)
        exchange = Exchange(self.command, target, tuple(headers), body)
        exchanges = self.relay.exchanges
        try:
            if exchanges.offer(exchange):
                self._reply(exchange)
            else:
                # Its client takes this for what it is: nobody answers.
                self.close_connection = True
        except OSError:
            self.close_connection = True  # the client has gone
        finally:
            exchange.fail("It is over.")
            exchanges.end(exchange)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_XGET = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing: requests have tokens in them."""

    def _refusal(self) -> tuple[int, str] | None:
        parts = urlsplit(self.path)
        if not self.relay.admits(self.headers.get("proxy-authorization", "")):
            return 407, "This relay has a secret."
        if parts.scheme != "http" or (parts.hostname, parts.port or 80) != self.relay.origin:
            return 403, "This relay leads to one platform only."
        if self.headers.get("transfer-encoding") or not 0 <= self._length <= MOST_BYTES:
            return 413, f"A request has at most {MOST_BYTES} bytes, and says how many."
        return None

    @property
    def _length(self) -> int:
        said = self.headers.get("content-length", "0")
        return int(said) if said.isdigit() else -1

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        body = f'{{"message": "{why}"}}'.encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reply(self, exchange: Exchange) -> None:
        head = exchange.await_head()
        if head is None:
            self.close_connection = True
            return
        self.send_response_only(head.status)
        has_length = False
        for name, value in head.headers:
            has_length = has_length or name == "content-length"
            self.send_header(name, value)
        bodiless = self.command == "HEAD" or head.status in _BODILESS
        if not has_length and not bodiless:
            # Its end is that of the connection.
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        for piece in exchange.pieces():
            if not bodiless:
                self.wfile.write(piece)
        if exchange.failed:
            self.close_connection = True


_LEFT_OUT = ("host", "content-length", "proxy-authorization", "proxy-connection")
