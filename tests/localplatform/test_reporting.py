"""Whole dashboards over HTTP: the same from rows and from rollups, filters, what is left out."""

import numpy as np
import pytest

from picsellia_jupyter.localplatform import binning, overviews
from picsellia_jupyter.localplatform.folding import fold
from tests.localplatform.bulk import insert

START = 1_699_900_020.0


def report(world, deployment, **asked):
    reply = world.user.get(f"/api/local/deployments/{deployment['id']}/report", params=asked)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.fixture
def busy(world):
    """300 predictions over five hours, alternately of two labels."""
    deployment = world.deployment(min_threshold=0.5)
    scores = np.tile([0.91, 0.62, 0.26], 100)
    insert(world, deployment, START + np.arange(300) * 60, scores, np.tile([0, 1], 150))
    fold(world.platform, at_once=150)
    return deployment


def test_rows_and_rollups_tell_the_same(world, busy, monkeypatch):
    exact = report(world, busy)
    monkeypatch.setattr(overviews, "EXACT", 10)
    rolled = report(world, busy)
    assert exact["figures"]["inferences"] == rolled["figures"]["inferences"] == 300
    for name in ("labels_over_time", "images", "heatmap", "choices", "drift"):
        assert exact[name] == rolled[name]
    for name in ("predictions_over_time", "label_counts", "score_histogram", "shapes"):
        assert exact["figures"][name] == rolled["figures"][name]
    assert rolled["figures"]["p95_s"] == pytest.approx(exact["figures"]["p95_s"], rel=0.006)


def test_labels_over_time_add_up_to_the_labels(world, busy):
    found = report(world, busy)
    counts = dict(found["figures"]["label_counts"])
    assert {name: sum(bins) for name, bins in found["labels_over_time"]} == counts
    assert counts == {"zero": 100, "one": 100}


@pytest.mark.parametrize("exact", [10, 10_000])
def test_a_label_filters_shapes_and_not_predictions(world, busy, monkeypatch, exact):
    monkeypatch.setattr(overviews, "EXACT", exact)
    found = report(world, busy, label="one")
    assert found["figures"]["inferences"] == 300
    assert found["figures"]["label_counts"] == [["one", 100]]
    assert sum(found["figures"]["score_histogram"]["counts"]) == 150
    assert [name for name, _ in found["labels_over_time"]] == ["one"]
    assert found["heatmap"]["shapes"] == 100


def test_tag_and_source_pick_predictions_one_by_one(world):
    deployment = world.deployment()
    caller = world.login(deployment)
    for tags, source in ((["night"], "press"), (["day"], "press"), (["night"], "saw")):
        reply = world.monitor(deployment, caller, tags=tags, source=source, sample=False)
        assert reply.status_code == 201, reply.text
    assert report(world, deployment)["choices"] == {
        "versions": ["model of lines:0"], "labels": ["zero", "one"],
        "tags": ["day", "night"], "sources": ["press", "saw"],
    }  # fmt: skip
    night = report(world, deployment, tag="night")
    assert night["figures"]["inferences"] == 2
    assert report(world, deployment, tag="night", source="saw")["figures"]["inferences"] == 1
    assert night["drift"] is None
    assert "this is a part of them" in night["notices"][0]


def test_more_than_is_read_one_by_one_is_said(world, monkeypatch):
    monkeypatch.setattr(binning, "MOST_READ", 2)
    deployment = world.deployment()
    for _ in range(3):
        world.monitor(deployment, source="press", sample=False)
    found = report(world, deployment, source="press")
    assert found["figures"]["inferences"] == 2
    assert "Only the newest 2 predictions were looked at." in found["notices"]


def test_a_model_version_is_asked_for_by_its_title(world, busy):
    newer = world.version("newer")
    body = {"model_version_id": newer["id"]}
    world.user.post(f"/api/deployment/{busy['id']}/model", json=body)
    insert(world, busy, START + 20_000 + np.arange(4), 0.9, 0)
    fold(world.platform)
    found = report(world, busy)
    assert found["champion"] == "newer:0"
    assert found["choices"]["versions"] == ["model of lines:0", "newer:0"]
    assert found["figures"]["inferences"] == 304
    assert report(world, busy, version="newer:0")["figures"]["inferences"] == 4
    assert report(world, busy, version=newer["id"])["figures"]["inferences"] == 4
    assert report(world, busy, version="model of lines:0")["drift"] is None


@pytest.mark.parametrize(("name", "known"), [("version", "model of lines:0"), ("label", "zero")])
def test_an_unknown_filter_is_answered_with_what_there_is(world, busy, name, known):
    reply = world.user.get(
        f"/api/local/deployments/{busy['id']}/report", params={name: "nothing like it"}
    )
    assert reply.status_code == 404
    assert "nothing like it" in reply.json()["message"]
    assert known in reply.json()["detail"]


def test_nothing_predicted_yet_is_an_empty_report(world):
    found = report(world, world.deployment())
    assert found["figures"]["inferences"] == 0
    assert (found["drift"], found["heatmap"], found["images"]) == (None, None, {})


def test_the_shadow_is_told_beside_the_champion(world):
    deployment = world.deployment()
    shadow = world.version("shadow")
    world.user.post(
        f"/api/deployment/{deployment['id']}/shadow", json={"model_version_id": shadow["id"]}
    )
    caller = world.login(deployment)
    made = world.monitor(deployment, caller, sample=False).json()
    raw = {"detection_classes": [1], "detection_scores": [0.8], "detection_boxes": [[2, 1, 20, 30]]}
    reply = caller.post(
        f"/api/prediction/{made['id']}/shadow",
        json={"shadow_raw_predictions": raw, "shadow_latency": 0.05},
    )
    assert reply.status_code == 201, reply.text
    found = report(world, deployment)
    assert found["shadow"] == "shadow:0"
    assert found["shadow_latency"]["inferences"] == 1
    assert found["shadow_latency"]["p50_s"] == [pytest.approx(0.05, rel=0.01)]


def test_an_alert_that_fires_is_in_the_report(world):
    deployment = world.deployment()
    path = f"/api/local/deployments/{deployment['id']}/alerts"
    for name, limit in (("slow", 0.001), ("slower", 5)):
        assert world.user.post(path, json={"name": name, "limit": limit}).status_code == 201
    for latency in (0.01, 0.2):
        world.monitor(deployment, latency=latency, sample=False)
    found = report(world, deployment)
    assert found["watched"] == 2
    [alert] = found["alerts"]
    assert (alert["name"], alert["worst"], alert["count"]) == ("slow", 0.2, 2)


def test_images_of_a_range_are_the_newest_first(world):
    deployment = world.deployment()
    caller = world.login(deployment)
    made = [
        world.monitor(deployment, caller, timestamp=START + n, tags=["n"] * (n % 2)).json()["id"]
        for n in range(4)
    ]
    path = f"/api/local/deployments/{deployment['id']}/images"
    found = world.user.get(path, params={"from_timestamp": START + 1, "limit": 2}).json()
    assert found["count"] == 3
    assert [one["oracle_prediction_id"] for one in found["items"]] == [made[3], made[2]]
    assert found["items"][0]["predictions"][0]["rectangles"]
    tagged = world.user.get(path, params={"tag": "n"}).json()
    assert [one["oracle_prediction_id"] for one in tagged["items"]] == [made[3], made[1]]
    assert world.user.get(path, params={"label": "one"}).json()["count"] == 4
