"""A platform behind a shim that journals its changes, or makes them fail."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.nursery import Nursery

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def shim(tmp_path_factory) -> Path:
    """The compiled shim."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs Linux and a C compiler; `make test` installs Debian's")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    subprocess.run(
        [compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", str(library), str(HERE / "shim.c"),
         "-ldl", "-lpthread"],
        check=True,
    )  # fmt: skip
    return library


@pytest.fixture(scope="module")
def nursery():
    """Starts platforms quickly: `nursery.start(home)`."""
    if sys.platform != "linux":
        pytest.skip("forks, and looks for processes")
    made = Nursery()
    yield made
    made.stop()


@pytest.fixture
def behind_shim(shim, start_platform):
    """Starts a platform behind the shim: `behind_shim(home, SHIM_JOURNAL=path)`."""

    def start(home: Path, *, synchronous: str = "FULL", **variables: str):
        environment = {
            **os.environ,
            "LD_PRELOAD": str(shim),
            "SHIM_ROOT": str(home.resolve()),
            **variables,
        }
        with home.with_name("platform.log").open("ab") as log:
            return start_platform(
                home,
                program=[str(HERE / "program.py"), synchronous],
                environment=environment,
                log=log,
            )

    yield start
    start_platform.stop_all()


class Control:
    """The shared integers that tell the shim which calls are to fail."""

    SIZE = 28

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(bytes(self.SIZE))

    def arm(self, *, after: int, count: int, error: int, only_commits: bool = False) -> None:
        """Let `after` calls pass, then fail `count` with an error number."""
        self._write(4, after, count, error, 0, 0, only_commits)
        self._write(0, 1)

    def disarm(self) -> int:
        """Let everything pass again; how many calls failed."""
        self._write(0, 0)
        return struct.unpack_from("<i", self.path.read_bytes(), 20)[0]

    def _write(self, offset: int, *values: int) -> None:
        # Without truncating: the platform has it mapped.
        with self.path.open("r+b") as stream:
            stream.seek(offset)
            stream.write(struct.pack(f"<{len(values)}i", *values))


@pytest.fixture
def control(tmp_path) -> Control:
    """Of the shim's failures."""
    return Control(tmp_path / "control")
