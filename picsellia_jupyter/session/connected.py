"""What is connected to one platform."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from typing_extensions import Self

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.handles.notebook_alerts import NotebookWatches
from picsellia_jupyter.handles.views import Status
from picsellia_jupyter.launch import asking
from picsellia_jupyter.launch.fleet import Fleet
from picsellia_jupyter.session.connection import Connection, settings_for
from picsellia_jupyter.session.names import Names
from picsellia_jupyter.session.signing_in import LOCAL, settings_of, sign_in


class Connected:
    """A connection to one platform, and the serving kernels that were started for it."""

    def __init__(
        self,
        host: str | None = None,
        token: str | None = None,
        *,
        organization: str | None = None,
        home: str | Path | None = None,
    ) -> None:
        self._asked = self._settings = settings_for(host, token, organization, home)
        self._fleet = Fleet(self._settings.home, self._settings.place_tokens, asking.for_secret)
        self._watches = NotebookWatches()
        self._connection = Connection(self._settings, self._fleet.heartbeat)

    def __repr__(self) -> str:
        return f"Session({self._connection.host or 'not connected yet'})"

    def beside(self) -> Self:
        """The same session for another thread: a connection of its own, the same kernels."""
        other = copy.copy(self)
        other._connection = Connection(self._settings, self._fleet.heartbeat)
        return other

    @property
    def platform(self) -> PlatformClient:
        """The platform's client; connected on first use.

        Raises:
            PlatformUnreachableError: nobody answers there.
            AuthenticationError: the token is missing or not accepted.
        """
        return self._connection.platform()

    def connect(self, host: str | None = None, *, organization: str | None = None) -> Status:
        """Go on at another platform: `s.connect("https://app.picsellia.com")`.

        The token comes from the environment (for its own host alone), the keyring, or a hidden
        prompt; one that was typed and accepted is offered to the keyring. What was made before
        stays with its own platform.

        Args:
            host: of the platform; `local` is the local one, and without one it is that of
                `PICSELLIA_HOST` or the Picsellia cloud.
            organization: its name, where not the token's default one.

        Raises:
            AuthenticationError: no token is accepted.
            PlatformUnreachableError: nobody answers there.
            NotFoundError: there is no such organization.
        """
        settings = settings_of(self._asked, host, organization)
        platform = None
        if host != LOCAL:
            settings, platform = sign_in(settings, asking.for_secret)
        self._settings = settings
        self._connection = Connection(settings, self._fleet.heartbeat, platform)
        return self.status()

    @property
    def is_up(self) -> bool:
        """Whether asking starts nothing: a local platform runs, or a cloud is connected."""
        return self._connection.is_up

    @property
    def sdk(self) -> Any:
        """The official SDK's own `picsellia.Client`, for all that has no verb here."""
        return self.platform.sdk_client

    def names(self) -> Names:
        """What the platform has by name, for another thread than the session's own."""
        return Names(lambda: self._settings, lambda: self._fleet.places.saved)

    def status(self) -> Status:
        """Where the session is connected, and what it found there."""
        return Status(self._connection.facts())
