"""What a platform has by name, for completion: read by a client of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from picsellia_jupyter.clients.names import NameReader
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.settings import Settings


class Names:
    """Names of a kind, as they are now; never starts a platform to find them.

    For one thread, which need not be the session's: it has a connection of its own.
    """

    def __init__(
        self, settings: Callable[[], Settings], places: Callable[[], Mapping[str, str]]
    ) -> None:
        self._settings = settings
        self._places = places
        self._client: NameReader | None = None
        self._where: tuple[str, str | None] | None = None

    def of_kind(self, kind: str, of: str = "") -> Sequence[str]:
        """The names of all `models`, `versions` (of a model), `datalakes`, `deployments`, `places`.

        Nothing where no local platform runs, or nobody has said how to reach the cloud.

        Raises:
            httpx.HTTPError: the platform does not answer, or refuses.
        """
        if kind == "places":
            return ["local", *self._places(), "ray"]
        platform = self._platform()
        return self._on(platform, kind, of) if platform else ()

    def _on(self, platform: NameReader, kind: str, of: str) -> Sequence[str]:
        if kind == "versions":
            return platform.versions(of)
        kinds = {
            "models": platform.models,
            "datalakes": platform.datalakes,
            "deployments": platform.deployments,
        }
        return kinds[kind]()

    def _platform(self) -> NameReader | None:
        settings = self._settings()
        address, token = settings.platform_address, settings.token
        if address is None:
            running = local_platform.find(settings.home)
            address, token = (running.host, running.token) if running else (None, None)
        if address is None or token is None:
            return None
        where = (address, settings.organization)
        if self._client is None or self._where != where:
            if self._client is not None:
                self._client.close()
            self._client = NameReader(address, token, settings.organization)
            self._where = where
        return self._client
