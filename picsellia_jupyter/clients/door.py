"""The way into a kernel of a Jupyter server, and what is wrong where there is none."""

from __future__ import annotations

import json
import ssl
from typing import Literal
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import WebSocketError

from picsellia_jupyter.clients import server_errors
from picsellia_jupyter.clients.http_exchange import Origin
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.clients.labserver import proxied_front
from picsellia_jupyter.domain.links import LinkError

_CONNECT_TIMEOUT_S = 10.0


class Door:
    """Asks a server about one kernel, in an asyncio event loop. Errors never hold the token."""

    def __init__(
        self, server: JupyterServer, kernel_id: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._url = server.url
        self._kernel_id = kernel_id
        self._tls = tls
        self.kernel_path = f"/api/kernels/{quote(kernel_id, safe='')}"

    def request(
        self, path: str, *, scheme: Literal["http", "ws"] = "http", timeout_s: float
    ) -> HTTPRequest:
        """A request with the token."""
        token = self._server.token
        return HTTPRequest(
            self._url.replace("http", scheme, 1) + path,
            headers={"Authorization": f"token {token}"} if token else {},
            connect_timeout=_CONNECT_TIMEOUT_S,
            request_timeout=timeout_s,
            follow_redirects=False,
            ssl_options=self._context(),
        )

    async def look(self) -> None:
        """See whether it makes sense to go on waiting for the server.

        It waits for a kernel even if that is ended meanwhile, and never answers one who speaks
        TLS to it if it does not.

        Raises:
            LinkError: it makes none.
        """
        if self._url.startswith("https"):
            plain = JupyterServer(self._url.replace("https", "http", 1), "")
            if await Door(plain, self._kernel_id)._is_jupyter():
                raise server_errors.no_tls(self._url, "it answers without")
        status, _ = await self._get(self.kernel_path)
        if status == 404:
            raise await self._of_status(status)

    @property
    def origin(self) -> Origin:
        """The server, for a connection of one's own."""
        return Origin.of(self._url, self._context())

    async def is_proxied(self) -> bool | None:
        """Whether the server has our extension, whose proxy leads to the kernel's front.

        Returns:
            None where that cannot be told now.
        """
        path = proxied_front(self._server, self._kernel_id, "").url.removeprefix(self._url)
        status, body = await self._get(f"{path}/health/live")
        try:
            if status == 200 and "live" in json.loads(body):
                return True
        except (ValueError, TypeError):
            pass
        return None if status >= 500 else False

    async def named(self, error: Exception) -> LinkError:
        """What was wrong when a websocket could not be had."""
        if isinstance(error, HTTPTimeoutError):
            return server_errors.unreachable(self._url, "it took too long")
        if isinstance(error, HTTPStreamClosedError | ConnectionResetError):
            return server_errors.closed(self._url)
        if isinstance(error, HTTPError):
            return await self._of_status(error.code)
        if isinstance(error, WebSocketError):
            return server_errors.wrong(self._url, "answers, but not as a kernel's websocket")
        cause = getattr(error, "real_error", None) or error
        if isinstance(cause, ssl.SSLError):
            return server_errors.of_tls(self._url, cause)
        return server_errors.unreachable(
            self._url, getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        )

    async def _of_status(self, status: int) -> LinkError:
        if status in (401, 403):
            return server_errors.unauthorized(self._url, status, token=self._server.token)
        if status == 404 and await self._is_jupyter():
            return server_errors.gone(self._url, self._kernel_id)
        if status >= 500:
            return server_errors.failed(self._url, status)
        return server_errors.wrong(self._url, f"answers with status {status}")

    async def _is_jupyter(self) -> bool:
        """Whether the address is a Jupyter server's; the same with a wrong path is not."""
        status, body = await self._get("/api")
        try:
            return status == 200 and "version" in json.loads(body)
        except (ValueError, TypeError):
            return False

    async def _get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a reply; 599 where there is none."""
        client = AsyncHTTPClient(force_instance=True)
        request = self.request(path, timeout_s=_CONNECT_TIMEOUT_S)
        try:
            reply = await client.fetch(request, raise_error=False)
        except OSError:
            return 599, b""
        finally:
            client.close()
        return reply.code, reply.body or b""

    def _context(self) -> ssl.SSLContext | None:
        if self._tls is None and self._url.startswith("https"):
            # Made when it is needed, so that SSL_CERT_FILE may be set in a notebook that runs.
            self._tls = ssl.create_default_context()
        return self._tls
