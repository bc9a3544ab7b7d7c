"""The supervised statistics: predictions against their reviews."""

from __future__ import annotations

import numpy as np
import pytest

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.wire.evaluation import report_from_json

ZERO_AND_ONE = {
    "detection_classes": [0, 1],
    "detection_scores": [0.9, 0.25],
    "detection_boxes": [[2, 2, 22, 22], [4, 30, 14, 40]],
}
"""Box 0: zero at x 2, y 2, 20 x 20. Box 1: one at x 30, y 4, 10 x 10."""
ZERO = {"x": 2, "y": 2, "w": 20, "h": 20}
ONE = {"x": 30, "y": 4, "w": 10, "h": 10}


class Reviewer:
    """Monitors predictions in a deployment and reviews them."""

    def __init__(self, world, deployment):
        self.world, self.deployment = world, deployment
        self.path = f"/api/deployment/{deployment['id']}"
        items = world.user.get(f"{self.path}/labels").json()["items"]
        self.labels = {item["name"]: item["id"] for item in items}
        self.tags = {}

    def predicted(self, name="page.png", raw=ZERO_AND_ONE, **changes):
        self.world.clock.pass_by(1)
        changes = {"sample": True, "raw_predictions": raw, "filename": name, **changes}
        reply = self.world.monitor(self.deployment, **changes)
        assert reply.status_code == 201, reply.text
        find = f"{self.path}/predictedassets/find"
        return self.world.user.get(find, params={"filename": name}).json()

    def review(self, asset, key="rectangles", **shapes):
        entries = [
            {**shape, "label_id": self.labels[label]}
            for label, drawn in shapes.items()
            for shape in drawn
        ]
        path = f"/api/predicted/asset/{asset['id']}/reviews"
        assert self.world.user.post(path, json={key: entries}).status_code == 201
        return asset

    def tag(self, asset, name):
        if name not in self.tags:
            lake = asset["data"]["datalake_id"]
            made = self.world.user.post(f"/api/datalake/{lake}/tags", json={"name": name})
            self.tags[name] = made.json()["id"]
        path = f"/api/tag/{self.tags[name]}/attach"
        assert self.world.user.post(path, json=[asset["data"]["id"]]).status_code == 200

    def single(self, service, **asked):
        caller = self.world.login(self.deployment)
        params = {"service": service, **asked}
        return caller.get(f"{self.path}/predictions/stats", params=params).json()

    def aggregated(self, **asked):
        caller = self.world.login(self.deployment)
        params = {"service": "object_detection", **asked}
        return caller.get(f"{self.path}/stats", params=params).json()

    def evaluated(self, **asked):
        path = f"/api/local/deployments/{self.deployment['id']}/evaluation"
        return self.world.user.post(path, json=asked)


@pytest.fixture
def boxes(world):
    return Reviewer(world, world.deployment(min_threshold=0.5))


@pytest.fixture
def classes(world):
    return Reviewer(world, world.deployment("classes", kind="CLASSIFICATION"))


def test_the_sdks_aggregated_service_tells_cocos_figures(boxes):
    boxes.review(boxes.predicted("a.png"), zero=[ZERO], one=[ONE])
    boxes.predicted("b.png")
    told = boxes.aggregated()
    stats = told["result"]["stats"]
    assert told["service"] == "object_detection"
    assert stats["ap_50_95"] == pytest.approx(1.0)
    assert stats["ap_large"] is None
    assert told["coverage"]["told"] == (
        "1 of 2 predicted images are reviewed; chosen: unknown 1. These figures are of the "
        "reviewed images; only a random choice speaks for all."
    )
    report = report_from_json(told["result"])
    # The second box scores 0.25, under the deployment's threshold of 0.5.
    assert [(one.label, one.at_threshold.missed) for one in report.labels] == [
        ("zero", 0), ("one", 1),
    ]  # fmt: skip
    assert boxes.evaluated().json()["result"] == told["result"]


