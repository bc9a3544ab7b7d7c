from __future__ import annotations

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Segmentation,
    considered,
    over_threshold,
)


def detections(*scores: float) -> Detections:
    n = len(scores)
    boxes = np.tile(np.array([0, 0, 5, 5], np.float32), (n, 1)).reshape(-1, 4)
    return Detections(np.arange(n), np.array(scores, np.float32), boxes)


def test_a_shape_scored_exactly_the_threshold_is_not_considered():
    found = considered(detections(0.29, 0.3, 0.31), threshold=0.3)

    assert found.classes.tolist() == [2]


def test_scores_are_compared_with_a_threshold_as_the_model_gave_them():
    as_float32 = np.array([0.3, 0.7], np.float32)
    as_float64 = as_float32.astype(np.float64)

    assert as_float64[0] > 0.3
    assert over_threshold(as_float32, 0.3).tolist() == [False, True]
    assert over_threshold(as_float64, 0.3).tolist() == [False, True]
    assert over_threshold(as_float64, None).tolist() == [True, True]


def test_a_threshold_never_applies_to_a_classification():
    found = Classification(np.array([1, 0]), np.array([0.6, 0.4], np.float32))

    assert considered(found, threshold=0.99) is found


def test_without_a_threshold_everything_is_considered():
    assert len(considered(detections(0.0, 0.5), threshold=None)) == 2


def test_taking_rows_keeps_all_arrays_aligned():
    polygons = tuple(np.full((3, 2), i, np.float32) for i in range(3))
    found = Segmentation(np.arange(3), np.array([0.1, 0.2, 0.3], np.float32), polygons)

    kept = found.take([2, 0])

    assert kept.classes.tolist() == [2, 0]
    assert [polygon[0, 0] for polygon in kept.polygons] == [2, 0]


def test_a_mask_of_rows_takes_those_that_are_true():
    assert detections(0.1, 0.2, 0.3).take(np.array([True, False, True])).classes.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        (np.zeros((2, 4), np.float32), "2 boxes_xyxy but 1 scores"),
        (np.zeros((1, 3), np.float32), r"shape \(1, 3\), not \(N, 4\)"),
        (np.array([[5, 0, 1, 9]], np.float32), "right < left"),
        (np.array([[0, 0, np.inf, 9]], np.float32), "NaN or infinity"),
    ],
)
def test_boxes_that_cannot_be_are_refused(boxes: np.ndarray, said: str):
    with pytest.raises(InvalidPredictionError, match=said):
        Detections(np.array([0]), np.array([0.5], np.float32), boxes)


def test_classes_and_scores_have_the_same_length():
    with pytest.raises(InvalidPredictionError, match="2 classes but 1 scores"):
        Classification(np.array([0, 1]), np.array([0.5], np.float32))


def test_float_classes_are_refused_with_their_dtype():
    with pytest.raises(InvalidPredictionError, match="dtype float64, not integer"):
        Classification(np.array([0.0]), np.array([0.5], np.float32))


@pytest.mark.parametrize("side", [0, -3, 1.5, True, None])
def test_an_image_size_is_whole_and_positive(side: object):
    with pytest.raises(InvalidPredictionError, match="cannot be"):
        ImageSize(side, 10)  # type: ignore[arg-type]
