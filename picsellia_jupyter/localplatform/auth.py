"""Who may do what: API tokens, deployment tokens, signed storage addresses."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import jwt

from picsellia_jupyter.localplatform.refusals import ForbiddenError

JWT_LIFETIME_S = 3600.0
URL_LIFETIME_S = 3600.0
_MOST_READ = 1000
"""Deployment tokens that are remembered, so that their signatures are checked once."""


@dataclass(frozen=True, slots=True)
class ApiCaller:
    """Somebody with an API token: may call everything but the monitoring service."""

    user_id: str


@dataclass(frozen=True, slots=True)
class DeploymentCaller:
    """Somebody logged in to the monitoring service of one deployment."""

    deployment_id: str


Caller = ApiCaller | DeploymentCaller


def new_token() -> str:
    """A fresh API token of 256 bits."""
    return secrets.token_hex(32)


def token_hash(token: str) -> str:
    """What is kept of an API token. It is random, so it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Everything that proves who calls."""

    secret: bytes = field(repr=False)
    """Made once per data directory; signs deployment tokens and storage addresses."""
    users: Mapping[str, str] = field(repr=False)
    """User id of each API token's hash."""
    _read: dict[str, tuple[str, float]] = field(default_factory=dict, init=False, repr=False)

    def user_of(self, token: str) -> str | None:
        """The user an API token belongs to; takes as long for a wrong one."""
        given = token_hash(token)
        found = None
        for known, user_id in self.users.items():
            if hmac.compare_digest(known, given):
                found = user_id
        return found

    def caller_of(self, token: str, *, now: float) -> Caller | None:
        """Who a bearer token speaks for, or None where it is unknown or has expired."""
        user_id = self.user_of(token)
        if user_id:
            return ApiCaller(user_id)
        claims = self._remembered(token)
        if claims is None or claims[1] <= now:
            return None
        return DeploymentCaller(claims[0])

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose, which tell nothing of those for another."""
        return self._key(purpose)

    def deployment_token(self, deployment_id: str, *, now: float) -> tuple[str, float]:
        """A token for the monitoring service of one deployment, and when it expires."""
        expires = now + JWT_LIFETIME_S
        claims = {"deployment": deployment_id, "until": expires, "aud": "monitoring"}
        return jwt.encode(claims, self._key("jwt"), algorithm="HS256"), expires

    def sign(self, method: str, path: str, *, now: float) -> str:
        """A path that lets whoever holds it do one thing to one object, for an hour."""
        expires = f"{now + URL_LIFETIME_S:.0f}"
        signature = self._signature(method, path, expires)
        return f"{quote(path)}?{urlencode({'expires': expires, 'signature': signature})}"

    def check(self, method: str, path: str, *, expires: str, signature: str, now: float) -> None:
        """Let a signed address pass.

        Raises:
            ForbiddenError: the signature is wrong, or its time is over.
        """
        expected = self._signature(method, path, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise ForbiddenError(
                "The signature of this storage address is wrong.", "Ask for a fresh address."
            )
        if float(expires) < now:
            raise ForbiddenError("This storage address has expired.", "Ask for a fresh one.")

    def _remembered(self, token: str) -> tuple[str, float] | None:
        """Deployment and expiry of a token; once read, it is known by its hash."""
        given = token_hash(token)
        if given not in self._read:
            claims = self._claims_of(token)
            if claims is None:
                return None
            if len(self._read) >= _MOST_READ:
                self._read.clear()
            self._read[given] = claims
        return self._read[given]

    def _claims_of(self, token: str) -> tuple[str, float] | None:
        try:
            # Our own clock decides on its expiry, so that tests need not wait an hour.
            claims = jwt.decode(
                token, self._key("jwt"), algorithms=["HS256"], audience="monitoring"
            )
        except jwt.InvalidTokenError:
            return None
        return str(claims["deployment"]), float(claims["until"])

    def _signature(self, method: str, path: str, expires: str) -> str:
        text = f"{method}\n{path}\n{expires}".encode()
        return hmac.new(self._key("url"), text, hashlib.sha256).hexdigest()

    def _key(self, purpose: str) -> bytes:
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).digest()
