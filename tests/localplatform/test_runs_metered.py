"""Training runs are metered as they are claimed, told of and ended."""

import pytest

from picsellia_jupyter.localplatform.training import take_back
from tests.localplatform.looping import RUNNER, attached, continuous, dataset_version, of

SECOND = 1_000_000_000


@pytest.fixture
def database():
    """SQLite: the statements are those of `test_metered_training.py`, which tries both."""
    return


@pytest.fixture
def run(world):
    """The path of a run that waits, on a clock that stands; an hour costs 3,600 MPU."""
    clock = Clock()
    world.platform.monotonic_ns = clock
    world.platform.began_ns = clock()
    world.user.patch("/api/local/usage", json={"rate": 3600})
    deployment = continuous(world)
    clock.pass_by(61)  # What was held for the deployment, which nobody serves, is free again.
    attached(world, deployment, "train", dataset_version(world, "digits"))
    made = world.user.post(of(deployment, "training/runs"), json={}).json()
    return f"/api/local/training/runs/{made['id']}", clock


class Clock:
    """Stands until it is moved."""

    def __init__(self):
        self.now = 50 * SECOND

    def __call__(self):
        return self.now

    def pass_by(self, seconds):
        self.now += seconds * SECOND


def beat(world, path, tick):
    body = {"runner": RUNNER, "progress": 0.5, "tick": tick}
    return world.user.post(f"{path}/beat", json=body).json()


def usage(world):
    return world.user.get("/api/local/usage").json()


def test_a_run_is_charged_from_its_claim_to_its_end_and_a_doubled_beat_once(world, run):
    path, clock = run
    world.user.post(f"{path}/claim", json={"runner": RUNNER})
    clock.pass_by(3)
    assert beat(world, path, 1) == {"is_cancelled": False}
    clock.pass_by(2)
    beat(world, path, 1)
    world.user.post(f"{path}/end", json={"runner": RUNNER, "state": "FAILED", "error": "No."})

    told = usage(world)
    assert (told["used"], told["reserved"]) == (5.0, 0.0)
    (entry,) = told["entries"]
    assert (entry["name"], entry["mpu"]) == ("training of lines", 5.0)


def test_without_mpu_left_a_run_fails_before_it_begins_and_says_so(world, run):
    path, _ = run
    world.user.patch("/api/local/usage", json={"quota": 0})
    job = world.user.post(f"{path}/claim", json={"runner": RUNNER}).json()
    assert job["state"] == "FAILED"
    assert job["error"].startswith("No MPU is left for training: 0 of 0 MPU are used")


def test_a_run_that_spends_the_last_mpu_is_told_to_end_and_says_why(world, run):
    path, clock = run
    world.user.patch("/api/local/usage", json={"quota": 4})
    world.user.post(f"{path}/claim", json={"runner": RUNNER})
    clock.pass_by(5)
    assert beat(world, path, 1) == {"is_cancelled": True}
    world.user.post(f"{path}/end", json={"runner": RUNNER, "state": "CANCELED"})

    told = world.user.get(path).json()
    assert told["state"] == "CANCELED"
    assert told["error"] == "No MPU is left for training: 4 of 4 MPU are used."
    assert usage(world)["used"] == 4.0


def test_a_run_whose_runner_vanished_is_not_charged_for_the_silence(world, run):
    path, clock = run
    world.user.post(f"{path}/claim", json={"runner": RUNNER})
    clock.pass_by(300)
    with world.platform.store.writing() as session:
        take_back(session, now=1e10, awake_since=0.0)
    world.user.post(f"{path}/claim", json={"runner": "another-runner"})
    clock.pass_by(2)
    world.user.post(f"{path}/end", json={"runner": "another-runner", "state": "FAILED"})
    assert usage(world)["used"] == 2.0
