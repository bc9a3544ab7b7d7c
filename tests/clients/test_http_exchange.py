"""One exchange with a front, over a real connection, where the proxy alone cannot be watched."""

from __future__ import annotations

import asyncio
import socket

import pytest

from picsellia_jupyter.clients import http_exchange
from picsellia_jupyter.clients.http_exchange import LOOPBACK, HttpExchange, Origin


class Taker:
    """Keeps what the front says."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.body = b""

    async def begin(self, status, headers) -> None:
        self.status = status

    async def take(self, chunk) -> None:
        self.body += chunk


async def _ask(answer: bytes, taker: Taker) -> bool:
    """Ask a front that says this and then nothing; whether the reply was complete."""
    gone = asyncio.Event()

    async def front(reader, writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()  # until the other side has gone
        gone.set()
        writer.close()

    server = await asyncio.start_server(front, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        one = await HttpExchange.open(Origin(LOOPBACK, port), ("GET", "/"), (), taker)
        complete = await one.finish_sending()
        await asyncio.wait_for(gone.wait(), 10)
        return complete


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nonly"])
def test_a_front_that_falls_silent_is_given_up(monkeypatch, answer):
    monkeypatch.setattr(http_exchange, "SILENCE_S", 0.05)
    taker = Taker()
    assert asyncio.run(_ask(answer, taker)) is False
    assert taker.body == (b"only" if answer else b"")


def test_a_front_that_does_not_close_the_connection_is_not_waited_for():
    taker = Taker()
    answer = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthis"
    assert asyncio.run(_ask(answer, taker)) is True
    assert (taker.status, taker.body) == (200, b"this")


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
)  # fmt: skip
def test_what_is_no_http_is_no_reply(answer):
    assert asyncio.run(_ask(answer, Taker())) is False


def test_where_nobody_listens_it_is_said_at_once():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(ConnectionRefusedError, match=f"Nobody answers at port {port}"):
            asyncio.run(HttpExchange.open(Origin(LOOPBACK, port), ("GET", "/"), (), Taker()))
