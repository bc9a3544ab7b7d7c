"""A double of the cloud for a file of tests, and sessions that are connected to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.session import Session
from tests.cloud.running import Cloud, running_cloud


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One double for a file of tests, with the demo models in its registry."""
    folder = tmp_path_factory.mktemp("cloud")
    with running_cloud(folder) as made:
        seed(made.session(folder / "user"))
        yield made


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