def test_single_predictions_are_counted_oldest_first(boxes):
    for name, at in (("late.png", 200.0), ("early.png", 100.0)):
        boxes.review(boxes.predicted(name, timestamp=at), zero=[ZERO, ONE])
    told = boxes.single("object_detection")
    assert [row["timestamp"] for row in told["predictions"]] == [100.0, 200.0]
    row = told["predictions"][0]
    assert (row["truth"], row["found"], row["right"], row["missed"]) == (2, 1, 1, 1)
    assert (row["precision"], row["recall"]) == (1.0, 0.5)
    assert boxes.single("object_detection", from_timestamp=150.0)["coverage"]["reviewed"] == 1


def test_labels_of_reviews_are_counted(boxes):
    boxes.review(boxes.predicted("a.png"), zero=[ZERO, ONE], one=[ONE])
    boxes.review(boxes.predicted("b.png"), one=[ONE])
    told = boxes.single("label_distribution")
    assert told["labels"] == {"zero": 2, "one": 2}
    assert [row["labels"] for row in told["predictions"]] == [{"zero": 2, "one": 1}, {"one": 1}]


def test_the_last_review_counts(boxes):
    asset = boxes.predicted()
    boxes.review(asset, one=[ZERO])
    boxes.world.clock.pass_by(1)
    boxes.review(asset, zero=[ZERO], one=[ONE])
    assert boxes.aggregated()["result"]["stats"]["ap_50"] == pytest.approx(1.0)


def test_a_review_that_nothing_is_there_makes_what_was_found_wrong(boxes):
    boxes.review(boxes.predicted())
    result = boxes.aggregated()["result"]
    assert result["stats"]["ap_50"] is None
    assert [one["wrong"] for one in result["labels"]] == [1, 0]


def test_submitted_reviews_count_too(boxes):
    boxes.review(boxes.predicted(), zero=[ZERO])
    path = f"/api/local/deployments/{boxes.deployment['id']}/reviews/submit"
    assert boxes.world.user.post(path, json={}).json()["submitted"] == 1
    assert boxes.aggregated()["coverage"]["reviewed"] == 1


def test_without_reviews_there_are_no_figures_and_it_is_said(boxes):
    boxes.predicted()
    told = boxes.aggregated()
    assert told["result"]["stats"] == {}
    assert told["result"]["notices"] == ["Nothing is reviewed yet: there are no figures."]
    assert boxes.single("object_detection")["predictions"] == []


def test_a_random_sample_is_told_by_its_tag_and_can_be_asked_for_alone(boxes):
    for name, how in (("a.png", "random"), ("b.png", "uncertain"), ("c.png", "random")):
        asset = boxes.review(boxes.predicted(name), zero=[ZERO])
        boxes.tag(asset, f"sampled:{how}")
    assert boxes.aggregated()["coverage"]["samplings"] == {"random": 2, "uncertain": 1}
    fair = boxes.evaluated(sampled="random").json()["result"]["coverage"]
    assert (fair["reviewed"], fair["predicted"], fair["fair"]) == (2, 3, True)


def test_a_review_that_cannot_be_drawn_is_left_out_and_named(boxes):
    boxes.review(boxes.predicted("a.png"), zero=[{"x": 9, "y": 9, "w": -5, "h": 4}])
    boxes.review(boxes.predicted("b.png"), zero=[{"x": 9, "y": 9}])
    boxes.review(boxes.predicted("c.png"), zero=[ZERO])
    result = boxes.aggregated()["result"]
    assert result["coverage"]["reviewed"] == 1
    assert any("right < left" in notice for notice in result["notices"])
    assert any("has no 'h'" in notice or "has no 'w'" in notice for notice in result["notices"])


