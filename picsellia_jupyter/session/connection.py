"""The one platform a session speaks to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.deployments import Heartbeat, ServingState
from picsellia_jupyter.domain.errors import AuthenticationError
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.recording import shelf
from picsellia_jupyter.settings import Settings


def settings_for(
    host: str | None, token: str | None, organization: str | None, home: str | Path | None
) -> Settings:
    """What the environment says, overruled by what was given."""
    found = Settings.from_environment()
    if home is not None:
        own = Path(home).expanduser().resolve()
        found = Settings(home=own, place_tokens=found.place_tokens)
    return replace(
        found,
        host=host.rstrip("/") if host else found.host,
        token=token or found.token,
        organization=organization or found.organization,
    )


class Connection:
    """Connects when first asked, and again where a local platform has been started anew."""

    def __init__(
        self,
        settings: Settings,
        look: Callable[[str, str], Heartbeat | None],
        platform: PlatformClient | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            settings: which platform.
            look: finds the kernel of a deployment where the platform does not know of any.
            platform: a client of it that is connected.
        """
        self._settings = settings
        self._look = look
        self._platform = platform

    @property
    def host(self) -> str | None:
        """The platform's address, once connected."""
        return self._platform.host if self._platform else None

    @property
    def is_up(self) -> bool:
        """Whether asking starts nothing: a local platform runs, or a cloud is connected."""
        if self._settings.platform_address is not None:
            return self._platform is not None
        return local_platform.find(self._settings.home) is not None

    def platform(self) -> PlatformClient:
        """The platform's client.

        Raises:
            PlatformUnreachableError: nobody answers there.
            AuthenticationError: the token is missing or not accepted.
        """
        if self._platform is None or not self._still_there(self._platform):
            self._platform = self._connect()
        self._platform.look = self._look
        return self._platform

    def facts(self) -> dict[str, str]:
        """Where this is connected, and what there is, by names to show."""
        platform = self.platform()
        records = platform.deployments()
        ready = sum(record.state is ServingState.READY for record in records)
        kind = "local platform" if platform.is_local else "Picsellia"
        left = shelf.summary(self._settings.spools)
        return {
            "Platform": f"{kind} at {platform.host}",
            "Organization": platform.organization_name,
            "User": platform.username,
            "Models": str(len(platform.models())),
            "Datalakes": ", ".join(lake.name for lake in platform.datalakes()),
            "Deployments": f"{len(records)} ({ready} ready)",
            "Data directory": str(self._settings.home),
            **({"Not recorded yet": left} if left else {}),
            "Versions": f"picsellia_jupyter {_version('picsellia_jupyter')}, "
            f"picsellia {_version('picsellia')}",
        }

    def _connect(self) -> PlatformClient:
        settings = self._settings
        if settings.platform_address is None:
            local = local_platform.find_or_start(settings.home)
            return PlatformClient.connect(local.host, local.token)
        if settings.token is None:
            raise AuthenticationError(
                f"No API token for {settings.platform_address}.",
                "Set the environment variable PICSELLIA_TOKEN (Profile → Token on the platform).",
            )
        return PlatformClient.connect(
            settings.platform_address, settings.token, organization=settings.organization
        )

    def _still_there(self, platform: PlatformClient) -> bool:
        """Whether a local platform still runs at the address we know; a cloud is taken to."""
        if self._settings.platform_address is not None:
            return True
        running = local_platform.find(self._settings.home)
        return running is not None and running.host == platform.host


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
