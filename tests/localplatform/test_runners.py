"""Training runs as their runners have them: claimed by one at a time, ended once."""

import json

import pytest

from picsellia_jupyter.localplatform.starting import Starter
from picsellia_jupyter.localplatform.training import ATTEMPTS, LEASE_S
from tests.localplatform.looping import (
    RUNNER,
    attached,
    continuous,
    dataset_version,
    of,
    review,
    submit,
)


@pytest.fixture
def database():
    """SQLite: the statements are those of `test_training.py`, which tries both."""
    return


@pytest.fixture
def run(world):
    """A run that waits: its deployment and its path."""
    deployment = continuous(world)
    attached(world, deployment, "train", dataset_version(world, "digits"))
    made = world.user.post(of(deployment, "training/runs"), json={}).json()
    return deployment, f"/api/local/training/runs/{made['id']}"


def test_a_runner_is_given_an_experiment_named_after_the_deployment(world, run):
    deployment, path = run
    job = world.user.post(f"{path}/claim", json={"runner": RUNNER}).json()

    assert (job["state"], job["parameters"], list(job["datasets"])) == (
        "RUNNING", {"epochs": 2}, ["train"],
    )  # fmt: skip
    made = world.user.get(f"/api/experiment/{job['experiment_id']}").json()
    assert (made["name"], made["status"]) == ("lines-1", "RUNNING")
    assert made["base_model_version_id"] == deployment["model_version_id"]
    again = world.user.post(f"{path}/claim", json={"runner": RUNNER}).json()
    assert again["experiment_id"] == job["experiment_id"]


def test_a_run_is_never_two_runners(world, run):
    _, path = run
    first = world.user.post(f"{path}/claim", json={"runner": RUNNER})
    second = world.user.post(f"{path}/claim", json={"runner": "another-runner"})
    assert (first.status_code, second.status_code) == (200, 409)
    assert "another runner has it" in second.json()["message"]


def test_a_silent_runner_loses_its_run_and_is_refused_from_then_on(world, run):
    _, path = run
    starts = []
    starter = Starter(world.platform, lambda ident: starts.append(ident) or _ended())
    starter()
    world.user.post(f"{path}/claim", json={"runner": RUNNER})
    assert silent(world, starter, path) == LEASE_S + 1

    assert world.user.get(path).json()["step"] == "Its runner ended without a word; try 2 of 3."
    assert starts == [path.rsplit("/", 1)[1]] * 2
    world.user.post(f"{path}/claim", json={"runner": "another-runner"})
    late = world.user.post(f"{path}/beat", json={"runner": RUNNER, "progress": 0.9})
    too_late = world.user.post(f"{path}/end", json={"runner": RUNNER, "state": "SUCCESS"})
    assert (late.status_code, too_late.status_code) == (409, 409)
    assert "not this runner's any more" in late.json()["message"]


def test_a_run_whose_runners_all_vanish_has_failed_and_says_so(world, run):
    _, path = run
    starter = Starter(world.platform, lambda _: _ended())
    for number in range(ATTEMPTS):
        world.user.post(f"{path}/claim", json={"runner": f"runner-number-{number}"})
        silent(world, starter, path)
    told = world.user.get(path).json()
    assert (told["state"], told["error"]) == ("FAILED", "3 runners in a row ended without a word.")


def test_a_runner_that_cannot_be_started_fails_the_run_with_the_log_that_says_why(world, run):
    _, path = run
    starter = Starter(world.platform, lambda _: _ended())
    started = [starter() for _ in range(ATTEMPTS + 2)]
    assert started == [1, 1, 1, 0, 0]
    told = world.user.get(path).json()
    assert told["state"] == "FAILED"
    assert told["error"].startswith("3 runners ended before they took the run up. They printed: ")


def test_one_runner_is_started_at_a_time(world, run):
    starts = []
    starter = Starter(world.platform, lambda ident: starts.append(ident) or _going_on())
    assert [starter(), starter()] == [1, 0]


def test_a_run_that_waits_is_cancelled_at_once_and_one_that_goes_on_is_told(world, run):
    deployment, path = run
    assert world.user.post(f"{path}/cancel").json()["state"] == "CANCELED"
    other = world.user.post(of(deployment, "training/runs"), json={}).json()
    path = f"/api/local/training/runs/{other['id']}"
    world.user.post(f"{path}/claim", json={"runner": RUNNER})

    assert world.user.post(f"{path}/cancel").json()["state"] == "RUNNING"

    told = world.user.post(f"{path}/beat", json={"runner": RUNNER, "progress": 0.5}).json()
    assert told == {"is_cancelled": True}
    world.user.post(f"{path}/end", json={"runner": RUNNER, "state": "CANCELED"})
    assert world.user.get(path).json()["state"] == "CANCELED"
    again = world.user.post(f"{path}/cancel")
    assert "is over: CANCELED" in again.json()["message"]


def test_a_failed_run_is_retried_once(world, run):
    _, path = run
    early = world.user.post(f"{path}/retry")
    assert "only one that failed or was cancelled is retried" in early.json()["message"]
    world.user.post(f"{path}/cancel")

    first = world.user.post(f"{path}/retry")
    world.user.post(f"/api/local/training/runs/{first.json()['id']}/cancel")
    second = world.user.post(f"{path}/retry")

    assert (first.status_code, first.json()["cause"], second.status_code) == (201, "retry", 409)
    assert "has had its training run" in second.json()["message"]


