"""A platform behind a shim that journals its changes, or makes them fail; jobs for kernels."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.deployments import ServingJob
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from picsellia_jupyter.wire.resources import job_to_json
from picsellia_jupyter.workflows.deploying import DeployRequest, check
from tests.faults.holder import Holders
from tests.faults.monitoring import Client, faults_of
from tests.platforms import fork, start_fresh

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
            program = [str(HERE / "program.py"), synchronous]
            return start_platform.keep(
                start_fresh(home, program=program, environment=environment, log=log)
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


@pytest.fixture(scope="module")
def home(nursery, tmp_path_factory):
    """The data directory of a local platform with the demo models."""
    folder = tmp_path_factory.mktemp("home")
    try:
        fork(nursery, folder)
        seed(Session(home=folder))
        yield folder
    finally:
        local_platform.stop(folder)


@pytest.fixture
def serving_job(home):
    """Make a job to serve the demo classifier, its new deployment, and an image for it."""
    platform = Session(home=home).platform

    def make():
        plan = check(DeployRequest("digits-classifier"), platform, platform, serves_itself=False)
        job = ServingJob(
            host=platform.host,
            token=platform.token,
            front_token="",
            organization_id=platform.organization_id,
            model_version_id=plan.model_version.id,
            model_file=plan.model_file,
            cache_dir=str(home / "cache"),
            place="local",
            kernel_id="",
        )
        image = next(path for path, _ in catalog.digits())
        return job_to_json(job), platform.create_deployment(plan), image

    return make


@pytest.fixture
def holders():
    """Make a forking process: `holders(LD_PRELOAD=…)`."""
    made = []

    def begin(**environment):
        made.append(Holders(**environment))
        return made[-1]

    yield begin
    for one in made:
        one.stop()


@pytest.fixture
def platform(nursery, tmp_path):
    """A running platform, a client with a deployment in it, and the job of a holder."""
    home = tmp_path / "home"
    running = fork(nursery, home)
    client = Client.of(running)
    headers = {"Authorization": f"Bearer {running.token}"}
    ping = httpx.get(f"{running.host}/api/home/ping", headers=headers).json()
    job = {
        "folder": str(tmp_path / "spool" / "deployment"),
        "host": running.host,
        "token": running.token,
        "organization": ping["default_organization"],
        "deployment": client.deployment,
    }
    port = running.host.rpartition(":")[2]
    all_running = [running]

    def again(**how):
        all_running.append(fork(nursery, home, "--port", port, **how))
        return all_running[-1]

    yield home, job, running, again
    all_running[-1].kill()
    with sqlite3.connect(home / "platform.sqlite3"):
        pass


def stored_faults(home: Path, job, said) -> list[str]:
    """What is wrong with what the platform has stored of what holders kept."""
    return faults_of(home, set(said.kept), job["deployment"], unanswered=said.unanswered)


def stored_in_order(home: Path, job) -> list[str]:
    """The ids of a deployment's predictions as they came to a platform that is killed."""
    with sqlite3.connect(home / "platform.sqlite3") as db:
        rows = db.execute(
            "SELECT oracle_prediction_id FROM prediction WHERE deployment_id = ? ORDER BY rowid",
            [job["deployment"]],
        ).fetchall()
    db.close()
    return [row[0] for row in rows]


def await_kept(forking: Holders, count: int) -> None:
    """Wait until a holder has kept so many more."""
    enough = len(forking.said.kept) + count
    forking.listen(lambda: len(forking.said.kept) >= enough)
