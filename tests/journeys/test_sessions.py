"""Several sessions, scripts that end, and what they must not lose or leave behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import NotServingError
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey


def kernel_of(session: Session, name: str) -> psutil.Process:
    serving = session.deployment(name).record.serving
    assert serving is not None
    assert serving.pid is not None
    return psutil.Process(serving.pid)


def test_a_handle_follows_its_deployment_to_a_new_kernel_and_threshold(home: Path):
    session = Session(home=home)
    old = session.deploy("digits-detector", name="moving", threshold=0.3)
    old.undeploy()
    session.deploy("digits-detector", name="moving", threshold=0.7)

    found = old.predict(catalog.pages()[0])

    assert found.threshold == 0.7
    session.undeploy("moving", delete=True)


def test_another_session_ends_the_kernel_with_all_it_started(home: Path):
    Session(home=home).deploy("digits-detector", name="shared")
    other = Session(home=home)
    kernel = kernel_of(other, "shared")
    started = [kernel, *kernel.children(recursive=True)]

    other.undeploy("shared")

    _, left = psutil.wait_procs(started, timeout=10)
    assert [p for p in left if p.status() != psutil.STATUS_ZOMBIE] == []
    assert other.deployment("shared").state is ServingState.STOPPED
    other.undeploy("shared", delete=True)


def test_undeploying_records_what_was_predicted(home: Path):
    session = Session(home=home)
    deployed = session.deploy("digits-classifier", name="drained")
    images = [path for path, _digit in catalog.digits()]
    for _ in range(4):
        deployed.predict(images)

    deployed.undeploy()

    assert deployed.refresh().inferences == 4 * len(images)
    session.undeploy("drained", delete=True)


def test_a_script_that_ends_loses_no_prediction_and_leaves_no_kernel(home: Path):
    program = (
        "import sys; from picsellia_jupyter import Session; from picsellia_jupyter.demo import "
        "catalog; s = Session(home=sys.argv[1]); d = s.deploy('digits-detector', name='script'); "
        "found = d.predict(catalog.pages()); print(len(found), d.record.serving.pid)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(home)],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip

    count, pid = map(int, done.stdout.split())
    session = Session(home=home)
    assert session.deployment("script").record.inferences == count == len(catalog.pages())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    session.undeploy("script", delete=True)


def test_a_stopped_deployment_says_how_to_serve_it_again(home: Path):
    session = Session(home=home)
    deployed = session.deploy("digits-detector", name="halted", threshold=0.4)
    deployed.undeploy()

    with pytest.raises(NotServingError, match="stopped") as caught:
        deployed.predict(catalog.pages()[0])

    assert "%deploy digits-detector:0 --strategy serving --on local --name halted" in str(
        caught.value
    )
    session.undeploy("halted", delete=True)


def test_the_demo_is_registered_locally_whatever_the_environment_says(tmp_path: Path):
    command = [sys.executable, "-m", "picsellia_jupyter.cli"]
    cloud = {"PICSELLIA_HOST": "http://127.0.0.1:9", "PICSELLIA_TOKEN": "not-for-the-demo"}
    environment = {**os.environ, **cloud}
    try:
        seeded = subprocess.run(
            [*command, "demo", "seed", "--home", str(tmp_path / "own"), "--json"],
            env=environment, capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert json.loads(seeded.stdout) == {"models": ["digits-detector", "digits-classifier"]}
    finally:
        subprocess.run(
            [*command, "platform", "stop", "--home", str(tmp_path / "own")],
            env=environment,
            check=True,
        )


def test_a_wrong_host_in_the_environment_is_said_without_a_traceback(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "picsellia_jupyter.cli", "platform", "status"],
        env={**os.environ, "PICSELLIA_HOST": "foo"}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "PICSELLIA_HOST is 'foo'" in done.stderr
    assert "Traceback" not in done.stderr


def test_ending_the_command_ends_the_platform_it_runs(tmp_path: Path):
    command = [sys.executable, "-m", "picsellia_jupyter.cli", "platform", "run"]
    process = subprocess.Popen(
        [*command, "--home", str(tmp_path), "--port", "0", "--json"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    children = psutil.Process(process.pid).children(recursive=True)

    process.terminate()

    assert process.wait(20) == 0
    assert set(said) == {"host", "token", "organization"}
    assert [child for child in children if child.is_running()] == []
