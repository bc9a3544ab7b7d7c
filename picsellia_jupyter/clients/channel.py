"""One websocket to a kernel of a Jupyter server or gateway, in an asyncio event loop."""

from __future__ import annotations

import asyncio
import socket
import ssl
import uuid
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import HTTPError
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    websocket_connect,
)

from picsellia_jupyter.clients.door import Door
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.wire import kernel_messages
from picsellia_jupyter.wire.kernel_messages import KernelMessage
from picsellia_jupyter.wire.predictions import Json

_ANSWER_TIMEOUT_S = 30.0
"""A server answers only once the kernel did."""
_LOOK_S = 2.0
_PING_S = 10.0
_MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Others may make a kernel say much more than we do."""


class KernelChannel:
    """Sends on the control channel; hears what of the kernel concerns us."""

    def __init__(
        self, connection: WebSocketClientConnection, session: str, kinds: frozenset[str]
    ) -> None:
        self._connection = connection
        self._session = session
        self._kinds = kinds
        self._v1 = connection.selected_subprotocol == kernel_messages.V1

    def say(self, kind: str, content: Json) -> str:
        """Send a message on the control channel; its id. Nothing is sent once it is closed."""
        message_id = uuid.uuid4().hex
        header = kernel_messages.header(kind, message_id, self._session)
        frame = kernel_messages.encode("control", header, content, v1=self._v1)
        try:
            sending = self._connection.write_message(frame, binary=self._v1)
        except WebSocketClosedError:
            return message_id
        # `hear` tells of a broken connection.
        sending.add_done_callback(lambda done: done.cancelled() or done.exception())
        return message_id

    async def hear(self) -> KernelMessage | None:
        """The next message of one of the kinds; None once the connection is closed."""
        while (frame := await self._connection.read_message()) is not None:
            self._acknowledge_at_once()
            try:
                message = kernel_messages.decode(frame, self._kinds)
            except (ValueError, KeyError, TypeError):
                continue
            if message is not None:
                return message
        return None

    def close(self) -> None:
        """Close the connection, in order or not."""
        self._connection.close()
        stream = self._stream()
        if stream is not None:
            stream.close()

    def _acknowledge_at_once(self) -> None:
        """Have the system confirm a frame now, not 40 ms later.

        Jupyter servers leave Nagle's algorithm on: their next small frame waits for that.
        """
        stream = self._stream()
        if stream is None or stream.closed():
            return
        if hasattr(socket, "TCP_QUICKACK"):
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        else:
            # An unasked pong carries the confirmation; a ping would be answered, and worse.
            self._connection.protocol._write_frame(True, 0xA, b"")  # type: ignore[union-attr]

    def _stream(self) -> Any:
        return getattr(self._connection.protocol, "stream", None)


async def connect(
    server: JupyterServer,
    kernel_id: str,
    kinds: frozenset[str],
    tls: ssl.SSLContext | None = None,
) -> KernelChannel:
    """Connect to a kernel.

    Args:
        server: a Jupyter server or a Kernel Gateway.
        kernel_id: one of its kernels.
        kinds: the types of messages to hear.
        tls: how to check the server's certificate; as the system does by default.

    Raises:
        LinkError: it cannot be done; says why, never with the token.
    """
    session = uuid.uuid4().hex
    door = Door(server, kernel_id, tls)
    connecting = asyncio.ensure_future(_handshake(door, session))
    try:
        while not (await asyncio.wait((connecting,), timeout=_LOOK_S))[0]:
            await door.look()
        connection = connecting.result()
    except (HTTPError, WebSocketError, OSError) as error:
        raise await door.named(error) from None
    finally:
        connecting.cancel()
    connection.protocol.set_nodelay(True)  # type: ignore[union-attr]
    return KernelChannel(connection, session, kinds)


def _handshake(door: Door, session: str) -> Awaitable[WebSocketClientConnection]:
    query = urlencode({"session_id": session})
    request = door.request(
        f"{door.kernel_path}/channels?{query}", scheme="ws", timeout_s=_ANSWER_TIMEOUT_S
    )
    return websocket_connect(
        request,
        subprotocols=[kernel_messages.V1],
        ping_interval=_PING_S,
        max_message_size=_MAX_FRAME_BYTES,
    )
