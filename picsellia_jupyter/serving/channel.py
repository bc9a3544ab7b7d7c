"""Messages between the front and its model worker: a number, a JSON header and raw bytes.

Never pickle: the front must be able to talk to a worker that it does not trust.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Any

import orjson

from picsellia_jupyter.domain.errors import ServingError

Json = dict[str, Any]

MAX_HEADER = 16 * 1024 * 1024
MAX_BODY = 256 * 1024 * 1024
"""An image of 50 million pixels as PNG fits."""

_FRAME = struct.Struct("!QII")
_FLAG = getattr(socket, "MSG_NOSIGNAL", 0)
_BUFFER = 256 * 1024
_PARTS = 64
"""Sent in one call; systems allow some hundreds."""


@dataclass(frozen=True, slots=True)
class Message:
    """What travels in one piece."""

    header: Json
    body: bytes = b""
    id: int = 0
    """Of the question; its answer bears the same, whenever it comes."""


class ChannelClosedError(ServingError):
    """The other side is gone."""


class Channel:
    """One end of a stream socket. Any thread may send; one receives."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(True)
        # Answers come in bursts: read at once, they cost one system call, and one hand-over of
        # the interpreter to another thread.
        self._stream = connection.makefile("rb", _BUFFER)
        self._sending = threading.Lock()

    def send(self, *messages: Message) -> None:
        """Send messages, one after another; waits until the other side has taken them in.

        Raises:
            ChannelClosedError: the other side is gone.
        """
        self.send_rest([part for message in messages for part in _parts(message)])

    def send_rest(self, parts: list[memoryview]) -> None:
        """Send what `offer` left.

        Raises:
            ChannelClosedError: the other side is gone.
        """
        try:
            with self._sending:
                while parts:
                    parts = _rest(parts, self._socket.sendmsg(parts[:_PARTS], [], _FLAG))
        except OSError as error:
            raise _closed() from error

    def offer(self, message: Message) -> list[memoryview]:
        """Send as much of a message as fits at once; what is left of it.

        Raises:
            ChannelClosedError: the other side is gone.
        """
        parts = _parts(message)
        try:
            with self._sending:
                while parts:
                    flags = _FLAG | socket.MSG_DONTWAIT
                    parts = _rest(parts, self._socket.sendmsg(parts, [], flags))
        except BlockingIOError:
            return parts
        except OSError as error:
            raise _closed() from error
        return parts

    def receive(self) -> Message:
        """Wait for a message.

        Raises:
            ChannelClosedError: the other side is gone.
            ServingError: it is too long, or its header is no JSON object.
        """
        number, header_size, body_size = _FRAME.unpack(self._exactly(_FRAME.size))
        if header_size > MAX_HEADER or body_size > MAX_BODY:
            raise ServingError(f"A message of {header_size} + {body_size} bytes is too long.")
        header = _json_object(self._exactly(header_size))
        return Message(header, self._exactly(body_size), number)

    def close(self) -> None:
        """Close this end; who waits at either end is told."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._stream.close()
        self._socket.close()

    def _exactly(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except (OSError, ValueError) as error:  # a ValueError once it is closed at this end
            raise _closed() from error
        if len(data) < size:
            raise _closed()
        return data


def _parts(message: Message) -> list[memoryview]:
    """A message as it travels; its body is not copied."""
    header = _spelt(message.header)
    frame = _FRAME.pack(message.id, len(header), len(message.body))
    parts = [memoryview(frame + header)]
    return [*parts, memoryview(message.body)] if message.body else parts


def _rest(parts: list[memoryview], sent: int) -> list[memoryview]:
    """What is left of parts of which so many bytes were sent."""
    for index, part in enumerate(parts):
        if sent < len(part):
            return [part[sent:], *parts[index + 1 :]]
        sent -= len(part)
    return []


def _closed() -> ChannelClosedError:
    return ChannelClosedError("The other side closed the channel.")


def _spelt(header: Json) -> bytes:
    try:
        return orjson.dumps(header, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # such as a path whose bytes are no UTF-8
        return json.dumps(header, separators=(",", ":")).encode()


def _read(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:  # it refuses halves of characters, which `_spelt` may have written
        return json.loads(text)


def _json_object(text: bytes) -> Json:
    try:
        value = _read(text)
    except (ValueError, RecursionError) as error:
        raise ServingError(f"A message's header is no JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ServingError(f"A message's header is a {type(value).__name__}, not an object.")
    return value
