"""A deployment that the user serves on own infrastructure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.registry import ModelFile
from picsellia_jupyter.handles.deployed import Deployed
from picsellia_jupyter.handles.downloading import download_all
from picsellia_jupyter.handles.interconnection import Interconnection
from picsellia_jupyter.handles.recorded import RecordedPrediction, wait_for_prediction
from picsellia_jupyter.workflows.interconnection import Wiring, python_code


class OwnServer(Deployed):
    """What connects one's own server to a deployment."""

    def code(self) -> str:
        """Python that connects your own serving infrastructure to this deployment."""
        return python_code(self._wiring())

    def interconnect(self) -> Interconnection:
        """How to connect your own server: files, code to paste, and how to check it.

        Raises:
            InvalidInputError: the SDK cannot send what it predicts.
        """
        names = tuple(file.name for file in self._files())
        return Interconnection(self.refresh(), self._wiring(), names, self)

    def download(self, folder: str | Path) -> list[Path]:
        """Fetch all files of its model version, to serve it yourself.

        Each appears whole or not at all. A download that was interrupted goes on where it
        stopped, and a file that is there already is left, where the platform knows its SHA-256.

        Raises:
            PlatformUnreachableError: the storage breaks off again and again.
            PlatformError: a file is not what was stored.
            InvalidInputError: the folder cannot be written.
        """
        return download_all(self._platform, self._files(), Path(folder).expanduser())

    def wait_for_prediction(self, timeout_s: float = 300.0) -> RecordedPrediction:
        """The newest recorded prediction, with its image; the first one is waited for.

        Raises:
            NotFoundError: none has come in time.
        """
        return wait_for_prediction(self._platform, self.refresh(), timeout_s)

    def _files(self) -> Sequence[ModelFile]:
        if not self._record.model_version_id:
            raise PlatformError(
                f"{self._platform.host} does not say which model version {self.name!r} has.",
                f"It is on its page: {self._record.url}",
            )
        version = self._platform.model_version(self._record.model_version_id)
        return self._platform.files(version)

    def _wiring(self) -> Wiring:
        platform = self._platform
        organization = None if platform.is_default_organization else platform.organization_name
        return Wiring.of(
            self._record, platform.host, platform.monitoring_host(self.id), organization
        )
