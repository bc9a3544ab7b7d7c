"""A deployment on a real Ray cluster of two nodes on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from picsellia_jupyter.demo.catalog import pages
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.deployments import DeploymentPlan, ServingState
from picsellia_jupyter.domain.errors import NotFoundError, ServingError
from picsellia_jupyter.domain.scale import Scale
from picsellia_jupyter.launch import local_platform, ray_serve
from picsellia_jupyter.launch.ray_serve import Cluster, RayLauncher
from picsellia_jupyter.session import Session
from picsellia_jupyter.workflows import deploying
from tests.nursery import Nursery
from tests.platforms import fork

ray = pytest.importorskip("ray")
pytest.importorskip("ray.serve")
pytestmark = [
    pytest.mark.timeout(400),
    # Ray's own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]
STORE_BYTES = 80 * 2**20


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TwoNodes:
    """A head with two cores and a second node with one."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster as Nodes

        head = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        self._nodes = Nodes(initialize_head=True, head_node_args=head)
        self.second = self._nodes.add_node(num_cpus=1, object_store_memory=STORE_BYTES)
        self.address: str = self._nodes.address
        ray.init(address=self.address, logging_level="error", log_to_driver=False)
        # Both nodes are on one address, where the ingress of one would take what is the other's.
        ray.serve.start(http_options={"port": free_port()}, proxy_location="HeadOnly")

    def kill_second(self) -> None:
        self._nodes.remove_node(self.second, allow_graceful=False)

    def close(self) -> None:
        ray.shutdown()
        self._nodes.shutdown()


@pytest.fixture(scope="module")
def nodes() -> Iterator[TwoNodes]:
    nodes = TwoNodes()
    try:
        yield nodes
    finally:
        nodes.close()


@pytest.fixture(scope="module")
def deployed(session: Session, nodes: TwoNodes) -> Iterator[deploying.Deployed]:
    deployed = deploy(session, plan(session), Scale(2, 2))
    yield deployed
    assert deployed.staged is not None
    deployed.staged.stop()


def plan(session: Session, model: str = "digits-detector") -> DeploymentPlan:
    platform = session.platform
    request = deploying.DeployRequest(model, place="local")
    return replace(deploying.check(request, platform, platform, serves_itself=False), place="ray")


def deploy(session: Session, plan: DeploymentPlan, scale: Scale) -> deploying.Deployed:
    launcher = RayLauncher(session.platform, cache(session), scale=scale)
    return deploying.deploy(
        plan, session.platform, launcher, listen=lambda _progress: None, clock=time.monotonic,
        began=time.monotonic(),
    )  # fmt: skip


def cache(session: Session) -> Path:
    return Path(session.status().rows["Data directory"]) / "cache" / "models"


def workers() -> list[psutil.Process]:
    def is_ours(process: psutil.Process) -> bool:
        try:
            return "picsellia_jupyter.serving.worker" in process.cmdline()
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if is_ours(process)]


def test_two_replicas_are_one_deployment(session: Session, deployed: deploying.Deployed):
    record = session.platform.deployment(deployed.record.id)

    assert record.state is ServingState.READY
    assert record.serving is not None
    assert record.serving.place == "ray"
    assert deployed.dry_run is not None
    assert deployed.dry_run.found > 0
    assert deployed.staged._report()["replicas"] == 2


def test_the_plain_sdk_predicts_through_the_ingress(session: Session, deployed: Any):
    """Its login goes through the gateway, whichever replica answers afterwards."""
    before = recorded(session, deployed.record.id)
    plain = session.sdk.get_deployment(deployed.record.name)

    found = [plain.predict(str(pages()[0])) for _ in range(4)]

    assert all(len(one["detection_classes"]) == len(found[0]["detection_classes"]) for one in found)
    assert len(found[0]["detection_classes"]) > 0
    wait_for(lambda: recorded(session, deployed.record.id) == before + 4)


def test_our_own_predictions_are_recorded_once(session: Session, deployed: Any):
    handle = session.deployment(deployed.record.name)
    before = len(session.platform.prediction_log(handle.id, since=None, until=None))

    predictions = handle.predict(pages()[:6])

    assert len(predictions) == 6
    assert not predictions.failures
    wait_for(lambda: recorded(session, handle.id) == before + 6)


def test_a_login_for_a_deployment_that_is_not_here_names_it(session: Session, deployed: Any):
    import httpx

    address = session.platform.deployment(deployed.record.id).serving.address
    body = {"api_token": session.platform.token, "deployment_id": "another"}
    reply = httpx.post(f"{address}/api/login", json=body, trust_env=False)

    assert reply.status_code == 404
    assert "another" in reply.json()["message"]


def test_a_model_that_cannot_be_loaded_is_an_error_and_leaves_no_application(
    session: Session, deployed: Any
):
    wrong = replace(plan(session), model_file="no-such-file")

    with pytest.raises((ServingError, NotFoundError)):
        deploy(session, wrong, Scale())

    from ray import serve

    ours = [name for name in serve.status().applications if name.startswith(ray_serve.PREFIX)]
    assert ours == [deployed.staged._application.name]


GONE = {"app": "DELETED", "detail": "the application was deleted"}


def test_a_cluster_without_the_package_says_what_to_install(nodes: TwoNodes, monkeypatch):
    monkeypatch.setattr(ray_serve, "PROGRAM", "a_package_that_is_not_there")

    with pytest.raises(ServingError) as caught:
        Cluster(nodes.address).call("start")

    assert caught.value.fact == "The Ray cluster lacks the package 'a_package_that_is_not_there'."
    assert "pip install 'picsellia_jupyter[serving,ray]'" in caught.value.remedy


def test_a_node_that_is_killed_under_load_loses_no_prediction_and_doubles_none(
    session: Session, nodes: TwoNodes, deployed: Any
):
    handle = session.deployment(deployed.record.name)
    before = recorded(session, handle.id)
    killed = threading.Event()
    failures: list[object] = []
    took: list[float] = []

    def predict(number: int) -> None:
        if number == 20:
            nodes.kill_second()
            killed.set()
        began = time.monotonic()
        failures.extend(handle.predict(pages()[number % 10]).failures)
        took.append(time.monotonic() - began)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(predict, range(80)))

    assert killed.is_set()
    assert failures == []
    print(f"node killed: 0 failures, the longest answer took {max(took):.1f} s")
    # What the killed replica has left on disk is taken up by the other one within half a minute.
    wait_for(lambda: recorded(session, handle.id) >= before + 80, 60.0)
    assert recorded(session, handle.id) == before + 80


def test_undeploying_ends_the_application_on_every_node(session: Session, deployed: Any):
    pids = {process.pid for process in workers()}
    before = recorded(session, deployed.record.id)

    lost = session.deployment(deployed.record.name).stop_serving()

    assert lost is not None
    assert not lost.in_words()
    wait_for(
        lambda: deployed.staged._cluster.call("report", deployed.staged._application.name) == GONE
    )
    wait_for(lambda: session.deployment(deployed.record.name).state is ServingState.STOPPED)
    wait_for(lambda: not {process.pid for process in workers()} & pids)
    # Every prediction was recorded before, and none comes twice.
    assert recorded(session, deployed.record.id) == before


def recorded(session: Session, deployment_id: str) -> int:
    return len(session.platform.prediction_log(deployment_id, since=None, until=None))


def wait_for(holds: Any, within_s: float = 30.0) -> None:
    until = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.1)