def test_predictions_of_several_versions_are_matched_by_the_names_of_labels(boxes):
    boxes.review(boxes.predicted("old.png"), zero=[ZERO], one=[ONE])
    turned = boxes.world.version("turned", labels=("one", "zero"))
    path = f"/api/deployment/{boxes.deployment['id']}/model"
    boxes.world.user.post(path, json={"model_version_id": turned["id"]})
    raw = {**ZERO_AND_ONE, "detection_classes": [1, 0]}
    boxes.review(boxes.predicted("new.png", raw), zero=[ZERO], one=[ONE])
    result = boxes.aggregated()["result"]
    assert result["stats"]["ap_50_95"] == pytest.approx(1.0)
    assert "2 model versions: model of lines:0, turned:0" in result["notices"][0]
    alone = boxes.aggregated(model_id=turned["id"])
    assert alone["coverage"]["reviewed"] == 1


def test_the_shadow_model_is_compared_on_the_same_images(boxes):
    shadow = boxes.world.version("better")
    path = f"/api/deployment/{boxes.deployment['id']}/shadow"
    boxes.world.user.post(path, json={"model_version_id": shadow["id"]})
    nothing = {"detection_classes": [], "detection_scores": [], "detection_boxes": []}
    for n in range(20):
        both = {"shadow_raw_predictions": ZERO_AND_ONE, "shadow_latency": 0.1}
        boxes.review(boxes.predicted(f"{n}.png", nothing, **both), zero=[ZERO], one=[ONE])
    compared = report_from_json(boxes.aggregated()["result"]).comparison
    assert (compared.images, compared.shadow) == (20, "better:0")
    assert compared.scores["ap_50_95"].gain.value == pytest.approx(1.0)
    assert compared.scores["ap_50_95"].verdict == "shadow better"


def test_classes_are_told_with_a_report(classes):
    raw = {"detection_classes": [1, 0], "detection_scores": [0.75, 0.25]}
    classes.review(classes.predicted("a.png", raw), "classifications", one=[{}])
    classes.review(classes.predicted("b.png", raw), "classifications", zero=[{}])
    told = classes.single("classification")
    assert [(row["truth"], row["found"], row["right"]) for row in told["predictions"]] == [
        ("one", "one", True), ("zero", "one", False),
    ]  # fmt: skip
    assert told["predictions"][0]["score"] == 0.75
    assert told["result"]["stats"]["accuracy"] == 0.5
    assert told["result"]["confusion"]["counts"] == [[0, 1], [0, 1]]


SQUARE = rle.encode(np.ones((10, 10), bool), ImageSize(48, 32), left=2, top=2)
SKELETON = [[2, 2, 2], [12, 2, 2], [7, 12, 1]]
OUTLINE = [[2, 2], [12, 2], [12, 12], [2, 12]]


@pytest.mark.parametrize(
    ("kind", "raw", "review"),
    [
        ("MASK", {"detection_masks": [SQUARE]}, ("masks", {"mask": SQUARE})),
        ("MASK", {"detection_masks": [SQUARE]}, ("polygons", {"polygon": OUTLINE})),
        ("SEGMENTATION", {"detection_masks": [OUTLINE]}, ("polygons", {"polygon": OUTLINE})),
        ("KEYPOINT", {"keypoints": [SKELETON]}, ("keypoints", {"keypoint": SKELETON})),
    ],
    ids=["mask", "mask-by-outline", "segmentation", "keypoint"],
)
def test_masks_outlines_and_skeletons_are_compared_too(world, kind, raw, review):
    reviewer = Reviewer(world, world.deployment(kind=kind, min_threshold=0.5))
    found = {"detection_classes": [0], "detection_scores": [0.9], **raw}
    key, shape = review
    reviewer.review(reviewer.predicted("a.png", found), key, zero=[shape])
    result = reviewer.aggregated()["result"]
    assert result["stats"]["ap_50_95"] == pytest.approx(1.0)
    assert reviewer.single("object_detection")["predictions"][0]["right"] == 1


def test_a_service_of_another_type_says_which_one_to_ask(boxes, classes):
    told = boxes.single("classification")
    assert told["predictions"] == []
    assert "AGGREGATED_OBJECT_DETECTION_STATS" in told["infos"]["info"]
    told = classes.aggregated()
    assert told["result"] is None
    assert "REVIEWS_CLASSIFICATION_STATS" in told["infos"]["info"]


