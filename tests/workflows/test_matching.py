import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco
from pycocotools.cocoeval import Params

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Segmentation,
    considered,
)
from picsellia_jupyter.workflows.matching import match

SIZE = ImageSize(200, 100)


def boxes(*rows, classes=None, scores=None) -> Detections:
    return Detections(
        np.array(classes or [0] * len(rows), np.int64),
        np.array(scores or [0.9] * len(rows), np.float32),
        np.array(rows, np.float32).reshape(-1, 4),
    )


def of(kind, field, *shapes, scores=None):
    scores = np.array(scores or [0.9] * len(shapes), np.float32)
    values = np.array(shapes, np.float32) if field == "points" else tuple(shapes)
    return kind(np.zeros(len(shapes), np.int64), scores, values)


def test_the_most_confident_takes_the_object_and_the_other_goes_without():
    found = boxes((0, 0, 10, 10), (0, 0, 10, 9), scores=[0.5, 0.8])
    matches = match(found, boxes((0, 0, 10, 10)), SIZE)
    assert matches.truth.tolist() == [-1, 0]
    assert matches.likeness.tolist() == [0, pytest.approx(0.9)]


def test_only_objects_of_the_same_class_match():
    found = boxes((0, 0, 10, 10), classes=[1])
    assert match(found, boxes((0, 0, 10, 10)), SIZE).truth.tolist() == [-1]


def test_half_the_union_in_common_is_enough_and_less_is_not():
    truth = boxes((0, 0, 10, 10))
    assert match(boxes((0, 0, 10, 5)), truth, SIZE).truth.tolist() == [0]
    assert match(boxes((0, 0, 10, 4.9)), truth, SIZE).truth.tolist() == [-1]


def test_boxes_without_area_match_nothing():
    assert match(boxes((5, 5, 5, 5)), boxes((5, 5, 5, 5)), SIZE).truth.tolist() == [-1]


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_matches_hold_for_every_threshold(seed, threshold):
    draws = np.random.default_rng(seed)
    corners = draws.uniform(0, 60, (12, 2))
    rows = np.hstack([corners, corners + draws.uniform(5, 40, (12, 2))])
    found = boxes(
        *rows, classes=draws.integers(0, 2, 12).tolist(), scores=draws.random(12).tolist()
    )
    truth = boxes(*(rows[:6] + draws.normal(0, 2, (6, 4)) * [0, 0, 1, 1]), classes=[0] * 6)
    kept = np.flatnonzero(found.scores > np.float32(threshold))
    whole = match(found, truth, SIZE).truth[kept]
    alone = match(considered(found, threshold=threshold), truth, SIZE).truth
    assert np.array_equal(whole, alone)


@given(st.integers(0, 2**32 - 1))
def test_the_likeness_of_masks_is_pycocotools_iou(seed):
    draws = np.random.default_rng(seed)
    pixels = [np.zeros((100, 200), bool) for _ in range(2)]
    for mask in pixels:
        left, top = draws.integers(0, 20, 2)
        mask[top : top + 60, left : left + 60] = draws.random((60, 60)) < 0.95
    codes = [rle.encode(mask, SIZE) for mask in pixels]
    theirs = coco.iou(*([{"size": [100, 200], "counts": code}] for code in codes), [0])[0, 0]
    ours = match(of(Masks, "masks", codes[0]), of(Masks, "masks", codes[1]), SIZE)
    assert ours.likeness[0] == pytest.approx(theirs if theirs >= 0.5 else 0)


def test_outlines_are_compared_by_the_pixels_they_hold():
    square = np.array([[10, 10], [30, 10], [30, 30], [10, 30]], np.float32)
    wider = square * np.array([1, 1], np.float32) + np.array([5, 0], np.float32)
    matches = match(of(Segmentation, "polygons", wider), of(Segmentation, "polygons", square), SIZE)
    assert matches.likeness[0] == pytest.approx(300 / 500)


def test_points_match_where_they_are_near():
    truth = of(Points, "points", (100, 50))
    near, far = of(Points, "points", (102, 50)), of(Points, "points", (105, 50))
    assert match(near, truth, SIZE).likeness[0] == pytest.approx(1 - 2 / 8)
    assert match(far, truth, SIZE).truth.tolist() == [-1]


def test_a_line_drawn_the_other_way_round_is_the_same_line():
    line = np.array([[10, 10], [60, 40], [150, 40]], np.float32)
    matches = match(of(Lines, "lines", line[::-1].copy()), of(Lines, "lines", line), SIZE)
    assert matches.likeness[0] == pytest.approx(1)


def test_keypoints_match_by_their_similarity_and_absent_ones_do_not_count():
    person = np.array([[10, 10, 2], [50, 10, 2], [50, 90, 2], [0, 0, 0]], np.float32)
    other = person.copy()
    other[3] = [150, 90, 2]
    truth = of(Keypoints, "keypoints", person)
    assert match(of(Keypoints, "keypoints", other), truth, SIZE).likeness[0] == pytest.approx(1)
    away = person + np.array([30, 0, 0], np.float32)
    assert match(of(Keypoints, "keypoints", away), truth, SIZE).truth.tolist() == [-1]
    assert match(of(Keypoints, "keypoints", person[:2]), truth, SIZE).truth.tolist() == [-1]


@pytest.mark.parametrize("count", [17, 5])
def test_keypoints_are_alike_as_coco_has_it(count: int):
    person = np.column_stack([np.arange(count) * 9, np.arange(count) % 4 * 20, np.full(count, 2)])
    moved = person + np.array([3, 2, 0])
    matches = match(
        of(Keypoints, "keypoints", moved.astype(np.float32)),
        of(Keypoints, "keypoints", person.astype(np.float32)),
        SIZE,
    )
    coco_sigmas = Params(iouType="keypoints").kpt_oks_sigmas
    sigmas = coco_sigmas if count == 17 else np.full(count, coco_sigmas.mean())
    area = np.prod(np.ptp(person[:, :2], axis=0))
    wanted = np.exp(-13 / (2 * area * (2 * sigmas) ** 2)).mean()
    assert matches.likeness[0] == pytest.approx(wanted, rel=1e-5)


def test_of_a_classification_only_the_first_class_counts():
    found = Classification(np.array([3, 1]), np.array([0.8, 0.2], np.float32))
    right = Classification(np.array([3]), np.array([1.0], np.float32))
    wrong = Classification(np.array([1]), np.array([1.0], np.float32))
    assert match(found, right, SIZE).truth.tolist() == [0, -1]
    assert match(found, wrong, SIZE).truth.tolist() == [-1, -1]


def test_other_shapes_than_those_of_the_ground_truth_match_nothing():
    assert match(boxes((0, 0, 9, 9)), of(Points, "points", (4, 4)), SIZE).truth.tolist() == [-1]
