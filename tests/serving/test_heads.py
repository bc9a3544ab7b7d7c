import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import manifest, pixels
from picsellia_jupyter.serving.heads import head_of
from picsellia_jupyter.serving.heads.selection import suppress
from tests.serving import models

PLACEMENT = pixels.Placement(0, 0, 64, 48, ImageSize(128, 96), ImageSize(64, 48))


def boxes_head(**changes):
    return head_of(
        manifest.parse({**models.DETECTOR, **changes}, InferenceType.OBJECT_DETECTION, None)
    )


def classes_head(**changes):
    said = {**models.CLASSIFIER, **changes}
    return head_of(manifest.parse(said, InferenceType.CLASSIFICATION, None))


def outputs(boxes=models.BOXES, scores=models.SCORES):
    return {"boxes": np.asarray(boxes)[None], "scores": np.asarray(scores)[None]}


# Boxes -------------------------------------------------------------------------------------


def test_overlapping_boxes_of_a_class_are_one_object_on_the_photo():
    found = boxes_head()(outputs(), PLACEMENT)
    assert found.boxes_xyxy.tolist() == [[16, 16, 48, 48], [64, 32, 112, 80]]
    assert found.classes.tolist() == [0, 1]
    assert found.scores.tolist() == pytest.approx([0.9, 0.4])


def test_overlapping_boxes_of_different_classes_stay():
    scores = [[0.9, 0.0], [0.0, 0.8], [0.0, 0.0]]
    assert boxes_head()(outputs(scores=scores), PLACEMENT).classes.tolist() == [0, 1]


def test_the_floor_drops_what_is_scored_under_it():
    assert len(boxes_head(score_floor=0.5)(outputs(), PLACEMENT)) == 1


def test_no_more_than_asked_for_are_found():
    found = boxes_head(max_objects=1)(outputs(), PLACEMENT)
    assert found.scores.tolist() == pytest.approx([0.9])


def test_labels_are_shifted_by_the_offset():
    found = boxes_head(label_offset=5)(outputs(), PLACEMENT)
    assert found.classes.tolist() == [5, 6]


@pytest.mark.parametrize(
    ("box_format", "box"),
    [
        ("xyxy", [8, 4, 24, 44]),
        ("yxyx", [4, 8, 44, 24]),
        ("xywh", [8, 4, 16, 40]),
        ("cxcywh", [16, 24, 16, 40]),
    ],
)
def test_a_box_of_every_format_lies_where_it_was_meant(box_format, box):
    found = boxes_head(box_format=box_format)(outputs([box], [[0.9, 0.0]]), PLACEMENT)
    assert found.boxes_xyxy.tolist() == [[16, 8, 48, 88]]


def test_a_box_in_the_padding_is_not_on_the_photo():
    spot = pixels.Placement(0, 20, 64, 8, ImageSize(128, 16), ImageSize(64, 48))
    assert len(boxes_head()(outputs([[0, 0, 60, 10]] * 3), spot)) == 0


def test_nothing_found_is_an_empty_prediction():
    found = boxes_head()(outputs(scores=np.zeros((3, 2))), PLACEMENT)
    assert found.boxes_xyxy.shape == (0, 4)


def test_unnamed_outputs_are_taken_in_their_order():
    named = outputs()
    found = boxes_head()({"output_0": named["boxes"], "output_1": named["scores"]}, PLACEMENT)
    assert len(found) == 2


@pytest.mark.parametrize(
    ("given_outputs", "told"),
    [
        ({"boxes": np.zeros((1, 3, 4))}, "outputs are boxes"),
        (outputs(boxes=np.zeros((3, 5))), r"boxes have shape \(1, 3, 5\)"),
        (outputs(boxes=np.zeros((2, 4))), "boxes of 2, scores of 3"),
        (outputs(boxes=np.full((3, 4), np.nan)), "NaN or infinity"),
        (outputs(scores=np.full((3, 2), 7.0)), r"Scores lie in \[0, 1\]"),
        (outputs(boxes=[[30, 5, 10, 20]] * 3), "right side left of"),
    ],
)
def test_outputs_of_another_form_are_refused(given_outputs, told):
    with pytest.raises(InvalidPredictionError, match=told):
        boxes_head()(given_outputs, PLACEMENT)


