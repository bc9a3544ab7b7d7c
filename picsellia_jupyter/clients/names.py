"""The names of what a platform has, read without the SDK, in any thread.

The SDK's import changes the process's warning filters back and forth; in a second thread that
makes IPython's completer fail, which does the same in the first one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

TIMEOUT_S = 5.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NameReader:
    """One organization on one platform, for one thread."""

    def __init__(self, host: str, token: str, organization: str | None) -> None:
        """Read with a token.

        Args:
            host: of the platform.
            token: API token for it.
            organization: its name; the token's default one where none is given.
        """
        self._http = httpx.Client(
            base_url=host,
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_S,
            trust_env=urlsplit(host).hostname not in _LOOPBACK,
        )
        self._organization = organization
        self._base = ""

    def deployments(self) -> Sequence[str]:
        """The deployments of the organization."""
        return self._names("deployments")

    def datalakes(self) -> Sequence[str]:
        """Its datalakes."""
        return self._names("datalakes")

    def models(self) -> Sequence[str]:
        """Its private models."""
        return self._names("models")

    def versions(self, model: str) -> Sequence[str]:
        """The versions of a model, the newest first; none where there is no such model."""
        ids = [item["id"] for item in self._items("models") if item["name"] == model]
        found = self._get(f"/api/model/{ids[0]}/versions")["items"] if ids else []
        return [str(number) for number in sorted((one["version"] for one in found), reverse=True)]

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _names(self, kind: str) -> Sequence[str]:
        return [str(item["name"]) for item in self._items(kind)]

    def _items(self, kind: str) -> Sequence[Mapping[str, Any]]:
        if not self._base:
            self._base = f"/api/organization/{self._organization_id()}"
        return cast("Sequence[Mapping[str, Any]]", self._get(f"{self._base}/{kind}")["items"])

    def _organization_id(self) -> str:
        if self._organization is None:
            return str(self._get("/api/home/ping")["default_organization"])
        return str(self._get("/api/organizations/find", name=self._organization)["id"])

    def _get(self, path: str, **params: str) -> Mapping[str, Any]:
        return cast(
            "Mapping[str, Any]", self._http.get(path, params=params).raise_for_status().json()
        )
