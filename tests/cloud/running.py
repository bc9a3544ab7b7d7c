"""A double of the cloud in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from picsellia_jupyter.session import Session
from tests.cloud.double import Notes
from tests.platforms import RunningPlatform, start_fresh

ROOT = Path(__file__).parents[2]


@dataclass
class Cloud:
    """The double, and what it noted."""

    running: RunningPlatform
    notes: Notes

    @property
    def host(self) -> str:
        """Its address."""
        return self.running.host

    @property
    def token(self) -> str:
        """An API token that it accepts."""
        return self.running.token

    def session(self, home: Path) -> Session:
        """A session of a user who has an account there."""
        return Session(self.host, self.token, home=home)


@contextmanager
def running_cloud(folder: Path) -> Iterator[Cloud]:
    """Run one for a while, with its data in a folder."""
    running = start_fresh(
        folder, program=("-m", "tests.cloud.double"),
        environment={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""},
    )  # fmt: skip
    try:
        yield Cloud(running, Notes(folder))
    finally:
        running.stop()