def brute_force(boxes, classes, limit, overlap):
    """Keep a box unless a kept one of its class covers it: the definition, pair by pair."""
    kept = []
    for row, box in enumerate(boxes.astype(float)):
        if len(kept) < limit and all(
            classes[other] != classes[row] or iou(boxes[other].astype(float), box) <= overlap
            for other in kept
        ):
            kept.append(row)
    return kept


def iou(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return shared / (areas - shared)


box = st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 20)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(
    st.lists(st.tuples(box, st.integers(0, 2)), max_size=40),
    st.integers(1, 20),
    st.sampled_from([0.0, 0.31, 0.52, 0.77, 1.0]),
)
def test_suppression_agrees_with_brute_force(rows, limit, overlap):
    boxes = np.array([b for b, _ in rows], dtype=np.float32).reshape(-1, 4)
    classes = np.array([c for _, c in rows], dtype=np.int64)
    kept = suppress(boxes, classes, limit=limit, overlap=overlap)
    assert kept.tolist() == brute_force(boxes, classes, limit, overlap)


@pytest.mark.parametrize("count", [63, 64, 65, 128, 300])
@pytest.mark.parametrize("limit", [20, 100, 300])
def test_suppression_agrees_with_brute_force_over_many_boxes(count, limit):
    rng = np.random.default_rng(count)
    corner, sides = rng.uniform(0, 200, (count, 2)), rng.uniform(1, 90, (count, 2))
    boxes = np.concatenate([corner, corner + sides], 1).astype(np.float32)
    classes = rng.integers(0, 3, count)
    kept = suppress(boxes, classes, limit=limit, overlap=0.3)
    assert kept.tolist() == brute_force(boxes, classes, limit, 0.3)


# Classes -----------------------------------------------------------------------------------


def test_the_most_confident_class_comes_first():
    found = classes_head()({"logits": models.LOGITS[None]}, PLACEMENT)
    powers = np.exp(models.LOGITS)
    assert found.classes.tolist() == [1, 2]
    assert found.scores.tolist() == pytest.approx((powers / powers.sum())[[1, 2]].tolist())


def test_a_sigmoid_judges_each_class_by_itself():
    found = classes_head(activation="sigmoid")({"x": np.array([[-1000.0, 0.0]])}, PLACEMENT)
    assert found.scores.tolist() == [0.5, 0.0]


def test_huge_logits_do_not_overflow():
    found = classes_head()({"x": np.array([[1e30, 0.0]])}, PLACEMENT)
    assert found.scores.tolist() == [1.0, 0.0]


def test_logits_taken_for_probabilities_are_refused_with_the_key_to_set():
    with pytest.raises(InvalidPredictionError, match='"activation": "softmax"'):
        classes_head(activation="none")({"logits": models.LOGITS[None]}, PLACEMENT)


def test_probabilities_that_rounding_took_out_of_range_are_put_back():
    scores = np.array([[1.0 + 1e-6, -1e-6]])
    found = classes_head(activation="none")({"probabilities": scores}, PLACEMENT)
    assert found.scores.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("given_outputs", "told"),
    [
        ({"a": np.zeros((1, 2)), "b": np.zeros((1, 2))}, "outputs are a, b"),
        ({"a": np.zeros((1, 2, 3))}, r"shape \(1, 2, 3\)"),
        ({"a": np.full((1, 2), np.inf)}, "NaN or infinity"),
    ],
)
def test_class_scores_of_another_form_are_refused(given_outputs, told):
    with pytest.raises(InvalidPredictionError, match=told):
        classes_head()(given_outputs, PLACEMENT)