def test_lines_have_no_agreed_measure_and_it_is_said(world):
    lines = Reviewer(world, world.deployment(kind="LINE"))
    assert "no supervised metrics for the type line" in lines.aggregated()["infos"]["info"]
    reply = lines.evaluated()
    assert reply.status_code == 400
    assert "no supervised metrics" in reply.json()["message"]


def test_predictions_with_a_tag_can_be_asked_for_alone(boxes):
    boxes.review(boxes.predicted("day.png", tags=["day"]), zero=[ZERO])
    boxes.review(boxes.predicted("night.png", tags=["night"]), zero=[ONE])
    boxes.predicted("late.png", tags=["night"])
    told = boxes.aggregated(tags=["night"])
    assert (told["coverage"]["reviewed"], told["coverage"]["predicted"]) == (1, 2)
    assert told["result"]["stats"]["ap_50"] == 0.0


def test_predictions_of_a_source_can_be_asked_for_alone(boxes):
    boxes.review(boxes.predicted("day.png", source="gate"), zero=[ZERO])
    boxes.review(boxes.predicted("night.png", source="yard"), zero=[ONE])
    told = boxes.evaluated(source="yard").json()["result"]
    assert (told["coverage"]["reviewed"], told["coverage"]["predicted"]) == (1, 1)
    assert told["stats"]["ap_50"] == 0.0


def test_a_version_can_be_asked_for_by_its_title(boxes):
    boxes.review(boxes.predicted("old.png"), zero=[ZERO], one=[ONE])
    turned = boxes.world.version("turned", labels=("one", "zero"))
    path = f"/api/deployment/{boxes.deployment['id']}/model"
    boxes.world.user.post(path, json={"model_version_id": turned["id"]})
    # It numbers its labels the other way round, so that this is wrong.
    boxes.review(boxes.predicted("new.png"), zero=[ZERO], one=[ONE])
    figures = {
        title: boxes.evaluated(version=title).json()["result"]["stats"]["ap_50"]
        for title in ("model of lines:0", "turned:0")
    }
    assert figures == {"model of lines:0": pytest.approx(1.0), "turned:0": 0.0}
    reply = boxes.evaluated(version="turned:9")
    assert reply.status_code == 404
    assert "no model version of this deployment named 'turned:9'" in reply.json()["message"]


def test_objects_of_one_label_can_be_asked_for_alone(boxes):
    boxes.review(boxes.predicted("a.png"), zero=[ZERO, ONE])
    told = report_from_json(boxes.evaluated(label="zero").json()["result"])
    assert [one.label for one in told.labels] == ["zero"]
    # Two are there; one was found, the other was taken for a one.
    assert (told.truth, told.found) == (2, 1)
    assert told.scores["ar_50_95_det100"] == pytest.approx(0.5)
    assert told.notices[0] == (
        "Only zero is compared: what was taken for another label counts as missed."
    )
    assert boxes.evaluated(label="nine").status_code == 404


def test_one_label_of_a_classification_is_not_torn_from_the_others_and_it_is_said(classes):
    raw = {"detection_classes": [1, 0], "detection_scores": [0.75, 0.25]}
    classes.review(classes.predicted("a.png", raw), "classifications", zero=[{}])
    told = classes.evaluated(label="one").json()["result"]
    assert told["stats"]["accuracy"] == 0.0
    assert told["notices"][0] == (
        "These figures are of all classes, not of one alone: one image has them all."
    )


def test_more_detections_than_usual_can_be_asked_for(boxes):
    boxes.review(boxes.predicted(), zero=[ZERO])
    stats = boxes.evaluated(max_detections=300).json()["result"]["stats"]
    assert stats["ar_50_95_det300"] == pytest.approx(1.0)
    assert boxes.evaluated(max_detections=0).status_code == 422


def test_an_evaluation_is_for_those_with_a_token(boxes):
    path = f"/api/local/deployments/{boxes.deployment['id']}/evaluation"
    assert boxes.world.stranger.post(path, json={}).status_code == 401
