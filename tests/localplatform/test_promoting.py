"""Who is champion: promoted, rolled back, followed by its serving kernel, held by a gate."""

import itertools
import threading

import pytest

from picsellia_jupyter.localplatform.continuous_deployment import trained
from picsellia_jupyter.wire.resources import MODEL_VERSION_KEY
from tests.localplatform.conftest import monitored
from tests.localplatform.test_continuous_deployment import another_version, compared, now_of, of
from tests.localplatform.test_loop import dataset_version, reviewed

KERNEL = {"kernel_id": "k1", "address": "http://127.0.0.1:4000", "place": "local"}


@pytest.fixture
def line(world):
    """A deployment with a shadow, and the ids of both versions."""
    deployment = world.deployment("line")
    new = another_version(world, deployment)
    shadow(world, deployment, new)
    return deployment, deployment["model_version_id"], new


def shadow(world, deployment, version):
    path = f"/api/deployment/{deployment['id']}/shadow"
    assert world.user.post(path, json={"model_version_id": version}).status_code == 200


def promote(world, deployment, **body):
    return world.user.post(of(deployment, "promote"), json=body)


def beat(world, deployment, serves, failed=None):
    said = {"state": "ready", "kernel": {**KERNEL, "model_version_id": serves}, "failed": failed}
    reply = world.user.post(of(deployment, "heartbeat"), json=said)
    assert reply.status_code == 200, reply.text
    return reply.json()["model_version_id"], reply.json()["shadow_model_version_id"]


def rollouts(world, deployment):
    items = world.user.get(of(deployment, "rollouts")).json()["items"]
    return [(one["role"], one["cause"], one["state"]) for one in items]


def test_a_promotion_is_asked_for_and_then_served(world, line):
    deployment, old, new = line
    beat(world, deployment, old)
    asked = promote(world, deployment).json()
    assert (asked["title"], asked["previous"], asked["state"]) == (
        "model of line:1", "model of line:0", "asked",
    )  # fmt: skip
    assert beat(world, deployment, old) == (new, None)
    assert rollouts(world, deployment)[0] == ("champion", "person", "asked")
    beat(world, deployment, new)
    assert rollouts(world, deployment)[0] == ("champion", "person", "served")


def test_a_champion_that_cannot_be_loaded_gives_its_place_back(world, line):
    deployment, old, new = line
    promote(world, deployment, keep_champion_as_shadow=True)
    assert now_of(world, deployment) == (new, old)
    failed = {"version_id": new, "why": "The file is broken."}
    assert beat(world, deployment, old, failed) == (old, new)
    newest = world.user.get(of(deployment, "rollouts")).json()["items"][0]
    assert (newest["state"], newest["said"]) == ("failed", "The file is broken.")
    # Said once more, it changes nothing.
    assert beat(world, deployment, old, failed) == (old, new)


def test_of_two_promotions_at_once_the_last_counts_and_falls_back_to_what_was_served(world, line):
    deployment, old, _ = line
    newer = another_version(world, deployment)
    promote(world, deployment)
    promote(world, deployment, model_version_id=newer)
    assert [state for _, _, state in rollouts(world, deployment)][:2] == ["asked", "superseded"]
    assert beat(world, deployment, old, {"version_id": newer, "why": "no"})[0] == old


def test_a_rollback_goes_to_the_champion_before_and_a_second_one_undoes_it(world, line):
    deployment, old, new = line
    nothing = world.user.post(of(deployment, "rollback"))
    assert nothing.status_code == 409
    assert nothing.json()["message"] == "'line' has had no other champion"
    promote(world, deployment)
    beat(world, deployment, new)
    for expected in (old, new, old):
        done = world.user.post(of(deployment, "rollback")).json()
        assert (done["version_id"], done["cause"]) == (expected, "rollback")
        assert beat(world, deployment, expected)[0] == expected


def test_a_failed_promotion_is_nothing_to_roll_back(world, line):
    deployment, old, new = line
    promote(world, deployment)
    beat(world, deployment, old, {"version_id": new, "why": "no"})
    assert world.user.post(of(deployment, "rollback")).status_code == 409


def test_the_champion_is_not_promoted_again(world, line):
    deployment, old, _ = line
    reply = promote(world, deployment, model_version_id=old)
    assert (reply.status_code, reply.json()["message"]) == (
        409, "That version is the champion of 'line' already",
    )  # fmt: skip


