from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import (
    Detections,
    ImageSize,
    Keypoints,
    Masks,
    Points,
    PredictedImage,
    Prediction,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.wire.predictions import from_raw, from_shapes, to_raw, to_shapes
from tests.wire.strategies import predictions, sizes

NAMES = {index: f"label {index}" for index in range(91)}
INDEX_OF = {name: index for index, name in NAMES.items()}


def geometry(found: Prediction) -> list[Any]:
    shapes = getattr(found, found.geometry) if found.geometry else []
    return [shape if isinstance(shape, str) else np.asarray(shape) for shape in shapes]


def assert_same(ours: Prediction, theirs: Prediction, *, within_px: float) -> None:
    assert type(ours) is type(theirs)
    np.testing.assert_array_equal(ours.classes, theirs.classes)
    np.testing.assert_array_equal(ours.scores, theirs.scores)
    for one, other in zip(geometry(ours), geometry(theirs), strict=True):
        if isinstance(one, str):
            assert one == other
        else:
            np.testing.assert_allclose(one, other, atol=within_px + 1e-3)


@given(st.data(), sizes)
def test_raw_predictions_come_back_within_half_a_pixel(data: st.DataObject, size: ImageSize):
    found = data.draw(predictions(size))

    raw = json.loads(json.dumps(to_raw(found, size)))

    assert_same(from_raw(found.inference_type, raw), found, within_px=0.5)


@given(st.data(), sizes)
def test_shapes_of_a_predicted_asset_come_back_within_half_a_pixel(
    data: st.DataObject, size: ImageSize
):
    found = data.draw(predictions(size))

    shapes = json.loads(json.dumps(to_shapes(found, size, lambda i: {"id": i, "name": NAMES[i]})))

    back = from_shapes(found.inference_type, shapes, INDEX_OF)
    np.testing.assert_array_equal(back.classes, found.classes)
    for one, other in zip(geometry(back), geometry(found), strict=True):
        if not isinstance(one, str):
            np.testing.assert_allclose(one, other, atol=0.501)


@given(st.data(), sizes)
def test_what_is_spelled_once_is_spelled_the_same_again(data: st.DataObject, size: ImageSize):
    raw = to_raw(data.draw(predictions(size)), size)
    kind = next(k for k in InferenceType if _fits(k, raw))

    assert to_raw(from_raw(kind, raw), size) == raw


def _fits(kind: InferenceType, raw: dict[str, Any]) -> bool:
    try:
        return to_raw(from_raw(kind, raw), ImageSize(4000, 4000)).keys() == raw.keys()
    except InvalidPredictionError:
        return False


@given(st.data(), sizes)
def test_the_official_sdk_takes_every_prediction_as_we_spell_it(
    data: st.DataObject, size: ImageSize
):
    found = data.draw(predictions(size))

    payload = sdk.prediction_format(PredictedImage("a.png", size, found, 0.1))

    assert payload.model_type.value == found.inference_type.value
    assert payload.model_dump()["detection_classes"] == found.classes.tolist()


def test_a_box_goes_out_as_top_left_bottom_right():
    found = Detections(
        np.array([3]), np.array([0.5], np.float32), np.array([[10, 20, 30, 60]], np.float32)
    )

    assert to_raw(found, ImageSize(100, 80))["detection_boxes"] == [[20, 10, 60, 30]]
    shapes = to_shapes(found, ImageSize(100, 80), lambda i: {"id": "x", "name": str(i)})
    assert shapes == {
        "rectangles": [
            {"label": {"id": "x", "name": "3"}, "score": 0.5, "x": 10, "y": 20, "w": 20, "h": 40}
        ]
    }


def test_coordinates_round_half_to_even_and_stay_inside_the_photo():
    found = Points(
        np.array([0, 0, 0]),
        np.array([0.5, 0.5, 0.5], np.float32),
        np.array([[0.5, 1.5], [-7, 2.5], [1e6, 99.5]], np.float32),
    )

    assert to_raw(found, ImageSize(50, 99))["points"] == [[0, 2], [0, 2], [50, 99]]


def test_visibility_of_a_keypoint_is_not_clipped_to_the_photo():
    found = Keypoints(
        np.array([0]), np.array([0.5], np.float32), (np.array([[9, 9, 2]], np.float32),)
    )

    assert to_raw(found, ImageSize(1, 1))["keypoints"] == [[[1, 1, 2]]]


def test_masks_travel_as_they_are():
    found = Masks(np.array([1]), np.array([0.5], np.float32), ("lba_1<_^12N",))

    assert to_raw(found, ImageSize(9, 9))["detection_masks"] == ["lba_1<_^12N"]


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("OBJECT_DETECTION", {"detection_boxes": [[1, 2, 3]]}, "3 numbers, not 4"),
        ("OBJECT_DETECTION", {"detection_boxes": [[9, 9, 1, 1]]}, "right < left or bottom < top"),
        ("OBJECT_DETECTION", {"detection_boxes": []}, "0 detection_boxes but 1"),
        ("OBJECT_DETECTION", {"detection_boxes": None}, "is None, not a list"),
        ("OBJECT_DETECTION", {"detection_boxes": [["a", 1, 2, 3]]}, "no number"),
        ("OBJECT_DETECTION", {"detection_scores": [1.5]}, r"Scores lie in \[0, 1\]"),
        ("OBJECT_DETECTION", {"detection_scores": [float("nan")]}, "NaN or infinity"),
        ("OBJECT_DETECTION", {"detection_classes": [-1]}, "count from 0"),
        ("OBJECT_DETECTION", {"detection_classes": [0.5]}, "fractions"),
        ("OBJECT_DETECTION", {"detection_classes": ["car"]}, "no number"),
        ("SEGMENTATION", {"detection_masks": [[1, 1, 9, 9]]}, "no list, not 2 numbers"),
        ("SEGMENTATION", {"detection_masks": [[[1, 1], [2, 2]]]}, "at least 3"),
        ("LINE", {"lines": [[[1, 1]]]}, "at least 2"),
        ("POINT", {"points": [[1, 2, 3]]}, "3 numbers, not 2"),
        ("KEYPOINT", {"keypoints": [[[1, 2]]]}, "2 numbers, not 3"),
        ("MASK", {"detection_masks": [7]}, "COCO compressed RLE"),
        ("MULTI", {}, "no prediction format for MULTI"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(kind: str, change: dict[str, Any], said: str):
    raw = {"detection_classes": [0], "detection_scores": [0.5], "detection_boxes": [[1, 2, 3, 4]]}

    with pytest.raises(InvalidPredictionError, match=said):
        from_raw(InferenceType(kind), {**raw, **change})


@pytest.mark.parametrize(
    ("given", "read"), [({"score": 0.0}, 0.0), ({"score": None}, 1.0), ({}, 1.0)]
)
def test_only_a_shape_without_a_score_is_certain(given: dict[str, Any], read: float):
    shape = {"label": {"name": "zero"}, "x": 1, "y": 2, "w": 3, "h": 4, **given}
    found = from_shapes(InferenceType.OBJECT_DETECTION, {"rectangles": [shape]}, {"zero": 0})

    assert found.scores.tolist() == [read]


def test_a_review_with_an_unknown_label_is_refused_by_its_name():
    with pytest.raises(InvalidPredictionError, match="'dog' is not one of"):
        from_shapes(
            InferenceType.CLASSIFICATION,
            {"classifications": [{"label": {"name": "dog"}}]},
            {"cat": 0},
        )
