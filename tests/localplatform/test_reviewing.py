"""Queues of reviews by policy, and reviews that overwrite none unseen."""

from __future__ import annotations

from picsellia_jupyter.workflows.sampling import rank

CLEAR, DOUBTFUL = 0.95, 0.31


class Reviewed:
    """A deployment whose predictions are reviewed."""

    def __init__(self, world, **settings):
        self.world, self.deployment = world, world.deployment(min_threshold=0.3, **settings)
        self.base = f"/api/local/deployments/{self.deployment['id']}/reviews"
        labels = world.user.get(f"/api/deployment/{self.deployment['id']}/labels").json()["items"]
        self.labels = {label["name"]: label["id"] for label in labels}
        self._login = world.login(self.deployment)

    def predicted(self, name, score=CLEAR, label=1, **more):
        raw = {
            "detection_classes": [label], "detection_scores": [score],
            "detection_boxes": [[2, 1, 20, 30]],
        }  # fmt: skip
        made = self.world.monitor(
            self.deployment, self._login, filename=name, raw_predictions=raw, sample=True, **more
        )
        assert made.status_code == 201, made.text
        path = f"/api/deployment/{self.deployment['id']}/predictedassets/find"
        return self.world.user.get(path, params={"filename": name}).json()["id"]

    def queue(self, **asked):
        reply = self.world.user.post(f"{self.base}/queue", json=asked)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def ids(self, **asked):
        return [item["predicted_asset_id"] for item in self.queue(**asked)["items"]]

    def review(self, asset, revision="", **more):
        box = {"x": 1, "y": 2, "w": 29, "h": 18, "label_id": self.labels["one"]}
        body = {"rectangles": [box], "revision": revision, **more}
        return self.world.user.put(f"/api/local/predicted/asset/{asset}/review", json=body)

    def tags(self, asset):
        found = self.world.user.get(f"/api/predicted/asset/{asset}").json()["data"]["tags"]
        return {tag["name"] for tag in found}


def test_the_random_order_is_the_same_for_everybody_and_not_that_of_time(world):
    of = Reviewed(world)
    made = [of.predicted(f"{number}.png") for number in range(8)]

    order = of.ids()

    assert order == sorted(made, key=rank)
    assert of.ids(limit=3) == order[:3]
    assert of.queue()["candidates"] == 8


def test_a_random_sample_does_not_lack_what_was_reviewed_for_another_reason(world):
    of = Reviewed(world)
    for number in range(6):
        of.predicted(f"{number}.png")
    first, second, third = of.ids()[:3]
    of.review(first, sampled="uncertain")
    assert of.tags(first) == {"sampled:uncertain"}

    item = of.queue()["items"][0]
    assert item["predicted_asset_id"] == second
    assert item["also"] == [first]
    of.review(second, sampled="random", also=item["also"])
    # One that nobody reviewed is of no sample, whoever says so.
    of.review(second, sampled="random", also=[third], revision=_revision(world, second))

    assert of.tags(first) == {"sampled:uncertain", "sampled:random"}
    assert of.tags(second) == {"sampled:random"}
    assert of.tags(third) == set()
    path = f"/api/local/deployments/{of.deployment['id']}/evaluation"
    fair = world.user.post(path, json={"sampled": "random"}).json()["result"]["coverage"]
    assert fair["reviewed"] == 2


def test_what_is_uncertain_comes_first_and_says_why(world):
    of = Reviewed(world)
    of.predicted("clear.png", CLEAR)
    doubtful = of.predicted("doubtful.png", DOUBTFUL)

    queue = of.queue(policy="uncertain")

    assert queue["items"][0]["predicted_asset_id"] == doubtful
    assert [item["why"] for item in queue["items"]] == ["score 0.31", "score 0.95"]


def test_a_label_is_looked_for_among_what_is_over_the_threshold(world):
    of = Reviewed(world)
    of.predicted("one.png", label=1)
    of.predicted("weak.png", 0.2, label=0)
    zero = of.predicted("zero.png", label=0)

    assert of.ids(policy="label", label="zero") == [zero]
    refused = world.user.post(f"{of.base}/queue", json={"policy": "label", "label": "zeor"})
    assert refused.status_code == 404
    assert "Did you mean 'zero'" in refused.json()["detail"]


def test_where_champion_and_shadow_differ_most_comes_first(world):
    of = Reviewed(world)
    shadow = world.version("shadow")
    path = f"/api/deployment/{of.deployment['id']}/shadow"
    assert world.user.post(path, json={"model_version_id": shadow["id"]}).is_success
    same = {
        "detection_classes": [1], "detection_scores": [0.9], "detection_boxes": [[2, 1, 20, 30]],
    }  # fmt: skip
    other = same | {"detection_boxes": [[20, 30, 30, 40]]}
    agreed = of.predicted("a.png", shadow_raw_predictions=same, shadow_latency=0.1)
    differing = of.predicted("b.png", shadow_raw_predictions=other, shadow_latency=0.1)
    of.predicted("unseen.png")

    queue = of.queue(policy="disagreements")["items"]

    assert [item["predicted_asset_id"] for item in queue] == [differing, agreed]
    assert queue[0]["why"] == "2 found by one model only"


def test_what_is_reviewed_leaves_the_queue(world):
    of = Reviewed(world)
    first, second = of.predicted("a.png"), of.predicted("b.png")

    assert of.review(first).status_code == 200

    assert of.ids() == of.ids(policy="uncertain") == [second]


def test_a_review_is_stored_over_the_one_that_was_seen_alone(world):
    of = Reviewed(world)
    asset = of.predicted("a.png")
    first = of.review(asset).json()
    assert (first["state"], first["author"] != "") == ("REVIEWED", True)

    refused = of.review(asset, revision="")
    assert refused.status_code == 409
    assert "somebody else" in refused.json()["message"]
    second = of.review(asset, revision=first["revision"])

    assert second.status_code == 200
    kept = world.user.get(f"/api/local/predicted/asset/{asset}/review").json()
    assert kept["revision"] == second.json()["revision"] != first["revision"]


def test_a_review_through_the_sdk_is_seen_by_the_guard_too(world):
    of = Reviewed(world)
    asset = of.predicted("a.png")
    revision = of.review(asset).json()["revision"]
    world.user.post(f"/api/predicted/asset/{asset}/reviews", json={"rectangles": []})

    assert of.review(asset, revision=revision).status_code == 409


def test_the_last_review_counts_when_the_clock_was_set_back(world):
    of = Reviewed(world)
    asset = of.predicted("a.png")
    first = of.review(asset).json()["revision"]
    world.clock.pass_by(-3600)

    second = of.review(asset, revision=first).json()["revision"]

    kept = world.user.get(f"/api/predicted/asset/{asset}").json()["reviews"]
    assert [review["id"] for review in kept] == [first, second]


def test_a_policy_does_not_take_the_place_of_an_earlier_one(world):
    of = Reviewed(world)
    asset = of.predicted("a.png")
    of.review(asset, sampled="random")

    of.review(asset, sampled="uncertain", revision=_revision(world, asset))

    assert of.tags(asset) == {"sampled:random"}


def _revision(world, asset):
    return world.user.get(f"/api/local/predicted/asset/{asset}/review").json()["revision"]