def test_eight_promotions_at_once_leave_one_champion_and_one_history(world, line):
    deployment, _, new = line
    versions = [new, *(another_version(world, deployment) for _ in range(3))]
    callers = [world.caller(world.token) for _ in range(8)]
    path = of(deployment, "promote")

    def ask(caller, version):
        caller.post(path, json={"model_version_id": version})

    threads = [
        threading.Thread(target=ask, args=pair)
        for pair in zip(callers, itertools.cycle(versions), strict=False)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    champion, _ = now_of(world, deployment)
    asked = [
        one for one in world.user.get(of(deployment, "rollouts")).json()["items"]
        if one["state"] == "asked"
    ]  # fmt: skip
    assert [one["version_id"] for one in asked] == [champion]


def test_the_gate_refuses_with_the_numbers_and_a_person_may_force_it(world, line):
    deployment, old, new = line
    assert world.user.get(of(deployment, "gate")).json()["gate"] is None
    said = world.user.put(of(deployment, "gate"), json={"by": 0.02, "at_least": 150}).json()
    assert said["told"] == (
        "Promote only if ap_50_95 is better by more than 0.02, with 95 % confidence, on at least "
        "150 images (reviewed or held out)."
    )
    refused = promote(world, deployment)
    why = (
        "model of line:1 is compared with the champion on 0 images (reviewed), and the gate asks "
        "for 150"
    )
    assert (refused.status_code, refused.json()["message"]) == (409, f"Not promoted: {why}")
    assert refused.json()["detail"] == "All the same: d.promote(force=True), which is noted."
    assert now_of(world, deployment) == (old, new)
    verdict = world.user.get(of(deployment, "gate/verdict")).json()
    assert (verdict["passes"], verdict["said"]) == (False, f"{why}.")
    forced = promote(world, deployment, force=True).json()
    assert (forced["forced"], forced["said"]) == (True, f"{why}.")
    world.user.delete(of(deployment, "gate"))
    assert promote(world, deployment, model_version_id=old).json()["forced"] is False


def test_the_gate_goes_by_the_held_out_evaluation_where_reviews_are_too_few(world, line):
    deployment, _, new = line
    world.user.put(of(deployment, "gate"), json={"by": 0.02, "at_least": 150})
    held_out = compared()
    with world.platform.store.writing() as session:
        trained(session, deployment["id"], new, "run-1", now=1.0, held_out=held_out)
    # It was against another champion.
    assert promote(world, deployment, model_version_id=new).status_code == 409
    other = compared(champion="model of line:0")
    with world.platform.store.writing() as session:
        trained(session, deployment["id"], new, "run-2", now=2.0, held_out=other)
    done = promote(world, deployment, model_version_id=new).json()
    assert done["forced"] is False
    assert "a gain of +0.060" in done["said"]


def test_a_gate_asks_only_for_what_has_an_interval(world, line):
    deployment, *_ = line
    reply = world.user.put(of(deployment, "gate"), json={"metric": "f1"})
    assert (reply.status_code, reply.json()["detail"]) == (400, "Known: ap_50_95, ap_50.")


def test_the_sdk_setting_the_champion_is_written_down_too(world, line):
    deployment, _, new = line
    path = f"/api/deployment/{deployment['id']}/model"
    for _ in range(2):
        assert world.user.post(path, json={"model_version_id": new}).status_code == 200
    assert rollouts(world, deployment) == [
        ("champion", "person", "asked"), ("shadow", "person", "served"),
    ]  # fmt: skip


def test_a_prediction_that_comes_late_stays_its_own_models(world, line):
    deployment, old, new = line
    promote(world, deployment)
    mine = {"custom_metadata": {MODEL_VERSION_KEY: old}}
    unknown = {"custom_metadata": {MODEL_VERSION_KEY: "44444444-4444-4444-8444-444444444444"}}
    for changes, expected in (({}, new), (mine, old), (unknown, new)):
        name = f"{expected}-{len(changes)}-{changes is mine}.png"
        assert world.monitor(deployment, filename=name, **changes).status_code == 201
        found = world.user.get(
            f"/api/deployment/{deployment['id']}/predictedassets/find", params={"filename": name}
        ).json()
        asset = world.user.get(f"/api/predicted/asset/{found['id']}").json()
        assert [one["model_version_id"] for one in asset["predictions"]] == [expected]


def test_a_shadows_late_prediction_stays_its_own(world, line):
    deployment, _, new = line
    caller = world.login(deployment)
    monitored = world.monitor(deployment, caller).json()["id"]
    promote(world, deployment, keep_champion_as_shadow=True)
    body = {
        "shadow_raw_predictions": {
            "detection_classes": [0], "detection_scores": [0.5], "detection_boxes": [[1, 2, 3, 4]],
        },
        "shadow_latency": 0.1,
        "model_version_id": new,
    }  # fmt: skip
    reply = caller.post(f"/api/prediction/{monitored}/shadow", json=body)
    assert reply.status_code == 201, reply.text
    found = world.user.get(
        f"/api/deployment/{deployment['id']}/predictedassets/find", params={"filename": "page.png"}
    ).json()
    asset = world.user.get(f"/api/predicted/asset/{found['id']}").json()
    shadows = [one["model_version_id"] for one in asset["predictions"] if one["is_shadow"]]
    assert shadows == [new]


def test_the_circle_counts_what_there_is(world, line):
    deployment, old, new = line
    path = of(deployment, "circle")
    fresh = world.user.get(path).json()
    assert (fresh["champion"], fresh["shadow"]) == ("model of line:0", "model of line:1")
    assert (fresh["feedback"], fresh["training"], fresh["run"]) == (None, None, None)
    world.user.put(of(deployment, "gate"), json={"at_least": 50})
    raw = monitored()["raw_predictions"]
    body = {"shadow_raw_predictions": raw, "shadow_latency": 0.1, "sample": True}
    assert world.monitor(deployment, **body).status_code == 201
    version = dataset_version(world)
    loop = f"/api/deployment/{deployment['id']}"
    world.user.post(f"{loop}/pipeline/fl/setup", json={})
    world.user.post(f"{loop}/fl/datasets", json={"dataset_version_id": version["id"]})
    asset = reviewed(world, deployment, "other.png")
    world.user.post(of(deployment, "reviews/submit"), json={"predicted_asset_ids": [asset]})
    with world.platform.store.writing() as session:
        trained(session, deployment["id"], new, "run-1", now=1.0)
    beat(world, deployment, old)
    promote(world, deployment, force=True)

    now = world.user.get(path).json()

    assert now["state"] == "ready"
    assert (now["predictions"], now["images"], now["to_review"], now["submitted"]) == (2, 2, 1, 1)
    assert (now["feedback"], now["datasets"]) == (True, {"truth/v1": 1})
    assert now["newest"] == {
        "title": "model of line:1", "role": "offer", "state": "served", "said": "",
    }  # fmt: skip
    assert (now["champion"], now["champion_wanted"], now["champion_before"]) == (
        "model of line:1", "model of line:0", "model of line:0",
    )  # fmt: skip
    assert now["gate"].startswith("Promote only if ap_50_95")
