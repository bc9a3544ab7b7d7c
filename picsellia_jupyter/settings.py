"""Where the platform is and where our own files lie: one value, from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.secret_text import Secret, hide

CLOUD_HOST = "https://app.picsellia.com"
_PLACE_TOKEN = re.compile(r"PICSELLIA_PLACE_(\w+_)?TOKEN")


class PlaceTokens(Mapping[str, str]):
    """The tokens of places in an environment, as it is when they are asked for.

    A new one may be set while a notebook runs.
    """

    # Without a `__dict__`, which `vars` would show with the whole environment.
    __slots__ = ("_environment",)

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        value = self._environment[name] if _PLACE_TOKEN.fullmatch(name) else ""
        if not value:
            raise KeyError(name)
        return Secret(value)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._environment if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"PlaceTokens({', '.join(self)})"


def whole_environment() -> Mapping[str, str]:
    """All variables as they are now, secrets among them: for what goes through a machine."""
    return dict(os.environ)  # noqa: TID251 - the other place


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; never holds anything that was not given there."""

    home: Path
    """Our data directory: the local platform's database and blobs, caches, lock files."""
    host: str | None = None
    """The platform's address; None means the local platform of `home`, or the cloud where
    only a token is given."""
    token: str | None = None
    """API token; never shown."""
    organization: str | None = None
    place_tokens: Mapping[str, str] = field(default_factory=dict)
    """Tokens of places, by the variables that hold them; never shown."""

    def __post_init__(self) -> None:
        hide(self, "token")

    def __repr__(self) -> str:
        shown = "set" if self.token else "not set"
        return f"Settings(home={str(self.home)!r}, host={self.host!r}, token {shown})"

    @property
    def cache(self) -> Path:
        """Where downloaded model files are kept."""
        return self.home / "cache" / "models"

    @property
    def results(self) -> Path:
        """Where what was found in many images is kept while a notebook holds it."""
        return self.home / "cache" / "predictions"

    @property
    def spools(self) -> Path:
        """Where predictions lie until they are recorded, a folder a deployment."""
        return self.home / "cache" / "spool"

    @property
    def platform_address(self) -> str | None:
        """The address to connect to, or None for the local platform."""
        return self.host or (CLOUD_HOST if self.token else None)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables that begin with `PICSELLIA_`.

        They are `HOST`, `TOKEN`, `ORGANIZATION`, `JUPYTER_HOME`, `PLACE_TOKEN` and, for a place
        that is saved as `gpu1`, `PLACE_GPU1_TOKEN`.

        Raises:
            InvalidInputError: the host is no http(s) address.
        """
        env = os.environ if environment is None else environment  # noqa: TID251 - the one place
        host = env.get("PICSELLIA_HOST") or None
        if host and not host.startswith(("http://", "https://")):
            raise InvalidInputError(
                f"PICSELLIA_HOST is {host!r}, which is no address.",
                f"Set it to something like {CLOUD_HOST}, or unset it for the local platform.",
            )
        return cls(
            home=_home(env),
            host=host.rstrip("/") if host else None,
            token=env.get("PICSELLIA_TOKEN") or None,
            organization=env.get("PICSELLIA_ORGANIZATION") or None,
            place_tokens=PlaceTokens(env),
        )


def _home(env: Mapping[str, str]) -> Path:
    given = env.get("PICSELLIA_JUPYTER_HOME")
    if given:
        return Path(given).expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("picsellia_jupyter", appauthor=False)
