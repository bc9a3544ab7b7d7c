"""Fewer system calls for a reply: its head and its body leave together."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_AT_ONCE = 64 * 1024
"""Bytes that are sent without waiting for more."""


class GatheredWrites(asyncio.Transport):
    """A transport that sends two writes of one turn of the event loop in one go.

    uvicorn writes a reply's head and body one after the other. Each write is a packet and a
    system call, which together cost more than parsing the request.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> None:
        """Send this soon, with whatever else is written before."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(bytes(data))
        self._size += len(data)
        if len(self._waiting) > 1 or self._size >= _AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Send what waits, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what waits is lost."""
        self._waiting = []
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        """Bytes that are not sent yet."""
        return self._size + self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport beneath knows."""
        return self._transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def is_reading(self) -> bool:
        """Whether data is received."""
        return self._transport.is_reading()

    def pause_reading(self) -> None:
        """Receive nothing more for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive again."""
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have another protocol told of what is received."""
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """What is told of what is received."""
        return self._transport.get_protocol()

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting, self._size = self._waiting, [], 0
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))


class GatheringProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over gathered writes."""

    def connection_made(self, transport: Any) -> None:
        """Begin to speak over a connection."""
        super().connection_made(GatheredWrites(transport))
