"""Training runs: set off once each, done by one runner at a time, ended once."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from picsellia_jupyter.localplatform.starting import Starter
from picsellia_jupyter.localplatform.training import ATTEMPTS, LEASE_S
from picsellia_jupyter.localplatform.triggers import pull_triggers
from tests.localplatform.looping import (
    RUNNER,
    attached,
    continuous,
    dataset_version,
    of,
    review,
    runs,
    submit,
)

INTERRUPTED = Path(__file__).with_name("interrupted_training.py")
on_both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request):
    """SQLite, where a test does not ask for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    return request.getfixturevalue("postgresql").furnished()


# Set off by reviews --------------------------------------------------------------------------


@on_both_databases
def test_the_review_that_reaches_the_threshold_sets_off_one_run(world):
    deployment = continuous(world, threshold=3)
    seen = []
    for number in range(4):
        review(world, deployment, f"{number}.png")
        submit(world, deployment)
        seen.append(len(runs(world, deployment)))

    assert seen == [0, 0, 1, 1]
    [run] = runs(world, deployment)
    assert (run["state"], run["cause"], run["base"]) == ("WAITING", "reviews", "model of lines:0")
    assert run["said"] == "3 reviews were submitted since the last run; 3 set it off."
    plan = world.user.get(of(deployment, "training")).json()
    assert (plan["untrained"], plan["threshold"], plan["is_active"]) == (1, 3, True)


@pytest.mark.parametrize("settings", [{"trigger": "NONE", "threshold": 1}, {}])
def test_without_the_trigger_reviews_set_off_nothing(world, settings):
    deployment = continuous(world, **{"trigger": None, "threshold": None, **settings})
    review(world, deployment, "a.png")
    submit(world, deployment)
    assert runs(world, deployment) == []


def test_a_pause_sets_off_nothing_and_what_was_reviewed_in_it_counts_after(world):
    deployment = continuous(world, threshold=2)
    path = f"/api/deployment/{deployment['id']}/pipeline/ct"
    world.user.put(path, json={"active": False})
    for name in ("a.png", "b.png"):
        review(world, deployment, name)
    submit(world, deployment)
    assert runs(world, deployment) == []

    world.user.put(path, json={"active": True})
    review(world, deployment, "c.png")
    submit(world, deployment)

    assert [run["said"][:9] for run in runs(world, deployment)] == ["3 reviews"]


def test_a_submission_that_is_refused_counts_nothing(world):
    deployment = continuous(world, threshold=1)
    version = dataset_version(world, "fed")
    path = f"/api/deployment/{deployment['id']}"
    world.user.post(f"{path}/pipeline/fl/setup", json={})
    world.user.post(f"{path}/fl/datasets", json={"dataset_version_id": version["id"]})
    world.user.post(f"/api/dataset/version/{version['id']}/lock")
    review(world, deployment, "a.png")

    assert submit(world, deployment).status_code == 409

    assert runs(world, deployment) == []
    assert world.user.get(of(deployment, "training")).json()["untrained"] == 0


def test_reviews_during_a_run_set_off_the_next_one_when_it_ends(world):
    deployment = continuous(world, threshold=1)
    for name in ("a.png", "b.png"):
        review(world, deployment, name)
        submit(world, deployment)
    [first] = runs(world, deployment)
    world.clock.pass_by(1)

    world.user.post(f"/api/local/training/runs/{first['id']}/cancel")

    assert [run["state"] for run in runs(world, deployment)] == ["WAITING", "CANCELED"]


