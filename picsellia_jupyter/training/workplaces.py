"""Where a run is done: what it connects to, where its files lie, what its notebook finds."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from picsellia_jupyter.clients.runners import RunnerClient
from picsellia_jupyter.domain.errors import PlatformUnreachableError
from picsellia_jupyter.launch import local_platform

_OURS = "PICSELLIA_"


class Workplace(Protocol):
    """Where a run is done."""

    @property
    def folder(self) -> Path:
        """What the run writes lies in a folder of its own there."""

    def connect(self, run: str, name: str) -> RunnerClient:
        """A new connection to the platform for a runner of this name.

        Raises:
            PlatformUnreachableError: the platform is not there.
        """

    def environment(self) -> dict[str, str]:
        """Of the notebook's program, which finds the platform by it."""

    def log_of(self, run: str) -> str:
        """Where it is to be read what programs print that is not told to the platform."""


@dataclass(frozen=True, slots=True)
class LocalHome:
    """Beside the local platform: its data directory says all."""

    home: Path
    """Data directory of the platform, which runs."""

    @property
    def folder(self) -> Path:
        """In the data directory, beside the logs of the runners."""
        return self.home / "training"

    def connect(self, run: str, name: str) -> RunnerClient:
        """A connection to where the platform is now."""
        found = local_platform.find(self.home)
        if found is None:
            raise PlatformUnreachableError(
                f"No platform runs in {self.home}.", "Start it: picsellia-jupyter platform start"
            )
        return RunnerClient.connect(found.host, found.token, found.organization, run=run, name=name)

    def environment(self) -> dict[str, str]:
        """The data directory, and in it the token, readable by its user alone."""
        return {**_of_others(), "PICSELLIA_JUPYTER_HOME": str(self.home)}

    def log_of(self, run: str) -> str:
        """The file of the runner."""
        return str(self.folder / f"{run}.log")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """In a kernel of some Jupyter server: everything was told to it."""

    host: str
    """Of the platform."""
    token: str = field(repr=False)
    organization: str
    """Its name."""
    folder: Path
    """For this run alone; whoever made it removes it."""

    def connect(self, run: str, name: str) -> RunnerClient:
        """A connection to the platform that was told."""
        return RunnerClient.connect(self.host, self.token, self.organization, run=run, name=name)

    def environment(self) -> dict[str, str]:
        """The token is in the environment of the notebook's program, and of no other one."""
        return {
            **_of_others(),
            "PICSELLIA_HOST": self.host,
            "PICSELLIA_TOKEN": self.token,
            "PICSELLIA_ORGANIZATION": self.organization,
            "PICSELLIA_JUPYTER_HOME": str(self.folder / "home"),
        }

    def log_of(self, run: str) -> str:
        """What a kernel prints unasked is its server's."""
        return f"the log of the Jupyter server where run {run} was done"


def _of_others() -> dict[str, str]:
    """The notebook finds the run's platform, whatever the user's own environment names."""
    own = os.environ.items()  # noqa: TID251 - handed on, not read
    return {name: value for name, value in own if not name.startswith(_OURS)}
