"""The way into a kernel of a Jupyter server, and what is wrong where there is none."""

from __future__ import annotations

import json
import ssl
from typing import Literal
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import WebSocketError

from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.links import LinkError, Trouble

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
                raise self._no_tls("it answers without")
        status, _ = await self._get(self.kernel_path)
        if status == 404:
            raise await self._of_status(status)

    async def named(self, error: Exception) -> LinkError:
        """What was wrong when a websocket could not be had."""
        if isinstance(error, HTTPTimeoutError):
            return self._unreachable("it took too long")
        if isinstance(error, HTTPStreamClosedError | ConnectionResetError):
            return self._closed()
        if isinstance(error, HTTPError):
            return await self._of_status(error.code)
        if isinstance(error, WebSocketError):
            return self._wrong("answers, but not as a kernel's websocket")
        cause = getattr(error, "real_error", None) or error
        if isinstance(cause, ssl.SSLError):
            return self._of_tls(cause)
        return self._unreachable(
            getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        )

    async def _of_status(self, status: int) -> LinkError:
        if status in (401, 403):
            return LinkError(
                Trouble.UNAUTHORIZED,
                f"The Jupyter server at {self._url} does not accept the token ({status}).",
                "It may have expired: get a new one there, then set PICSELLIA_PLACE_TOKEN.",
            )
        if status == 404 and await self._is_jupyter():
            return LinkError(
                Trouble.GONE,
                f"The Jupyter server at {self._url} has no kernel {self._kernel_id} any more.",
                "It was ended or culled: deploy again.",
            )
        if status >= 500:
            return LinkError(
                Trouble.UNREACHABLE,
                f"The Jupyter server at {self._url} failed with status {status}.",
                "See its log; it is being tried again.",
            )
        return self._wrong(f"answers with status {status}")

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

    def _unreachable(self, why: str) -> LinkError:
        return LinkError(
            Trouble.UNREACHABLE,
            f"The Jupyter server at {self._url} does not answer: {why}.",
            "Is it running, and is the address right? It is being tried again.",
        )

    def _closed(self) -> LinkError:
        return LinkError(
            Trouble.UNREACHABLE,
            f"The server at {self._url} closed the connection without a word.",
            "Write the address with https:// if it has a certificate. It is being tried again.",
        )

    def _of_tls(self, error: ssl.SSLError) -> LinkError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return LinkError(
                Trouble.TLS,
                f"The certificate of {self._url} is not trusted: {error.verify_message}.",
                "If it is self-signed, save it as a file and set SSL_CERT_FILE to its path.",
            )
        return self._no_tls(str(error.reason))

    def _no_tls(self, why: str) -> LinkError:
        return LinkError(
            Trouble.TLS,
            f"{self._url} does not speak TLS: {why}.",
            "Write the address with http:// if that server has no certificate.",
        )

    def _wrong(self, what: str) -> LinkError:
        return LinkError(
            Trouble.WRONG_ADDRESS,
            f"There is no Jupyter server at {self._url}: it {what}.",
            "Give the address that the browser shows before /lab or /tree.",
        )
