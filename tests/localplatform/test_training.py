"""Training runs: set off once each, whoever and whatever is in between."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from picsellia_jupyter.localplatform.triggers import pull_triggers
from tests.localplatform.looping import (
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
        yield None
        return
    with request.getfixturevalue("postgresql").furnished() as url:
        yield url


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
