"""The gate on reviewed images of a real database: what it counts, and what it says."""

import pytest

from tests.localplatform.test_continuous_deployment import another_version, now_of, of
from tests.localplatform.test_evaluating import ONE, ZERO, ZERO_AND_ONE, Reviewer
from tests.localplatform.test_promoting import promote, shadow

MISSED = {
    "detection_classes": [0], "detection_scores": [0.9], "detection_boxes": [[2, 2, 22, 22]],
}  # fmt: skip
"""The champion's, in every second image: one of the two boxes."""


@pytest.fixture
def database():
    """The data directory's own: test_promoting.py has PostgreSQL run the same statements."""
    return


@pytest.fixture
def boxes(world):
    """A deployment with a shadow that finds everything, and 24 reviewed images."""
    made = Reviewer(world, world.deployment("line", min_threshold=0.1))
    made.new = another_version(world, made.deployment)
    shadow(world, made.deployment, made.new)
    for number in range(24):
        raw = MISSED if number % 2 else ZERO_AND_ONE
        seen = {"shadow_raw_predictions": ZERO_AND_ONE, "shadow_latency": 0.1}
        asset = made.predicted(f"{number}.png", raw, **seen)
        made.review(asset, zero=[ZERO], one=[ONE])
    return made


def gate(of_line, **wanted):
    body = {"at_least": 20, "evidence": "reviews", "metric": "ap_50", **wanted}
    reply = of_line.world.user.put(of(of_line.deployment, "gate"), json=body)
    assert reply.status_code == 200, reply.text


def verdict(of_line):
    told = of_line.world.user.get(of(of_line.deployment, "gate/verdict")).json()
    return told["passes"], told["said"]


def test_a_shadow_that_finds_more_passes_with_the_numbers_and_only_then(boxes):
    gate(boxes, by=0.3)
    passes, said = verdict(boxes)
    assert not passes
    assert said.endswith("and the gate asks for more than 0.3 at its low end.")
    assert promote(boxes.world, boxes.deployment).status_code == 409
    gate(boxes, by=0.05)
    passes, said = verdict(boxes)
    assert passes
    assert said.startswith(
        "ap_50 of model of line:1 is 1.000 and model of line:0's 0.752 on 24 images (reviewed), "
        "a gain of +0.248 (95 % confidence: +0."
    )
    assert said.endswith("above the gate's 0.05.")
    done = promote(boxes.world, boxes.deployment).json()
    assert (done["forced"], done["said"]) == (False, said)
    assert now_of(boxes.world, boxes.deployment) == (boxes.new, None)


def test_the_gate_counts_what_both_predicted_on_and_widens_with_confidence(boxes):
    def low(confidence):
        gate(boxes, confidence=confidence)
        _, said = verdict(boxes)
        assert f"({100 * confidence:.4g} % confidence: " in said
        return float(said.split("confidence: ")[1].split(" to ")[0])

    assert low(0.99) < low(0.95) < low(0.5)

    gate(boxes, at_least=25)
    assert verdict(boxes) == (
        False,
        "model of line:1 is compared with the champion on 24 images (reviewed), and the gate asks "
        "for 25.",
    )
    shadow(boxes.world, boxes.deployment, another_version(boxes.world, boxes.deployment))
    gate(boxes)
    assert verdict(boxes) == (
        False,
        "model of line:2 is compared with the champion on 0 images (reviewed), and the gate asks "
        "for 20.",
    )


def test_classes_are_compared_by_their_own_metrics(world):
    line = Reviewer(world, world.deployment("line", kind="CLASSIFICATION"))
    version = {"type": "CLASSIFICATION", "labels": {"0": "zero", "1": "one"}}
    line.new = another_version(world, line.deployment, version)
    shadow(world, line.deployment, line.new)
    right = {"detection_classes": [0, 1], "detection_scores": [0.9, 0.1]}
    wrong = {"detection_classes": [1, 0], "detection_scores": [0.9, 0.1]}
    for number in range(20):
        seen = {"shadow_raw_predictions": right, "shadow_latency": 0.1}
        asset = line.predicted(f"{number}.png", wrong if number % 2 else right, **seen)
        line.review(asset, "classifications", zero=[{}])
    gate(line, metric="accuracy", by=0.1)
    passes, said = verdict(line)
    assert passes
    assert "accuracy of model of line:1 is 1.000 and model of line:0's 0.500 on 20 images" in said
    reply = world.user.put(of(line.deployment, "gate"), json={"metric": "ap_50"})
    assert reply.json()["detail"] == "Known: accuracy, macro_f1."
