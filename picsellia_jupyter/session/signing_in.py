"""How a session is let into a platform: where its API token comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.errors import AuthenticationError, InvalidInputError
from picsellia_jupyter.launch import keyrings
from picsellia_jupyter.settings import CLOUD_HOST, Settings

LOCAL = "local"

Prompt = Callable[[str], "str | None"]
"""Asks the user for a secret without showing it; None where nobody can be asked."""


def settings_of(asked: Settings, host: str | None, organization: str | None) -> Settings:
    """The settings of a session that is to go on at another platform.

    Args:
        asked: what the environment says. Its token is for its own host, or the cloud, and is
            never shown to another one.
        host: of the platform; `local` is the local one, None the environment's or the cloud.
        organization: its name; the token's default one where none is given.

    Raises:
        InvalidInputError: the host is no http(s) address.
    """
    if host == LOCAL:
        return replace(asked, host=None, token=None, organization=None)
    address = (host or asked.host or CLOUD_HOST).rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise InvalidInputError(
            f"{host!r} is no address of a platform.",
            f"Give something like {CLOUD_HOST}, or {LOCAL} for the local platform.",
        )
    own = asked.token if address == (asked.host or CLOUD_HOST) else None
    return replace(asked, host=address, token=own, organization=organization or asked.organization)


def sign_in(settings: Settings, prompt: Prompt) -> tuple[Settings, PlatformClient]:
    """Connect with the first token that is accepted: of the environment, the keyring, the user.

    Returns:
        The settings with that token, and the connected client.

    Raises:
        AuthenticationError: none is accepted, or there is none and nobody to be asked.
        PlatformUnreachableError: nobody answers there.
        NotFoundError: there is no such organization.
    """
    host = settings.host or CLOUD_HOST
    refused: AuthenticationError | None = None
    for token in _known(settings, host):
        try:
            return _connected(settings, host, token)
        except AuthenticationError as error:
            refused = error
    answer = (prompt(f"API token for {host} (Profile → Token there): ") or "").strip()
    if not answer:
        raise refused or AuthenticationError(
            f"No API token for {host}.",
            "Set the environment variable PICSELLIA_TOKEN, or run this where you can be asked.",
        )
    made = _connected(settings, host, answer)
    keyrings.keep(host, answer)
    return made


def _known(settings: Settings, host: str) -> Iterator[str]:
    if settings.token:
        yield settings.token
    # Not before it is needed: a keyring may ask to be unlocked.
    if kept := keyrings.stored(host):
        yield kept


def _connected(settings: Settings, host: str, token: str) -> tuple[Settings, PlatformClient]:
    client = PlatformClient.connect(host, token, organization=settings.organization)
    return replace(settings, host=host, token=token), client