@on_both_databases
def test_eight_writers_that_cross_the_threshold_at_once_set_off_one_run_each_time(world, long):
    rounds, writers = 100 if long else 4, 8
    deployment = continuous(world, threshold=writers)
    path = of(deployment, "reviews/submit")
    with ThreadPoolExecutor(writers) as pool:
        for number in range(rounds):
            ids = [review(world, deployment, f"{number}-{one}.png") for one in range(writers)]
            bodies = [{"predicted_asset_ids": [ident]} for ident in ids]
            replies = list(pool.map(lambda body: world.user.post(path, json=body), bodies))
            assert [reply.json()["submitted"] for reply in replies] == [1] * writers
            made = runs(world, deployment)
            assert len(made) == number + 1
            assert made[0]["state"] == "WAITING"
            world.clock.pass_by(1)
            world.user.post(f"/api/local/training/runs/{made[0]['id']}/cancel")
    assert world.user.get(of(deployment, "training")).json()["untrained"] == 0
    print(f"{rounds} times {writers} writers at once: {len(runs(world, deployment))} runs")


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="forks")
def test_a_platform_killed_anywhere_from_review_to_start_makes_one_run(tmp_path, long):
    done = subprocess.run(
        [sys.executable, str(INTERRUPTED), str(tmp_path), "100" if long else "12"],
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert len(seen) == (100 if long else 12)
    assert any(one["killed"] and one["after"]["runs"] == 0 for one in seen)
    assert any(one["killed"] and one["after"]["runs"] == 1 for one in seen)
    for one in seen:
        # Either all of the submission is there or nothing is.
        assert one["after"] in (
            {"runs": 0, "submitted": 0, "counted": 0},
            {"runs": 1, "submitted": 2, "counted": 2},
        )
        assert one["again"] == {"runs": 1, "submitted": 2, "counted": 2}
        assert one["starts"] == 1
    print(f"{sum(one['killed'] for one in seen)} kills: one run, started once, each time")


# Set off otherwise ---------------------------------------------------------------------------


@on_both_databases
def test_an_alert_sets_off_one_run_an_episode_and_rests_for_its_cooldown(world):
    deployment = continuous(world)
    body = {"name": "slow", "limit": 0.5, "cooldown_s": 60}
    alert = world.user.post(of(deployment, "alerts"), json=body).json()
    world.user.post(
        of(deployment, "training/triggers"), json={"alert_id": alert["id"], "cooldown_s": 3600}
    )
    assert pull_triggers(world.platform) == 0

    world.monitor(deployment, latency=0.9)
    begun = [pull_triggers(world.platform) for _ in range(3)]
    [run] = runs(world, deployment)
    world.user.post(f"/api/local/training/runs/{run['id']}/cancel")
    begun.append(pull_triggers(world.platform))
    world.clock.pass_by(600)
    world.monitor(deployment, filename="again.png", latency=0.9)
    begun.append(pull_triggers(world.platform))
    world.clock.pass_by(3600)
    begun.append(pull_triggers(world.platform))

    assert begun == [1, 0, 0, 0, 0, 1]
    assert run["said"] == "The alert 'slow' fired: latency is 0.9."


def test_a_schedule_sets_off_one_run_a_turn_and_one_for_all_that_were_missed(world):
    deployment = continuous(world)
    body = {"every_s": 86_400, "cooldown_s": 0}
    made = world.user.post(of(deployment, "training/triggers"), json=body).json()
    begun = []
    for seconds in (10, 86_400, 0, 5 * 86_400, 0):
        world.clock.pass_by(seconds)
        begun.append(pull_triggers(world.platform))
        for run in runs(world, deployment):
            world.user.post(f"/api/local/training/runs/{run['id']}/cancel")

    assert begun == [0, 1, 0, 1, 0]
    assert runs(world, deployment)[0]["said"] == "It is scheduled every 1 day."
    assert world.user.delete(f"/api/local/training/triggers/{made['id']}").status_code == 204
    world.clock.pass_by(86_400)
    assert pull_triggers(world.platform) == 0


def test_a_paused_training_heeds_no_trigger(world):
    deployment = continuous(world)
    world.user.post(of(deployment, "training/triggers"), json={"every_s": 60, "cooldown_s": 0})
    world.user.put(f"/api/deployment/{deployment['id']}/pipeline/ct", json={"active": False})
    world.clock.pass_by(120)
    assert pull_triggers(world.platform) == 0


def test_a_trigger_is_an_alert_of_this_deployment_or_a_schedule(world):
    deployment, other = continuous(world), world.deployment("other")
    alert = world.user.post(of(other, "alerts"), json={"name": "slow", "limit": 0.5}).json()
    path = of(deployment, "training/triggers")

    both = world.user.post(path, json={"alert_id": alert["id"], "every_s": 60})
    foreign = world.user.post(path, json={"alert_id": alert["id"]})

    assert "A trigger is an alert or a schedule" in both.json()["message"]
    assert "'slow' watches another deployment" in foreign.json()["message"]


# Runners -------------------------------------------------------------------------------------


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
    world.user.post(f"{path}/claim", json={"runner": RUNNER})
    world.clock.pass_by(LEASE_S + 1)
    starter()

    assert world.user.get(path).json()["step"] == "Its runner ended without a word; try 2 of 3."
    assert starts == [path.rsplit("/", 1)[1]]
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
        world.clock.pass_by(LEASE_S + 1)
        starter()
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


def _ended():
    return type("Ended", (), {"poll": lambda self: 1})()


def _going_on():
    return type("GoingOn", (), {"poll": lambda self: None})()
