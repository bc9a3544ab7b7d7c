"""Alerts, reviews, shadows and what else the SDK has no call for."""

from __future__ import annotations

import pytest

from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY

ROUTES = (
    ("post", "/api/local/deployments/{deployment_id}/alerts"),
    ("get", "/api/local/deployments/{deployment_id}/alerts/fired"),
    ("patch", "/api/local/alerts/{alert_id}"),
    ("post", "/api/local/deployments/{deployment_id}/shadow/promote"),
    ("post", "/api/local/deployments/{deployment_id}/reviews/submit"),
    ("post", "/api/local/deployments/{deployment_id}/aggregates"),
    ("post", "/api/local/deployments/{deployment_id}/heartbeat"),
    ("post", "/api/local/datalakes"),
    ("put", "/api/local/model/version/{version_id}/context"),
    ("get", "/api/local/usage"),
    ("patch", "/api/local/usage"),
    ("get", "/api/local/status"),
)


def of(deployment, rest):
    return f"/api/local/deployments/{deployment['id']}/{rest}"


def reviewed(world, deployment, name="page.png"):
    """A predicted asset with one review; its id."""
    world.monitor(deployment, filename=name, sample=True)
    asset = world.user.get(
        f"/api/deployment/{deployment['id']}/predictedassets/find", params={"filename": name}
    ).json()
    label = world.user.get(f"/api/deployment/{deployment['id']}/labels").json()["items"][0]
    review = {"rectangles": [{"x": 1, "y": 2, "w": 3, "h": 4, "label_id": label["id"]}]}
    made = world.user.post(f"/api/predicted/asset/{asset['id']}/reviews", json=review)
    assert made.status_code == 201, made.text
    return asset["id"]


def dataset_version(world, name="truth"):
    organization = world.organization
    dataset = world.user.post(f"/api/organization/{organization}/datasets", json={"name": name})
    made = world.user.post(f"/api/dataset/{dataset.json()['id']}/versions", json={"version": "v1"})
    return made.json()


# Alerts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [True, False])
def test_a_slow_prediction_fires_an_alert_and_a_fast_one_does_not(world, sample):
    deployment = world.deployment()
    world.user.post(of(deployment, "alerts"), json={"name": "slow", "limit": 0.5})

    world.monitor(deployment, latency=0.4, sample=sample)
    slow = world.monitor(deployment, latency=0.6, sample=sample).json()["id"]

    fired = world.user.get(of(deployment, "alerts/fired")).json()["items"]
    assert [(one["alert_name"], one["value"]) for one in fired] == [("slow", 0.6)]
    assert fired[0]["oracle_prediction_id"] == slow


def test_a_prediction_that_is_refused_fires_nothing(world):
    deployment = world.deployment()
    world.user.post(of(deployment, "alerts"), json={"name": "slow", "limit": 0.5})
    once = {"custom_metadata": {PREDICTION_ID_KEY: "5f0c3c1e-0000-4000-8000-000000000001"}}

    statuses = [world.monitor(deployment, latency=1.0, **once).status_code for _ in range(2)]

    assert statuses == [201, 409]
    assert world.user.get(of(deployment, "alerts/fired")).json()["count"] == 1


def test_an_alert_that_is_stopped_or_changed_does_as_it_is_told(world):
    deployment = world.deployment()
    made = world.user.post(of(deployment, "alerts"), json={"name": "slow", "limit": 0.5}).json()
    path = f"/api/local/alerts/{made['id']}"

    world.user.patch(path, json={"active": False})
    world.monitor(deployment, latency=0.6)
    world.user.patch(path, json={"active": True, "operator": "<", "limit": 0.1})
    world.monitor(deployment, latency=0.05)

    listed = world.user.get(of(deployment, "alerts")).json()["items"]
    assert [(one["operator"], one["limit"]) for one in listed] == [("<", 0.1)]
    values = [
        one["value"] for one in world.user.get(of(deployment, "alerts/fired")).json()["items"]
    ]
    assert values == [0.05]
    assert world.user.delete(path).status_code == 204
    assert world.user.get(of(deployment, "alerts/fired")).json()["items"] == []


# Reviews -------------------------------------------------------------------------------------


