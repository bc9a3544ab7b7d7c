"""Messages between the front and its model worker: a JSON header and raw bytes.

Never pickle: the front must be able to talk to a worker that it does not trust.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.errors import ServingError

Json = dict[str, Any]

MAX_HEADER = 16 * 1024 * 1024
MAX_BODY = 256 * 1024 * 1024
"""An image of 50 million pixels as PNG fits."""

_LENGTHS = struct.Struct("!II")


@dataclass(frozen=True, slots=True)
class Message:
    """What travels in one piece."""

    header: Json
    body: bytes = b""


class ChannelClosedError(ServingError):
    """The other side is gone."""


class Channel:
    """One end of a stream socket. One thread at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def send(self, message: Message, *, timeout_s: float | None = None) -> None:
        """Send a message.

        Raises:
            ChannelClosedError: the other side is gone.
            TimeoutError: it takes nothing in.
        """
        header = json.dumps(message.header).encode()
        try:
            self._socket.settimeout(timeout_s)
            self._socket.sendall(_LENGTHS.pack(len(header), len(message.body)) + header)
            if message.body:
                self._socket.sendall(message.body)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelClosedError("The other side closed the channel.") from error

    def receive(self, *, timeout_s: float | None = None) -> Message:
        """Wait for a message.

        Raises:
            ChannelClosedError: the other side is gone.
            TimeoutError: it did not come whole in time.
            ServingError: it is too long, or its header is no JSON object.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        header_size, body_size = _LENGTHS.unpack(self._exactly(_LENGTHS.size, deadline))
        if header_size > MAX_HEADER or body_size > MAX_BODY:
            raise ServingError(f"A message of {header_size} + {body_size} bytes is too long.")
        header = _json_object(self._exactly(header_size, deadline))
        return Message(header, bytes(self._exactly(body_size, deadline)))

    def close(self) -> None:
        """Close this end; the other one sees the end of the stream."""
        self._socket.close()

    def _exactly(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        view, got = memoryview(data), 0
        while got < size:
            got += self._some(view[got:], deadline)
        return data

    def _some(self, into: memoryview, deadline: float | None) -> int:
        left = None if deadline is None else max(0.001, deadline - time.monotonic())
        try:
            self._socket.settimeout(left)
            count = self._socket.recv_into(into)
        except TimeoutError:
            raise
        except OSError as error:
            raise ChannelClosedError("The other side closed the channel.") from error
        if count == 0:
            raise ChannelClosedError("The other side closed the channel.")
        return count


def _json_object(text: bytearray) -> Json:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ServingError(f"A message's header is no JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ServingError(f"A message's header is a {type(value).__name__}, not an object.")
    return value
