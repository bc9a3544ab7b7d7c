"""One websocket to a kernel of a Jupyter server or gateway, in an asyncio event loop."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.wire import kernel_messages
from picsellia_jupyter.wire.kernel_messages import KernelMessage
from picsellia_jupyter.wire.predictions import Json

if TYPE_CHECKING:
    from tornado.websocket import WebSocketClientConnection

_CONNECT_TIMEOUT_S = 10.0
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
        from tornado.websocket import WebSocketClosedError

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
    from tornado.httpclient import HTTPError, HTTPRequest
    from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
    from tornado.websocket import WebSocketError, websocket_connect

    session = uuid.uuid4().hex
    query = urlencode({"session_id": session})
    path = f"/api/kernels/{quote(kernel_id, safe='')}/channels?{query}"
    request = HTTPRequest(
        server.url.replace("http", "ws", 1) + path,
        headers=_headers(server),
        connect_timeout=_CONNECT_TIMEOUT_S,
        request_timeout=_ANSWER_TIMEOUT_S,
        follow_redirects=False,
        ssl_options=_tls_of(server, tls),
    )
    connecting = asyncio.ensure_future(
        websocket_connect(
            request,
            subprotocols=[kernel_messages.V1],
            ping_interval=_PING_S,
            max_message_size=_MAX_FRAME_BYTES,
        )
    )
    try:
        while not (await asyncio.wait((connecting,), timeout=_LOOK_S))[0]:
            # A server goes on waiting for a kernel that is ended meanwhile.
            await _look(server, kernel_id, tls)
        connection = connecting.result()
    except HTTPTimeoutError:
        raise _unreachable(server, TimeoutError("it took too long")) from None
    except (HTTPStreamClosedError, ConnectionResetError):
        raise _closed(server) from None
    except HTTPError as error:
        raise await _named(server, kernel_id, error.code, tls) from None
    except ssl.SSLError as error:
        raise _tls_error(server, error) from None
    except WebSocketError:
        raise _wrong_address(server, "answers, but not as a kernel's websocket") from None
    except OSError as error:
        raise _unreachable(server, error) from None
    finally:
        connecting.cancel()
    connection.protocol.set_nodelay(True)  # type: ignore[union-attr]
    return KernelChannel(connection, session, kinds)


async def _named(
    server: JupyterServer, kernel_id: str, status: int, tls: ssl.SSLContext | None
) -> LinkError:
    if status in (401, 403):
        return LinkError(
            Trouble.UNAUTHORIZED,
            f"The Jupyter server at {server.url} does not accept the token ({status}).",
            "It may have expired: get a new one there, then set PICSELLIA_PLACE_TOKEN.",
        )
    if status == 404 and await _is_jupyter(server, tls):
        return LinkError(
            Trouble.GONE,
            f"The Jupyter server at {server.url} has no kernel {kernel_id} any more.",
            "It was ended or culled: deploy again.",
        )
    if status >= 500:
        return LinkError(
            Trouble.UNREACHABLE,
            f"The Jupyter server at {server.url} failed with status {status}.",
            "See its log; it is being tried again.",
        )
    return _wrong_address(server, f"answers with status {status}")


async def _look(server: JupyterServer, kernel_id: str, tls: ssl.SSLContext | None) -> None:
    """See whether it makes sense to go on waiting for a server.

    Raises:
        LinkError: it has no such kernel any more, or speaks no TLS and so never answers.
    """
    plain = JupyterServer(server.url.replace("https", "http", 1), "")
    if plain.url != server.url and await _is_jupyter(plain, None):
        raise _no_tls(server, "it answers without")
    status, _ = await _get(server, f"/api/kernels/{quote(kernel_id, safe='')}", tls)
    if status == 404:
        raise await _named(server, kernel_id, status, tls)


async def _is_jupyter(server: JupyterServer, tls: ssl.SSLContext | None) -> bool:
    """Whether the address is a Jupyter server's; the same with a wrong path is not."""
    status, body = await _get(server, "/api", tls)
    try:
        return status == 200 and "version" in json.loads(body)
    except (ValueError, TypeError):
        return False


async def _get(server: JupyterServer, path: str, tls: ssl.SSLContext | None) -> tuple[int, bytes]:
    """Status and body of a reply; 599 where there is none."""
    from tornado.httpclient import AsyncHTTPClient, HTTPRequest

    client = AsyncHTTPClient(force_instance=True)
    request = HTTPRequest(
        server.url + path,
        headers=_headers(server),
        request_timeout=_CONNECT_TIMEOUT_S,
        follow_redirects=False,
        ssl_options=_tls_of(server, tls),
    )
    try:
        reply = await client.fetch(request, raise_error=False)
    except OSError:
        return 599, b""
    finally:
        client.close()
    return reply.code, reply.body or b""


def _headers(server: JupyterServer) -> dict[str, str]:
    return {"Authorization": f"token {server.token}"} if server.token else {}


def _tls_of(server: JupyterServer, tls: ssl.SSLContext | None) -> ssl.SSLContext | None:
    # Made anew each time, so that SSL_CERT_FILE may be set in a notebook that runs.
    return tls or (ssl.create_default_context() if server.url.startswith("https") else None)


def _unreachable(server: JupyterServer, error: Exception) -> LinkError:
    cause = getattr(error, "real_error", None) or error
    if isinstance(cause, ssl.SSLError):
        return _tls_error(server, cause)
    why = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return LinkError(
        Trouble.UNREACHABLE,
        f"The Jupyter server at {server.url} does not answer: {why}.",
        "Is it running, and is the address right? It is being tried again.",
    )


def _tls_error(server: JupyterServer, error: ssl.SSLError) -> LinkError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return LinkError(
            Trouble.TLS,
            f"The certificate of {server.url} is not trusted: {error.verify_message}.",
            "If it is self-signed, save it as a file and set SSL_CERT_FILE to its path.",
        )
    return _no_tls(server, str(error.reason))


def _no_tls(server: JupyterServer, why: str) -> LinkError:
    return LinkError(
        Trouble.TLS,
        f"{server.url} does not speak TLS: {why}.",
        "Write the address with http:// if that server has no certificate.",
    )


def _closed(server: JupyterServer) -> LinkError:
    return LinkError(
        Trouble.UNREACHABLE,
        f"The server at {server.url} closed the connection without a word.",
        "Write the address with https:// if it has a certificate. It is being tried again.",
    )


def _wrong_address(server: JupyterServer, what: str) -> LinkError:
    return LinkError(
        Trouble.WRONG_ADDRESS,
        f"There is no Jupyter server at {server.url}: it {what}.",
        "Give the address that the browser shows before /lab or /tree.",
    )
