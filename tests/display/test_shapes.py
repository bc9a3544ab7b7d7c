import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from picsellia_jupyter.display.shapes import (
    SCORE_STEPS,
    encode_shapes,
    score_steps,
    threshold_step,
)
from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Segmentation,
    over_threshold,
)
from tests.display.viewer_reading import decoded

SIZE = ImageSize(1920, 1080)
PIXELS = st.floats(-100, 2000, width=32)
SCORES = st.floats(0, 1, width=32)


def heads(n: int, seed: int = 0) -> dict:
    draws = np.random.default_rng(seed)
    scores = draws.random(n, np.float32)
    return {"classes": draws.integers(0, 5, n), "scores": scores}


def encoded(found, threshold=None, size=SIZE) -> dict:
    return encode_shapes(found, size, found.classes, threshold)


@given(arrays.arrays(np.float32, st.integers(0, 40), elements=SCORES), st.integers(0, 1000))
def test_a_step_lies_over_a_threshold_exactly_where_its_score_does(scores, thousandth):
    threshold = thousandth / 1000
    over = score_steps(scores, None) > threshold_step(threshold)
    assert np.array_equal(over, over_threshold(scores, threshold))


@given(arrays.arrays(np.float32, st.integers(0, 40), elements=SCORES), SCORES)
def test_that_holds_for_the_deployments_own_threshold_whatever_it_is(scores, threshold):
    scores = np.append(scores, np.float32(threshold))
    over = score_steps(scores, threshold) > threshold_step(threshold)
    assert np.array_equal(over, over_threshold(scores, threshold))


@given(arrays.arrays(np.float32, st.integers(1, 40), elements=SCORES))
def test_a_step_is_the_score_to_four_digits(scores):
    assert np.abs(score_steps(scores, None) / SCORE_STEPS - scores).max() < 5e-5


def test_without_a_threshold_every_score_is_considered():
    assert (score_steps(np.zeros(1, np.float32), None) > threshold_step(None)).all()


@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 30), st.just(2)), elements=PIXELS))
def test_points_come_back_within_an_eighth_of_a_pixel(points):
    found = Points(points=points, **heads(len(points)))
    back = decoded(encoded(found))
    assert np.abs(back["points"] - points).max(initial=0) <= 1 / 8
    assert np.array_equal(back["ranks"], found.classes)


def test_boxes_come_back_and_take_at_most_16_bytes_each():
    corners = np.random.default_rng(0).uniform(0, 900, (1000, 2))
    boxes = np.hstack([corners, corners + 90]).astype(np.float32)
    layer = encoded(Detections(boxes_xyxy=boxes, **heads(1000)))
    assert np.abs(decoded(layer)["points"].reshape(-1, 4) - boxes).max() <= 1 / 32
    assert len(layer["data"]) <= 16 * 1000


def test_with_more_than_256_classes_a_box_still_takes_at_most_16_bytes():
    boxes = np.zeros((900, 4), np.float32)
    found = Detections(np.arange(900), np.full(900, 0.5, np.float32), boxes)
    layer = encoded(found)
    assert np.array_equal(decoded(layer)["ranks"], np.arange(900))
    assert len(layer["data"]) <= 16 * 900


@pytest.mark.parametrize(
    ("kind", "field", "least"), [(Segmentation, "polygons", 3), (Lines, "lines", 2)]
)
def test_paths_of_different_lengths_come_back(kind, field, least):
    draws = np.random.default_rng(1)
    paths = tuple(draws.uniform(0, 1000, (least + k, 2)).astype(np.float32) for k in range(300))
    back = decoded(encoded(kind(**{field: paths}, **heads(300))))
    assert back["counts"].tolist() == [len(path) for path in paths]
    assert np.abs(back["points"] - np.concatenate(paths)).max() <= 1 / 32


def test_keypoints_come_back_with_their_visibility():
    points = np.array([[1, 2, 0], [3, 4, 1], [5, 6, 2]], np.float32)
    back = decoded(encoded(Keypoints(keypoints=(points, points[:1]), **heads(2))))
    assert back["seen"].tolist() == [0, 1, 2, 0]
    assert back["counts"].tolist() == [3, 1]


@given(st.integers(0, 2**32 - 1))
def test_a_masks_code_comes_back_sign_by_sign(seed):
    size = ImageSize(40, 30)
    mask = np.random.default_rng(seed).random((30, 40)) < 0.4
    code = rle.encode(mask, size)
    layer = encoded(Masks(masks=(code, code), **heads(2)), size=size)
    assert decoded(layer)["masks"] == [code, code]
    assert not set(layer["masks"]) & set('<>&"\\')


def test_a_mask_of_another_photo_is_refused():
    code = rle.encode(np.ones((30, 40), bool), ImageSize(40, 30))
    with pytest.raises(InvalidPredictionError, match=r"1200 pixels, its photo has 1920 x 1080"):
        encoded(Masks(masks=(code,), **heads(1)))


def test_a_coordinate_far_outside_does_not_cost_the_others_their_place():
    boxes = np.array([[10, 20, 30, 40], [0, 0, 1e9, 1e9]], np.float32)
    back = decoded(encoded(Detections(boxes_xyxy=boxes, **heads(2))))
    assert np.abs(back["points"][:2].ravel() - boxes[0]).max() <= 1 / 8
    assert back["points"].max() == pytest.approx(3 * 1920, abs=1)


def test_a_classification_has_scores_and_no_shapes():
    layer = encoded(Classification(**heads(3)))
    assert layer["form"] == "class"
    assert "step" not in layer


@pytest.mark.parametrize(
    "empty",
    [
        Classification(**heads(0)),
        Detections(boxes_xyxy=np.zeros((0, 4), np.float32), **heads(0)),
        Segmentation(polygons=(), **heads(0)),
        Lines(lines=(), **heads(0)),
        Points(points=np.zeros((0, 2), np.float32), **heads(0)),
        Keypoints(keypoints=(), **heads(0)),
        Masks(masks=(), **heads(0)),
    ],
    ids=lambda found: type(found).__name__,
)
def test_nothing_found_is_a_layer_too(empty):
    layer = encoded(empty)
    assert layer["n"] == 0
    assert len(decoded({**layer, "masks": ""} if layer["form"] == "mask" else layer)["scores"]) == 0
