"""A tiny front for a kernel of these tests: says what it saw, streams, and dies."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from picsellia_jupyter.clients import processes
from picsellia_jupyter.launch import leases

TOKEN = "token-of-the-front"
LINES = (b'{"index": 0}\n', b'{"index": 1}\n')


def serve(kernel_id: str) -> str:
    """Serve in the kernel that runs this, and register it; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    register(kernel_id, address)
    return address


def register(kernel_id: str, address: str) -> None:
    """Leave a lease for this very process."""
    lease = leases.Lease(
        kernel_id=kernel_id,
        pid=os.getpid(),
        started=processes.started(os.getpid()) or "",
        address=address,
        front_token=TOKEN,
        deployment_id=None,
        title="a tiny front",
        place="local",
        idle_s=None,
        version="0",
        job={},
    )
    leases.write(lease)


class Handler(BaseHTTPRequestHandler):
    """What is asked for is in the last part of the path."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    events: ClassVar = {name: threading.Event() for name in ("go", "begun")}

    def do_POST(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2].replace("-", "_")
        getattr(self, f"_{name}", self._seen)()

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        pass

    def _seen(self) -> None:
        digest, count = hashlib.sha256(), 0
        for piece in self._body():
            digest.update(piece)
            count += len(piece)
        said = {
            "method": self.command,
            "target": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "bytes": count,
            "sha256": digest.hexdigest(),
        }
        self._reply(200, json.dumps(said).encode(), ("Content-Type", "application/json"))

    def _live(self) -> None:
        """`/health/live`, as a front of ours answers it."""
        self._reply(200, b'{"live": true}', ("Content-Type", "application/json"))

    def _stream(self) -> None:
        """A line; the other one once it is asked for."""
        self._head(200, ("Transfer-Encoding", "chunked"), ("Content-Type", "application/x-ndjson"))
        self._chunk(LINES[0])
        assert self.events["go"].wait(30)
        self._chunk(LINES[1])
        self._chunk(b"")

    def _go(self) -> None:
        self.events["go"].set()
        self._reply(200, b"")

    def _upload(self) -> None:
        body = self._body()
        first = next(body)
        self.events["begun"].set()
        self._reply(200, first + b"".join(body))

    def _begun(self) -> None:
        """Answers once `upload` has some of its body."""
        self._reply(200 if self.events["begun"].wait(30) else 504, b"")

    def _large(self) -> None:
        self._head(200, ("Content-Length", str(60 * 1024**2)))
        for _ in range(60):
            self.wfile.write(b"\xa5" * 1024**2)

    def _dies_with_a_length(self) -> None:
        self._read_all()
        self._head(200, ("Content-Length", "1000"))
        self.wfile.write(b"only this")
        self.close_connection = True

    def _dies_in_chunks(self) -> None:
        self._head(200, ("Transfer-Encoding", "chunked"))
        self._chunk(LINES[0])
        self.close_connection = True

    def _dies(self) -> None:
        self.close_connection = True

    def _too_much(self) -> None:
        """An answer before the body is read, as a busy front gives it."""
        self._reply(413, b"no more")
        self._read_all()

    def _redirect(self) -> None:
        self._read_all()
        self._reply(307, b"", ("Location", "http://127.0.0.1:1/secret"))

    def _endless(self) -> None:
        self._read_all()
        self._head(200)
        self.wfile.write(b"without a length")
        self.close_connection = True

    def _page(self) -> None:
        """All that a front may say and the proxy must not pass on."""
        text = b"<script>alert(1)</script>"
        self._reply(
            200,
            text,
            ("Content-Type", "text/html"),
            ("Set-Cookie", "evil=1; Path=/"),
            ("Content-Security-Policy", "default-src *"),
            ("Access-Control-Allow-Origin", "*"),
            ("Clear-Site-Data", '"*"'),
            ("Refresh", "0; url=http://elsewhere.test"),
        )

    def _reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self._head(status, ("Content-Length", str(len(body))), *headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _read_all(self) -> None:
        for _ in self._body():
            pass

    def _body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read1(min(left, 1024**2))
            left -= len(piece)
            yield piece
