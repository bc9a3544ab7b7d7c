"""A double of the cloud in a process of its own, and sessions that are connected to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from picsellia_jupyter.demo.seed import seed
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


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One double for a file of tests, with the demo models in its registry."""
    folder = tmp_path_factory.mktemp("cloud")
    running = start_fresh(
        folder, program=("-m", "tests.cloud.double"),
        environment={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""},
    )  # fmt: skip
    made = Cloud(running, Notes(folder))
    try:
        seed(made.session(folder / "user"))
        yield made
    finally:
        running.stop()


@pytest.fixture
def cloud(started: Cloud) -> Iterator[Cloud]:
    """The double; a test fails where anything was asked that the SDK would not have sent."""
    known = len(started.notes.violations)
    yield started
    started.notes.plan()
    assert started.notes.violations[known:] == []


@pytest.fixture
def session(cloud: Cloud, tmp_path: Path) -> Session:
    """A session that is connected to the double."""
    return cloud.session(tmp_path / "home")
