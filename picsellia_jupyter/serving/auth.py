"""Who may ask the front for what: closed unless a rule opens it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Iterable
from typing import Any

import httpx
import jwt
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from picsellia_jupyter.domain.deployments import ServingJob
from picsellia_jupyter.domain.errors import AuthenticationError, PlatformUnreachableError
from picsellia_jupyter.launch import loopback
from picsellia_jupyter.wire import resources

LIFETIME_S = 3600
LIFETIME_LIMIT_S = 30 * 24 * 3600
"""A token ends with its kernel at the latest."""
_ALGORITHM = "HS256"
_AUDIENCE = "picsellia_jupyter serving"
_VERIFIED_LIMIT = 256
"""Tokens that are remembered as good until they expire."""
_OPEN = ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready", "/api/login")
"""Routes that ask for no token; the last one hands them out."""


class Gatekeeper:
    """Knows the tokens of one start of a serving kernel."""

    def __init__(
        self, job: ServingJob, secret: bytes | None = None, relay: str | None = None
    ) -> None:
        """Make one that knows no token but the job's.

        Args:
            job: what is served.
            secret: signs tokens; a new one by default, so that those of another start are no good.
            relay: a proxy that alone leads to the platform.
        """
        self._job = job
        self._relay = relay
        self._secret = secret or secrets.token_bytes(32)
        self._verified: dict[bytes, tuple[str, float]] = {}

    async def login(
        self, api_token: str, deployment_id: str, *, lifetime_s: int = LIFETIME_S
    ) -> tuple[str, int]:
        """Exchange an API token of the platform for one of this front.

        Args:
            api_token: of the platform.
            deployment_id: what the new one is for.
            lifetime_s: how long it is good.

        Returns:
            The token, and when it expires in seconds since the epoch, UTC.

        Raises:
            AuthenticationError: the platform does not know the API token.
            PlatformUnreachableError: it cannot be asked.
        """
        if not _same(api_token, self._job.token):
            await self._ask_platform(api_token, deployment_id)
        expires = int(time.time()) + lifetime_s
        claims = {"sub": deployment_id, "aud": _AUDIENCE, "exp": expires}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM), expires

    def may_control(self, token: str) -> bool:
        """Whether this is the token of the control routes."""
        return _same(token, self._job.front_token)

    def deployment_of(self, token: str) -> str | None:
        """The deployment a token of this front is for; None where it is not valid."""
        # By its digest, so that how long the look-up takes says nothing of any token.
        digest = hashlib.blake2b(token.encode(), digest_size=32).digest()
        known = self._verified.get(digest)
        if known is not None and time.time() < known[1]:
            return known[0]
        claims = self._claims(token)
        if claims is None:
            return None
        if len(self._verified) >= _VERIFIED_LIMIT:
            self._verified.clear()
        self._verified[digest] = str(claims["sub"]), float(claims["exp"])
        return str(claims["sub"])

    def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._secret, algorithms=[_ALGORITHM], audience=_AUDIENCE,
                options={"require": ["sub", "exp", "aud"]},
            )  # fmt: skip
        except jwt.InvalidTokenError:
            return None
        return claims

    async def _ask_platform(self, api_token: str, deployment_id: str) -> None:
        try:
            uuid.UUID(deployment_id)
        except ValueError:
            # It becomes part of an address.
            raise AuthenticationError(
                "deployment_id is no UUID.", "Send the deployment's id, as the platform tells it."
            ) from None
        # The main API: a cloud has its monitoring service, where one logs in, elsewhere.
        url = f"{self._job.host}/api/deployment/{deployment_id}"
        headers = {"Authorization": f"Bearer {api_token}"}
        remote = not loopback.is_loopback(self._job.host)
        try:
            async with httpx.AsyncClient(
                timeout=5.0, trust_env=remote, proxy=self._relay
            ) as client:
                reply = await client.get(url, headers=headers)
        except httpx.HTTPError as error:
            raise PlatformUnreachableError(
                "The platform cannot be asked about this token.", "Is it running?"
            ) from error
        if reply.status_code != 200:
            raise AuthenticationError(
                "The platform does not know this API token.", "Connect again with a valid one."
            )


class Guard:
    """The outermost layer: every path that is not open asks for its token.

    It also refuses foreign Host and Origin headers, so that no web page can drive the front
    through a browser on this machine.
    """

    def __init__(self, app: ASGIApp, keeper: Gatekeeper, address: str) -> None:
        self._app = app
        self._keeper = keeper
        port = address.rpartition(":")[2]
        hosts = {f"127.0.0.1:{port}", f"localhost:{port}", address.removeprefix("http://")}
        self._hosts = [host.encode() for host in hosts]
        self._origins = [f"http://{host}".encode() for host in hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401 or 403."""
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        hosts, origins, tokens = _values(scope, b"host", b"origin", b"authorization")
        path = scope["path"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            fact = "The Host header is not this server's."
            return _answer(path, 403, fact, "Ask it by its address.")
        if any(origin not in self._origins for origin in origins):
            fact = "Web pages may not ask this server."
            return _answer(path, 403, fact, "Use the Picsellia SDK.")
        if path in _OPEN:
            return None
        return self._token_refusal(scope, tokens[0] if tokens else b"")

    def _token_refusal(self, scope: Scope, authorization: bytes) -> JSONResponse | None:
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if scheme.lower() == "bearer":
            if scope["path"].startswith("/control/"):
                if self._keeper.may_control(token):
                    return None
            elif (deployment := self._keeper.deployment_of(token)) is not None:
                scope.setdefault("state", {})["deployment_id"] = deployment
                return None
        fact = "The token is missing, wrong or expired."
        return _answer(scope["path"], 401, fact, "Log in at /api/login.")


def _values(scope: Scope, *names: bytes) -> Iterable[list[bytes]]:
    """What all headers of each name say."""
    said: dict[bytes, list[bytes]] = {name: [] for name in names}
    for name, value in scope["headers"]:
        if name in said:
            said[name].append(value)
    return said.values()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _answer(path: str, status: int, fact: str, remedy: str) -> JSONResponse:
    error = AuthenticationError(fact, remedy)
    if path.startswith("/v2"):
        return JSONResponse({"error": str(error)}, status)
    return JSONResponse(resources.error_to_json(error), status)
