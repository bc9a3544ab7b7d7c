"""What pycocotools makes of what we write."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    PredictedImage,
    Segmentation,
)
from picsellia_jupyter.wire.coco import to_coco

SIZE = ImageSize(64, 48)
LABELS = {0: "cat", 1: "dog"}
CLASSES, SCORES = np.array([0, 1]), np.array([0.9, 0.25], np.float32)
TRIANGLE = np.array([[2, 3], [12, 3], [2, 23]], np.float32)


def mask(left: int) -> str:
    return rle.encode(np.ones((20, 10), bool), SIZE, left=left, top=4)


BOXES = Detections(CLASSES, SCORES, np.array([[1, 2, 11, 22], [30, 5, 60.5, 40]], np.float32))
MASKS = Masks(CLASSES, SCORES, (mask(3), mask(40)))
POLYGONS = Segmentation(CLASSES, SCORES, (TRIANGLE, TRIANGLE + 20))
KEYPOINTS = Keypoints(
    CLASSES,
    SCORES,
    (
        np.array([[5, 6, 2], [8, 9, 1], [3, 3, 0]], np.float32),
        np.array([[50, 40, 2]], np.float32),
    ),
)


def images(found) -> list[PredictedImage]:
    return [PredictedImage(f"{name}.jpg", SIZE, found, 0.01) for name in "ab"]


def read_by_pycocotools(coco) -> COCO:
    dataset = COCO()
    dataset.dataset = json.loads(json.dumps(coco))
    with contextlib.redirect_stdout(io.StringIO()):
        dataset.createIndex()
    return dataset


@pytest.mark.parametrize(
    ("found", "kind"),
    [(BOXES, "bbox"), (MASKS, "segm"), (POLYGONS, "segm"), (KEYPOINTS, "keypoints")],
)
def test_predictions_are_perfect_results_for_themselves(found, kind):
    coco = to_coco(images(found), LABELS)
    truth = read_by_pycocotools(coco)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(coco["annotations"]), kind)
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.kpt_oks_sigmas = np.full(3, 0.05)
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]
    assert (precision[precision > -1] == 1).all()
    assert (precision > -1).any()


def test_ids_count_from_one():
    coco = to_coco(images(BOXES), LABELS)
    assert [image["id"] for image in coco["images"]] == [1, 2]
    assert [annotation["id"] for annotation in coco["annotations"]] == [1, 2, 3, 4]
    assert coco["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]


def test_a_box_is_left_top_width_height_and_keeps_its_fractions_and_score():
    annotation = to_coco(images(BOXES), LABELS)["annotations"][1]
    assert annotation["bbox"] == [30, 5, 30.5, 35]
    assert annotation["area"] == 30.5 * 35
    assert annotation["category_id"] == 2
    assert annotation["score"] == 0.25


def test_a_mask_keeps_its_code_and_is_decoded_to_the_same_pixels():
    coco = read_by_pycocotools(to_coco(images(MASKS), LABELS))
    pixels = coco.annToMask(coco.loadAnns(1)[0])
    assert (pixels == rle.decode(MASKS.masks[0], SIZE)).all()
    assert coco.loadAnns(1)[0]["area"] == 200
    assert coco.loadAnns(1)[0]["bbox"] == [3, 4, 10, 20]


def test_absent_keypoints_are_zeros_and_all_objects_have_as_many():
    coco = to_coco(images(KEYPOINTS), LABELS)
    first, second = coco["annotations"][:2]
    assert first["keypoints"] == [5, 6, 2, 8, 9, 1, 0, 0, 0]
    assert second["keypoints"] == [50, 40, 2, 0, 0, 0, 0, 0, 0]
    assert [first["num_keypoints"], second["num_keypoints"]] == [2, 1]
    assert coco["categories"][0]["keypoints"] == ["1", "2", "3"]


def test_a_point_is_one_keypoint():
    found = Points(CLASSES, SCORES, np.array([[3, 4], [5, 6]], np.float32))
    assert to_coco(images(found), LABELS)["annotations"][1]["keypoints"] == [5, 6, 2]


def test_a_class_that_the_labels_do_not_know_has_a_category_too():
    found = Detections(np.array([7]), np.array([0.5], np.float32), BOXES.boxes_xyxy[:1])
    assert {"id": 8, "name": "class 7"} in to_coco(images(found), LABELS)["categories"]


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (Lines(CLASSES, SCORES, (TRIANGLE, TRIANGLE)), "line"),
        (Classification(CLASSES, SCORES), "classification"),
    ],
)
def test_what_coco_has_no_form_for_is_refused_by_name(found, name):
    with pytest.raises(InvalidInputError, match=f"COCO has no form for predictions of type {name}"):
        to_coco(images(found), LABELS)
