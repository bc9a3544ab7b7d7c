"""Serving kernels that are killed while another champion takes over: one champion is left."""

import signal
import sys
from collections import Counter

import httpx
import pytest

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.promotion import RolloutState
from picsellia_jupyter.session import Session
from tests.faults.served import FRONT_TOKEN, Served, kill, wait_for
from tests.jupyter_servers import running_server

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]
MODEL = "digits-classifier"
STAGES = ("asked", "loading", "warming", "served")
"""When the kernel is killed: at once, while it loads, while it tries, once it has taken over."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("jupyter") / "server") as running:
        yield running


@pytest.fixture
def platform(home):
    """The platform, with a second version of the model."""
    made = Session(home=home).platform
    model = next(one for one in made.models() if one.name == MODEL)
    if len(made.versions(model)) < 2:
        demo = next(one for one in catalog.MODELS if one.name == MODEL)
        version = made.create_version(
            model, kind=demo.type, framework=demo.framework, labels=demo.labels
        )
        for name, path in demo.files.items():
            made.store_file(version, name, path)
    return made


def champion_of(served):
    """What the serving kernel says of its champion; nothing while it is gone."""
    lease = served.lease
    try:
        headers = {"Authorization": f"Bearer {FRONT_TOKEN}"}
        said = httpx.get(f"{lease.address}/control/status", headers=headers, timeout=5)
        return said.json()["champion"]
    except (httpx.TransportError, AttributeError):
        return {}


def has_come(served, stage, wanted):
    now = champion_of(served)
    if stage == "served":
        return now.get("model_version_id") == wanted
    # It may have passed a stage between two looks.
    return (
        stage == "asked" or stage in (now.get("coming") or "") or has_come(served, "served", wanted)
    )


def promote_and_kill(platform, served, record, stage):
    """Kill the kernel at a stage of a promotion; the version that has become champion."""
    before = platform.deployment(record.id).model_version_id
    wanted = next(one for one in versions_of(platform) if one != before)
    lease = served.lease
    platform.promote(platform.deployment(record.id), wanted)
    wait_for(lambda: has_come(served, stage, wanted))
    kill(lease, signal.SIGKILL)
    served.await_back(lease)
    wait_for(lambda: champion_of(served).get("model_version_id") == wanted)
    wait_for(lambda: platform.rollouts(record)[0].state is RolloutState.SERVED)
    return wanted


def versions_of(platform):
    model = next(one for one in platform.models() if one.name == MODEL)
    return [version.id for version in platform.versions(model)]


def test_a_kernel_killed_during_a_promotion_leaves_one_champion(
    server, serving_job, platform, long
):
    job, record, image = serving_job()
    stages = STAGES * 8 if long else STAGES[1:2]
    kernels: list[Served] = []
    for number, stage in enumerate(stages):
        if number % 4 == 0:  # Jupyter gives a kernel up after five deaths in a row
            champion = platform.deployment(record.id).model_version_id
            begins = {**job, "idle_s": None, "model_version_id": champion}
            if kernels:
                kernels[-1].delete()
            kernels.append(Served.start(server, begins, record, image))
        served = kernels[-1]
        served.predict(1)
        wanted = promote_and_kill(platform, served, record, stage)
        assert champion_of(served)["trouble"] == ""
        served.predict(1)
        served.flush()
        assert platform.deployment(record.id).model_version_id == wanted
        states = Counter(one.state for one in platform.rollouts(record))
        assert states == {RolloutState.SERVED: number + 1}
        assert served.lease.job["model_version_id"] == wanted
        assert served.survivors() == []
    kernels[-1].delete()
    acknowledged = sum(one.acknowledged for one in kernels)
    assert platform.deployment(record.id).inferences == acknowledged == 2 * len(stages)
    print(f"killed during {len(stages)} promotions: one champion each time, 0 predictions lost")
