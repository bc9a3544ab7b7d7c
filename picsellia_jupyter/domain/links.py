"""How a notebook is connected to a serving kernel elsewhere."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass

from picsellia_jupyter.domain.errors import NotServingError


class Trouble(str, enum.Enum):
    """What is wrong with a link."""

    CONNECTING = "connecting"
    """Nothing yet: the first attempt is under way."""
    UNREACHABLE = "unreachable"
    """Nobody answers at the server's address."""
    BROKEN = "broken"
    """The connection broke; a new one is being made."""
    UNAUTHORIZED = "unauthorized"
    """The server does not accept the token."""
    TLS = "tls"
    """The server's certificate is not trusted, or it speaks no TLS."""
    WRONG_ADDRESS = "wrong address"
    """Something answers there that is no Jupyter server."""
    GONE = "gone"
    """The server has no such kernel any more."""
    RESTARTING = "restarting"
    """The kernel died or was restarted and is not back yet."""
    EMPTY = "empty"
    """The kernel runs, but serves nothing."""
    CLOSED = "closed"
    """The tunnel was closed here."""

    @property
    def may_pass(self) -> bool:
        """Whether it may end by itself, so that waiting makes sense."""
        return self in _MAY_PASS


_MAY_PASS = (
    Trouble.CONNECTING, Trouble.UNREACHABLE, Trouble.BROKEN, Trouble.RESTARTING, Trouble.EMPTY,
)  # fmt: skip


class LinkError(NotServingError):
    """A serving kernel cannot be reached; `trouble` says why."""

    def __init__(self, trouble: Trouble, fact: str, remedy: str = "") -> None:
        super().__init__(fact, remedy)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether a link is up, since when, and why not."""

    where: str
    """The kernel and its server, in words."""
    since: float
    """Seconds since the epoch."""
    error: LinkError | None = None
    """What is wrong; None while connected."""

    @property
    def connected(self) -> bool:
        """Whether requests pass."""
        return self.error is None

    @property
    def name(self) -> str:
        """`connected` or `lost`."""
        return "connected" if self.connected else "lost"

    def __str__(self) -> str:
        """One line for a status display; the time is the reader's own."""
        if self.error is None:
            return f"connected to {self.where}"
        if self.error.trouble is Trouble.CONNECTING:
            return f"connecting to {self.where}"
        clock = datetime.datetime.fromtimestamp(self.since).strftime("%H:%M:%S")
        return f"lost since {clock}: {self.error}"
