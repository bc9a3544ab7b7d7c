"""Datalakes: listed everywhere, made on the local platform."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.errors import InvalidInputError, PlatformError
from picsellia_jupyter.domain.registry import Datalake
from picsellia_jupyter.wire import resources

_FOLDER = "file://"


class Datalakes(SdkConnection):
    """The datalakes of an organization."""

    @sdk.translated
    def datalakes(self) -> list[Datalake]:
        """All datalakes, the organization's default one first."""
        base = f"/api/organization/{self.organization_id}"
        default = resources.datalake_from_json(self._get(f"{base}/datalake"))
        everyone = map(resources.datalake_from_json, self._get(f"{base}/datalakes")["items"])
        return [default, *(lake for lake in everyone if lake.id != default.id)]

    @sdk.translated
    def create_datalake(
        self, name: str, place: str | Path | None, options: Mapping[str, Any]
    ) -> Datalake:
        """Make a datalake in a bucket or folder, or beside the default one's files.

        Args:
            name: of the datalake.
            place: a bucket's URL or a folder; None is the default storage.
            options: for fsspec's file system there, credentials among them; never told again.

        Raises:
            ConflictError: the name is taken.
            InvalidInputError: the place cannot be read, or options come without one.
            PlatformError: the place cannot hold files; or this is the cloud.
        """
        if not self.is_local:
            raise PlatformError(
                f"Datalakes of {self.host} are made on its pages, not by its API.",
                f"Open {self.host} → Settings → Storage connectors, make the datalake {name!r} "
                "there, and name it here: %deploy MODEL --datalake NAME",
            )
        body: dict[str, Any] = {"name": name}
        if place is not None:
            body["url"] = _url(place)
        if options:
            body["options"] = dict(options)
        return resources.datalake_from_json(self._send("post", "/api/local/datalakes", body))


def _url(place: str | Path) -> str:
    """A bucket's URL as it is; a folder's is made of its path.

    Raises:
        InvalidInputError: nothing was given.
    """
    text = str(place)
    if not text:
        raise InvalidInputError("The place is empty.", "Give s3://bucket/folder, or a folder.")
    if "://" in text:
        return text
    return _FOLDER + Path(text).expanduser().resolve().as_posix()
