"""The outermost layer: nothing gets past it without a right to."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from picsellia_jupyter.domain.ports import Clock
from picsellia_jupyter.localplatform.auth import Caller, Keyring
from picsellia_jupyter.localplatform.refusals import refusal

STORAGE_PREFIX = "/storage/"
"""Routes that check a signature in their address instead of a token."""
OPEN_ROUTES = frozenset({("GET", "/health"), ("POST", "/api/auth/login")})
"""Routes that need no token; the login checks the one in its body."""
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
JSON_LIMIT_BYTES = 64 * 2**20
"""Largest body but of a storage upload; a 45 MiB image in base64 fits."""

_INERT = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
)
_NOT_KEPT = (b"cache-control", b"no-store")
"""Of everything but stored objects, which never change."""


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware that refuses foreign hosts, foreign pages and unknown callers.

    Web pages can reach loopback addresses, so a token alone is not enough: the Host header
    defeats DNS rebinding, the Origin header requests of other pages.
    """

    app: ASGIApp
    keyring: Keyring
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its caller in the state, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, send = Headers(scope=scope), _inert(scope, send)
        wrong = _wrong_address(headers, scope)
        if wrong:
            await refusal(403, wrong, "Call it at the address it printed.")(scope, receive, send)
            return
        if not _is_open(scope):
            caller = self._caller(headers)
            if caller is None:
                no = refusal(
                    401, "The token is missing, unknown or expired.", "Send 'Bearer TOKEN'."
                )
                await no(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
        await self.app(scope, _limited(scope, receive), send)

    def _caller(self, headers: Headers) -> Caller | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not token:
            return None
        return self.keyring.caller_of(token.strip(), now=self.clock())


def _inert(scope: Scope, send: Send) -> Send:
    """Have every reply say that it is no page, and is not to be guessed at or kept."""
    kept = str(scope["path"]).startswith(STORAGE_PREFIX)

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            known = {name.lower() for name, _ in headers}
            headers += [pair for pair in _INERT if pair[0] not in known]
            message = {**message, "headers": headers if kept else [*headers, _NOT_KEPT]}
        await send(message)

    return sent


def _is_open(scope: Scope) -> bool:
    path = str(scope["path"])
    return path.startswith(STORAGE_PREFIX) or (scope["method"], path) in OPEN_ROUTES


def _wrong_address(headers: Headers, scope: Scope) -> str:
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_own(f"http://{hosts[0]}", scope):
        return f"The Host {', '.join(hosts)!r} is not the local platform's."
    for origin in headers.getlist("origin"):
        if not _is_own(origin, scope):
            return f"Pages of {origin!r} may not call the local platform."
    return ""


def _is_own(address: str, scope: Scope) -> bool:
    server = scope.get("server") or ("", None)
    try:
        parts = urlsplit(address)
        port = parts.port or 80
    except ValueError:
        return False
    plain = parts.scheme == "http" and not (parts.path or parts.query or parts.username)
    return plain and parts.hostname in LOOPBACK_NAMES and port == (server[1] or 80)


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Count the body's bytes as they come; storage uploads go to disk and have no limit."""
    if str(scope["path"]).startswith(STORAGE_PREFIX):
        return receive
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > JSON_LIMIT_BYTES:
            raise HTTPException(413, f"The body is larger than {JSON_LIMIT_BYTES} bytes.")
        return message

    return counted
