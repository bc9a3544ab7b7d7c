"""A notebook finds its own Jupyter server, whichever way that lets people in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from picsellia_jupyter.launch import local_platform
from tests.jupyter_servers import RunningServer
from tests.labserver.kinds import Kind, extended, extension

pytestmark = pytest.mark.journey

DEPLOY = """
from picsellia_jupyter import Session
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
session = Session()
seed(session)
d = session.deploy("digits-classifier", name="own")
failures = d.predict([path for path, _digit in catalog.digits()][:3]).failures
told = (d.record.serving.kernel_id, len(failures))
"""


@pytest.fixture(params=[Kind.PASSWORD, Kind.OPEN], ids=lambda kind: kind.value)
def server(request, tmp_path: Path) -> Iterator[RunningServer]:
    with extended(tmp_path / "one", request.param, "--ServerApp.base_url=/user/me/") as running:
        try:
            yield running
        finally:
            local_platform.stop(running.folder / "home")


def test_a_serving_kernel_is_owned_by_the_notebooks_server_and_ended_with_its_deployment(server):
    desk = extension(server)
    notebook = desk.start_kernel("a notebook", None)

    told = desk.execute(notebook, DEPLOY, "told", timeout_s=120)

    serving, failures = ast.literal_eval(told)
    assert failures == 0
    running = {kernel.id: kernel for kernel in desk.running()}
    assert running[serving].spec == "picsellia-serving"
    desk.execute(notebook, "session.undeploy('own')", "1", timeout_s=60)
    assert desk.kernels() == [notebook]