def test_training_is_begun_only_where_it_is_set_up_and_once_at_a_time(world):
    deployment = world.deployment()
    early = world.user.post(of(deployment, "training/runs"), json={})
    assert "Continuous training of 'lines' is not set up" in early.json()["message"]
    continuous(world, deployment=deployment)

    first = world.user.post(of(deployment, "training/runs"), json={})
    second = world.user.post(of(deployment, "training/runs"), json={})

    assert (first.status_code, second.status_code) == (201, 409)
    assert "is under way (WAITING)" in second.json()["message"]


def test_a_run_without_data_fails_as_it_is_taken_up_and_says_what_to_attach(world):
    deployment = continuous(world)
    made = world.user.post(of(deployment, "training/runs"), json={}).json()
    path = f"/api/local/training/runs/{made['id']}"

    job = world.user.post(f"{path}/claim", json={"runner": RUNNER}).json()

    assert job["state"] == "FAILED"
    assert "Continuous training of 'lines' has no data. Attach a dataset version" in job["error"]


def test_a_version_is_made_once_and_only_by_the_runner_that_has_the_run(world, run):
    deployment, path = run
    world.user.post(f"{path}/claim", json={"runner": RUNNER})

    made = [world.user.post(f"{path}/export", json={"runner": RUNNER}).json() for _ in range(2)]
    other = world.user.post(f"{path}/export", json={"runner": "another-runner"})
    world.user.post(f"{path}/end", json={"runner": RUNNER, "state": "SUCCESS"})

    assert made[0] == made[1]
    assert other.status_code == 409
    told = world.user.get(path).json()
    assert (told["state"], told["version"]) == ("SUCCESS", "model of lines:1")
    [rollout] = world.user.get(of(deployment, "rollouts")).json()["items"]
    assert (rollout["role"], rollout["title"]) == ("offer", "model of lines:1")


def test_data_that_reviews_go_into_holds_nothing_out(world, run):
    deployment, path = run
    asked = {"runner": RUNNER}
    world.user.post(f"{path}/claim", json=asked)
    none = world.user.post(f"{path}/held-out/images", json=asked).json()
    world.user.post(f"{path}/end", json={**asked, "state": "FAILED"})
    fed = dataset_version(world, "fed")
    attached(world, deployment, "eval", fed)
    body = {"dataset_version_id": fed["id"]}
    world.user.post(f"/api/deployment/{deployment['id']}/fl/datasets", json=body)
    path = "/api/local/training/runs/" + world.user.post(f"{path}/retry").json()["id"]
    world.user.post(f"{path}/claim", json=asked)

    told = world.user.post(f"{path}/held-out/images", json=asked).json()

    assert none["said"] == "No dataset version is attached as 'eval' or 'test'."
    assert told["images"] == []
    assert told["said"].startswith("Submitted reviews go into fed/v1, so it holds nothing out.")


@pytest.mark.parametrize("end", ["paused", "detached"])
def test_a_paused_or_detached_feedback_loop_feeds_nothing(world, end):
    deployment, version = world.deployment(), dataset_version(world, "truth")
    path = f"/api/deployment/{deployment['id']}"
    world.user.post(f"{path}/pipeline/fl/setup", json={})
    world.user.post(f"{path}/fl/datasets", json={"dataset_version_id": version["id"]})
    review(world, deployment, "a.png")
    if end == "paused":
        world.user.put(f"{path}/pipeline/fl", json={"active": False})
    else:
        world.user.request("DELETE", f"{path}/fl/datasets", json={"ids": [version["id"]]})

    assert submit(world, deployment).json() == {"submitted": 1, "annotated": 0}


def test_limits_that_are_none_are_refused_when_training_is_set_up(world):
    deployment = continuous(world)
    path = f"/api/deployment/{deployment['id']}/pipeline/ct"
    body = world.user.get(of(deployment, "loop")).json()["continuous_training"]["settings"]
    for limits, said in (
        ({"disk": 3}, "The limits of training are memory_gb, cpu_s, wall_s"),
        ({"wall_s": 0}, "The limit wall_s of training is a number above 0; got 0"),
        ({"memory_gb": True}, "The limit memory_gb of training is a number above 0; got True"),
    ):
        body["experiment_parameters"] = {"limits": limits}
        assert said in world.user.post(path, json=body).json()["message"]


def test_data_can_be_detached_by_the_name_that_training_has_for_it(world):
    deployment = continuous(world)
    attached(world, deployment, "train", dataset_version(world, "digits"))

    wrong = world.user.delete(of(deployment, "training/datasets/trian"))
    right = world.user.delete(of(deployment, "training/datasets/train"))

    assert "Did you mean 'train'?" in json.dumps(wrong.json())
    assert right.status_code == 204
    assert world.user.get(of(deployment, "training")).json()["datasets"] == {}


def test_a_machine_that_slept_takes_no_run_from_its_runner(world, run):
    _, path = run
    starter = Starter(world.platform, lambda _: _going_on())
    world.user.post(f"{path}/claim", json={"runner": RUNNER})
    starter()
    world.clock.pass_by(3600)
    starter()
    assert world.user.post(f"{path}/beat", json={"runner": RUNNER, "progress": 0.5}).is_success


def silent(world, starter, path):
    """Let seconds pass, in each of which the platform looks, until the run is its runner's no more.

    Returns:
        How many.
    """
    for seconds in range(1, 100):
        world.clock.pass_by(1)
        starter()
        if world.user.get(path).json()["state"] != "RUNNING":
            return seconds
    return None


def _ended():
    return type("Ended", (), {"poll": lambda self: 1})()


def _going_on():
    return type("GoingOn", (), {"poll": lambda self: None})()
