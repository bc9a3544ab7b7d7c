"""Fixtures that start real programs."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.nursery import Nursery
from tests.platforms import Starter, fork
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


@pytest.fixture(scope="session")
def nursery():
    """Forks local platforms, which then need not import everything anew."""
    made = Nursery()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def start_platform(nursery):
    """Forks a local platform for a data directory: `start_platform(home, "--idle-exit", "1")`."""
    starter = Starter(nursery)
    yield starter
    starter.stop_all()


@pytest.fixture(scope="module")
def start_program():
    """Starts the local platform as a user would: `start_program(home, "--idle-exit", "1")`."""
    starter = Starter()
    yield starter
    starter.stop_all()


@pytest.fixture(scope="session")
def platform(nursery, tmp_path_factory):
    """One local platform for the whole test run: `host`, `token`, `organization`, `home`."""
    running = fork(nursery, tmp_path_factory.mktemp("platform"))
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
