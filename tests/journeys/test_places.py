"""A model that is served elsewhere: on a Jupyter server and on a Kernel Gateway, with a token each.

They run on this machine, but their leases lie in folders of their own, so that a notebook reaches
their kernels as it would another machine's: through a tunnel.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.places.servers import TOKEN, jupyter_server, kernel_gateway
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey
Starter = Callable[[Path], AbstractContextManager[JupyterServer]]


@pytest.fixture(scope="module", params=[jupyter_server, kernel_gateway], ids=["server", "gateway"])
def elsewhere(request, tmp_path_factory) -> Iterator[JupyterServer]:
    start: Starter = request.param
    with start(tmp_path_factory.mktemp("elsewhere")) as server:
        yield server


@pytest.fixture(autouse=True)
def the_token_is_in_the_environment(monkeypatch):
    monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", TOKEN)


def test_a_model_is_served_elsewhere_found_again_and_ended(home: Path, elsewhere: JupyterServer):
    first = Session(home=home)
    first.add_place("gpu1", elsewhere.url)
    d = first.deploy("digits-classifier", on="gpu1", idle="2h")
    images = [path for path, _digit in catalog.digits()][:20]
    serving = d.record.serving
    assert serving is not None
    assert serving.place == "gpu1"
    assert d.address != serving.address

    for _ in range(5):
        assert not d.predict(images).failures
    # As after a restart of the notebook: another session knows the deployment's name alone.
    second = Session(home=home)
    again = second.deployment(d.name)
    for _ in range(5):
        assert not again.predict(images).failures

    assert not again.flush().in_words()
    log = second.platform.prediction_log(again.id, since=None, until=None)
    assert len(log) == 200
    started = kernel_of(serving.pid)
    second.undeploy(d.name)
    _, left = psutil.wait_procs(started, timeout=10)
    assert [p for p in left if p.status() != psutil.STATUS_ZOMBIE] == []
    assert not JupyterClient(elsewhere).alive(serving.kernel_id)
    assert second.deployment(d.name).state is ServingState.STOPPED


def test_any_client_predicts_at_the_deployments_address(home: Path, elsewhere: JupyterServer):
    session = Session(home=home)
    d = session.deploy("digits-classifier", on=f"{elsewhere.url}/lab?token={TOKEN}")
    path, _digit = catalog.digits()[0]
    body = {"api_token": session.platform.token, "deployment_id": d.id}

    with httpx.Client(base_url=d.address, trust_env=False, timeout=30) as http:
        token = http.post("/api/login", json=body).json()["jwt"]
        reply = http.post(
            f"/api/deployments/{d.id}/predict",
            headers={"Authorization": f"Bearer {token}"},
            files={"media": (path.name, path.read_bytes())},
            data={"monitor": "False"},
        )

    assert reply.status_code == 200, reply.text
    assert "detection_classes" in reply.json() or "label" in reply.text
    session.undeploy(d.name, delete=True)


def test_undeploying_where_the_server_is_gone_says_so_and_goes_on(home: Path, tmp_path: Path):
    session = Session(home=home)
    with jupyter_server(tmp_path) as server:
        session.add_place("gone", server.url)
        d = session.deploy("digits-classifier", on="gone")

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        session.undeploy(d.name, delete=True)

    assert any("does not answer" in str(one.message) for one in told)


def kernel_of(pid: int | None) -> list[psutil.Process]:
    assert pid is not None
    kernel = psutil.Process(pid)
    return [kernel, *kernel.children(recursive=True)]