def test_reviews_go_from_to_review_to_reviewed_to_submitted_and_stay(world):
    deployment = world.deployment()
    first = reviewed(world, deployment)
    world.monitor(deployment, filename="other.png", sample=True)
    counts = of(deployment, "reviews")
    assert world.user.get(counts).json() == {"to_review": 1, "reviewed": 1, "submitted": 0}

    done = world.user.post(of(deployment, "reviews/submit"), json={}).json()

    assert done == {"submitted": 1, "annotated": 0}
    assert world.user.get(counts).json() == {"to_review": 1, "reviewed": 0, "submitted": 1}
    again = world.user.post(f"/api/predicted/asset/{first}/reviews", json={"points": []})
    assert again.status_code == 409
    assert world.user.post(of(deployment, "reviews/submit"), json={}).json()["submitted"] == 0


def test_what_is_not_reviewed_cannot_be_submitted(world):
    deployment = world.deployment()
    world.monitor(deployment, sample=True)
    asset = world.user.get(f"/api/deployment/{deployment['id']}/predictedassets").json()["items"][0]

    reply = world.user.post(
        of(deployment, "reviews/submit"), json={"predicted_asset_ids": [asset["id"]]}
    )

    assert reply.status_code == 400
    assert "is not reviewed" in reply.json()["message"]


def test_submitted_reviews_become_annotations_of_the_feedback_loop_once(world):
    deployment, version = world.deployment(), dataset_version(world)
    path = f"/api/deployment/{deployment['id']}"
    world.user.post(f"{path}/pipeline/fl/setup", json={})
    world.user.post(f"{path}/fl/datasets", json={"dataset_version_id": version["id"]})
    reviewed(world, deployment)

    first = world.user.post(of(deployment, "reviews/submit"), json={}).json()
    second = world.user.post(of(deployment, "reviews/submit"), json={}).json()

    assert (first["annotated"], second["annotated"]) == (1, 0)
    stats = world.user.get(f"/api/dataset/version/{version['id']}/stats").json()
    assert stats == {"label_repartition": {"zero": 1}, "nb_objects": 1, "nb_annotations": 1}
    assert world.user.get(f"/api/dataset/version/{version['id']}").json()["type"] == (
        "OBJECT_DETECTION"
    )


def test_a_locked_dataset_keeps_the_whole_submission_back(world):
    deployment, version = world.deployment(), dataset_version(world)
    path = f"/api/deployment/{deployment['id']}"
    world.user.post(f"{path}/pipeline/fl/setup", json={})
    world.user.post(f"{path}/fl/datasets", json={"dataset_version_id": version["id"]})
    world.user.post(f"/api/dataset/version/{version['id']}/lock")
    reviewed(world, deployment)

    reply = world.user.post(of(deployment, "reviews/submit"), json={})

    assert reply.status_code == 409
    assert world.user.get(of(deployment, "reviews")).json()["reviewed"] == 1


# Shadow, statistics, usage -------------------------------------------------------------------


@pytest.mark.parametrize("keep", [True, False])
def test_the_shadow_becomes_the_champion(world, keep):
    deployment, shadow = world.deployment(), world.version("better")
    path = f"/api/deployment/{deployment['id']}"
    world.user.post(f"{path}/shadow", json={"model_version_id": shadow["id"]})

    reply = world.user.post(
        of(deployment, "shadow/promote"), json={"keep_champion_as_shadow": keep}
    ).json()

    kept = deployment["model_version_id"] if keep else None
    assert (reply["version_id"], reply["state"]) == (shadow["id"], "asked")
    now = world.user.get(path).json()
    assert (now["model_version_id"], now["shadow_model_version_id"]) == (shadow["id"], kept)


def test_a_deployment_without_shadow_has_nothing_to_promote(world):
    reply = world.user.post(of(world.deployment(), "shadow/promote"), json={})
    assert reply.status_code == 409


def test_aggregates_are_computed_when_they_are_asked_for(world):
    deployment = world.deployment()
    for at in (10.0, 20.0, 30.0):
        world.monitor(deployment, timestamp=at)
    asked = {"service": "metrics", "from_timestamp": 15.0}

    reply = world.user.post(of(deployment, "aggregates"), json=asked).json()

    assert reply["result"]["inferences"] == 2
    assert reply["computed_at"] == world.clock()


def test_our_own_routes_are_described_to_those_who_may_call_them(world):
    described = world.user.get("/api/local/openapi.json").json()

    assert world.stranger.get("/api/local/openapi.json").status_code == 401
    assert all(path.startswith("/api/local/") for path in described["paths"])
    for method, path in ROUTES:
        replies = described["paths"][path][method]["responses"]
        assert {"401", "404", "422"} <= set(replies), (method, path)
        good = replies.get("200") or replies.get("201")
        assert "$ref" in good["content"]["application/json"]["schema"], (method, path)
