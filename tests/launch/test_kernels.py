"""Serving kernels, started for real, that are interrupted or die."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.deployments import DeploymentPlan, Progress, Stage
from picsellia_jupyter.domain.errors import ModelLoadError, ServingError
from picsellia_jupyter.domain.registry import Framework, InferenceType
from picsellia_jupyter.launch import leases, local_platform
from picsellia_jupyter.launch.kernels import ChildKernel
from picsellia_jupyter.session import Session
from picsellia_jupyter.workflows.deploying import DeployRequest, check
from tests.nursery import Nursery
from tests.platforms import fork


@pytest.fixture(scope="module")
def session(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("home")
    try:
        fork(nursery, home)
        session = Session(home=home)
        seed(session)
        yield session
    finally:
        local_platform.stop(home)


@pytest.fixture(autouse=True)
def nothing_left_running(session: Session) -> Iterator[None]:
    yield
    kernels = [p for p in psutil.Process().children(recursive=True) if _serves(p)]
    _, left = psutil.wait_procs(kernels, timeout=5)
    assert left == []
    owned = [lease for lease in leases.everything() if lease.parent == os.getpid()]
    assert owned == []


def plan(session: Session) -> DeploymentPlan:
    platform = session.platform
    request = DeployRequest("digits-detector")
    return check(request, platform, platform, serves_itself=False)


def _serves(process: psutil.Process) -> bool:
    try:
        line = process.cmdline()
    except psutil.Error:
        return False
    return "ipykernel_launcher" in line or "picsellia_jupyter.serving.worker" in line


@pytest.mark.parametrize("stage", [Stage.DOWNLOAD, Stage.LOAD, Stage.DRY_RUN])
def test_stopping_a_deployment_at_any_stage_leaves_nothing_behind(session: Session, stage: Stage):
    seen: list[Stage] = []

    def stop(progress: Progress) -> None:
        seen.append(progress.stage)
        if progress.stage is stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.deploy("digits-detector", name="stopped", progress=stop)

    assert stage in seen
    assert "stopped" not in [record.name for record in session.deployments().records]


def test_a_kernel_that_dies_while_loading_is_an_error_with_its_last_lines(session: Session):
    launcher = session._fleet.launcher(session.platform, plan(session), install=False)
    staged = launcher.start(plan(session))
    kernel = staged._kernel
    assert isinstance(kernel, ChildKernel)
    os.kill(kernel._manager.provisioner.pid, signal.SIGKILL)

    with pytest.raises(ServingError, match="died while the model was loading"):
        staged.prepare(lambda _stage, _detail: None)

    staged.stop()


def test_a_model_that_cannot_be_loaded_is_an_error_and_makes_no_deployment(
    session: Session, tmp_path: Path
):
    platform = session.platform
    model = platform.create_model("broken", "no model at all")
    version = platform.create_version(
        model, kind=InferenceType.OBJECT_DETECTION, framework=Framework.ONNX, labels={0: "a"}
    )
    (tmp_path / "model.onnx").write_bytes(b"this is no model")
    platform.store_file(version, "model-latest", tmp_path / "model.onnx")

    with pytest.raises(ModelLoadError):
        session.deploy("broken", name="broken-1")

    assert "broken-1" not in [record.name for record in session.deployments().records]


def test_an_undeployed_kernel_is_gone_and_its_deployment_stays(session: Session):
    deployed = session.deploy("digits-detector", name="kept")

    deployed.undeploy()

    assert session.deployment("kept").id == deployed.id
    session.undeploy("kept", delete=True)
    assert "kept" not in [record.name for record in session.deployments().records]
