"""Fixtures that start real programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import settings

from tests.postgresql import PostgresServer, programs

# The SDK silences every logger when it is imported; some tests import it themselves.
os.environ.setdefault("PICSELLIA_SDK_CUSTOM_LOGGING", "1")

# A slow machine is no failure, and CI must be repeatable.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


def pytest_addoption(parser):
    parser.addoption(
        "--long", action="store_true", help="try faults as often as `make faults` does"
    )


def pytest_configure(config):
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        from tests.scheduling import Stopwatch

        config.pluginmanager.register(Stopwatch(config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Whole files in an order of our own, where pytest-xdist was asked for whole files."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.scheduling import KEPT, LongestFirst

    return LongestFirst(config, log, config.cache.get(KEPT, {}))


def pytest_collection_modifyitems(config, items):
    if config.getoption("--long"):
        for item in items:
            # What is tried hundreds of times takes longer than a hang of one short try.
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session")
def long(request) -> bool:
    """Whether there is time for everything."""
    return request.config.getoption("--long")


@dataclass
class RunningPlatform:
    """A local platform in a process of its own."""

    host: str
    token: str
    organization: str
    home: Path
    process: subprocess.Popen[str]

    def stop(self) -> int:
        """End it cleanly; its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=15)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(timeout=15)


def _start(
    home: Path,
    *extra: str,
    program: Sequence[str] = ("-m", "picsellia_jupyter.localplatform"),
    environment: Mapping[str, str] | None = None,
    log: IO[bytes] | None = None,
) -> RunningPlatform:
    command = [sys.executable, *program, "--home", str(home), "--port", "0", "--json", *extra]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the platform ended with {process.wait(timeout=15)}"
    said = json.loads(line)
    return RunningPlatform(said["host"], said["token"], said["organization"], home, process)


class Starter:
    """Starts local platforms and ends those that still run."""

    def __init__(self) -> None:
        self._started: list[RunningPlatform] = []

    def __call__(self, home: Path, *extra: str, **how: Any) -> RunningPlatform:
        self._started.append(_start(home, *extra, **how))
        return self._started[-1]

    def stop_all(self) -> None:
        running = [one for one in self._started if one.process.poll() is None]
        for one in running:
            one.process.terminate()
        for one in running:
            one.process.wait(timeout=15)
        self._started.clear()


@pytest.fixture(scope="module")
def start_platform():
    """Starts a local platform in a data directory: `start_platform(home, "--idle-exit", "1")`."""
    starter = Starter()
    yield starter
    starter.stop_all()


@pytest.fixture(scope="session")
def platform(tmp_path_factory):
    """One local platform for the whole test run: `host`, `token`, `organization`, `home`."""
    running = _start(tmp_path_factory.mktemp("platform"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server: `postgresql.database()` is the URL of a new, empty database."""
    found = programs()
    if found is None:
        pytest.skip("there is no PostgreSQL server here; `make test` installs Debian's")
    server = PostgresServer(found)
    yield server
    server.stop()
