"""A client that goes away in the middle of its request."""

from __future__ import annotations

import socket


def break_off(host: str, method: str, path: str, token: str) -> None:
    """Begin a request of 1,000 bytes, send half of it, and wait until the server has let go.

    Args:
        host: `http://127.0.0.1:PORT`.
        method: of HTTP.
        path: with its query.
        token: sent as a bearer.
    """
    name, port = host.removeprefix("http://").split(":")
    head = f"{method} {path} HTTP/1.1\r\nHost: {name}:{port}\r\nAuthorization: Bearer {token}\r\n"
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + b"{" * 500)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
