"""Training runs that a kernel elsewhere is to do: the platform starts and restarts none of them."""

import pytest

from picsellia_jupyter.localplatform.starting import Starter
from picsellia_jupyter.localplatform.training import LEASE_S, UNCLAIMED_S
from tests.localplatform.looping import RUNNER, attached, continuous, dataset_version, of


@pytest.fixture
def database():
    """SQLite: there is nothing here that another database would do otherwise."""
    return


@pytest.fixture
def run(world):
    """The path of a run that waits for a kernel at gpu1."""
    deployment = continuous(world)
    attached(world, deployment, "train", dataset_version(world, "digits"))
    made = world.user.post(of(deployment, "training/runs"), json={"place": "gpu1"}).json()
    return f"/api/local/training/runs/{made['id']}"


@pytest.fixture
def starts(world):
    """Have the platform look every second: `starts(3.0)`; how many runners it has started."""
    starter = Starter(world.platform, lambda _: pytest.fail("it is not this machine's"))

    def look(seconds):
        count = 0
        for _ in range(int(seconds)):
            world.clock.pass_by(1)
            count += starter()
        return count

    return look


def told(world, path):
    run = world.user.get(path).json()
    return run["state"], run["error"]


def test_a_run_that_no_kernel_takes_up_has_failed_after_five_minutes(world, run, starts):
    assert starts(UNCLAIMED_S) == 0
    assert told(world, run) == ("WAITING", "")
    starts(2)
    assert told(world, run) == (
        "FAILED", "No kernel at gpu1 took the run up within 5 minutes.",
    )  # fmt: skip
    late = world.user.post(f"{run}/claim", json={"runner": RUNNER})
    assert late.status_code == 409


def test_a_kernel_that_falls_silent_fails_its_run_and_no_other_one_is_started(world, run, starts):
    job = world.user.post(f"{run}/claim", json={"runner": RUNNER}).json()
    starts(LEASE_S)
    assert told(world, run) == ("RUNNING", "")
    starts(2)
    assert told(world, run) == ("FAILED", "The kernel that trained at gpu1 ended without a word.")
    made = world.user.get(f"/api/experiment/{job['experiment_id']}").json()
    assert made["status"] == "FAILED"


def test_a_kernel_that_falls_silent_after_its_run_was_cancelled_has_ended_it(world, run, starts):
    world.user.post(f"{run}/claim", json={"runner": RUNNER})
    world.user.post(f"{run}/cancel")
    starts(LEASE_S + 2)
    assert told(world, run) == ("CANCELED", "")


def test_a_retry_is_done_where_it_is_asked_for(world, run):
    world.user.post(f"{run}/cancel")
    again = world.user.post(f"{run}/retry", json={"place": "gpu2"}).json()
    assert (again["place"], again["cause"]) == ("gpu2", "retry")
