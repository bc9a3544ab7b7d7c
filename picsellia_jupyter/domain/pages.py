"""Addresses of a platform's own web pages, for what its API does not do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of the Picsellia cloud, or of one's own installation of it."""

    host: str

    def deployment(self, deployment_id: str) -> str:
        """A deployment: its dashboard, predictions, alerts and settings."""
        return f"{self.host}/deployment/{deployment_id}"

    def model_version(self, version_id: str) -> str:
        """A model version, with its files and what it was trained on."""
        return f"{self.host}/model/version/{version_id}"

    @property
    def usage(self) -> str:
        """Where the quota is; nothing says the address of the page itself."""
        return f"{self.host} → Organization settings → Plans and usage"
