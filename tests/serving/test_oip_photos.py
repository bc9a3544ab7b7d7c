"""What was found in several photos, as flat tensors."""

import asyncio

import numpy as np
import pytest

from picsellia_jupyter.domain import predictions as found_in
from picsellia_jupyter.domain.errors import InvalidImageError, InvalidPredictionError
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage
from picsellia_jupyter.domain.registry import Framework, InferenceType, ModelVersion
from picsellia_jupyter.serving import oip_models, oip_photos
from picsellia_jupyter.serving.oip_tensors import InferRequest, texts

CLASSES, SCORES = np.array([1, 0]), np.array([0.9, 0.5], np.float32)
PATHS = (
    np.array([[0, 0], [4, 0], [4, 4]], np.float32),
    np.array([[1, 1], [2, 1], [2, 2], [1, 2]], np.float32),
)
SKELETONS = tuple(np.c_[path, np.full(len(path), 2)].astype(np.float32) for path in PATHS)
FAILED = InvalidImageError("'b.jpg' is no image.", "Send one.")


def told(kind, *geometry):
    """Two objects in one photo, an error, and two objects in another one."""
    image = PredictedImage("a.jpg", ImageSize(8, 6), kind(CLASSES, SCORES, *geometry), 0.1, "id-1")
    return oip_photos.outputs(kind, [image, FAILED, image], {0: "cat"})


def test_every_object_says_of_which_photo_it_is():
    got = told(found_in.Classification)
    assert got["image_index"].tolist() == [0, 0, 2, 2]
    assert got["classes"].tolist() == [1, 0, 1, 0]
    assert got["labels"].tolist() == [b"", b"cat", b"", b"cat"]
    assert got["sizes"].tolist() == [[8, 6], [0, 0], [8, 6]]
    assert got["prediction_ids"].tolist() == [b"id-1", b"", b"id-1"]
    assert got["errors"].tolist() == [b"", b"'b.jpg' is no image. Send one.", b""]


@pytest.mark.parametrize(
    ("kind", "geometry", "name", "columns"),
    [
        (found_in.Segmentation, PATHS, "polygons", 2),
        (found_in.Lines, PATHS, "lines", 2),
        (found_in.Keypoints, SKELETONS, "keypoints", 3),
    ],
)
def test_every_vertex_says_of_which_object_it_is(kind, geometry, name, columns):
    got = told(kind, geometry)
    assert got["object_index"].tolist() == [0] * 3 + [1] * 4 + [2] * 3 + [3] * 4
    assert got[name].shape == (14, columns)
    for row, path in enumerate(geometry):
        assert got[name][got["object_index"] == row].tolist() == path.tolist()


def test_points_masks_and_boxes_have_a_row_for_every_object():
    points = np.array([[1, 2], [3, 4]], np.float32)
    assert told(found_in.Points, points)["points"].tolist() == [[1, 2], [3, 4]] * 2
    assert told(found_in.Masks, ("04", "13"))["masks"].tolist() == [b"04", b"13"] * 2
    boxes = np.array([[0, 0, 1, 1], [1, 1, 2, 2]], np.float32)
    assert told(found_in.Detections, boxes)["boxes"].tolist() == boxes.tolist() * 2


@pytest.mark.parametrize("kind", found_in.PREDICTION_TYPES.values())
def test_without_a_single_photo_there_are_empty_tensors_of_the_same_kind(kind):
    for name, array in oip_photos.outputs(kind, [], {}).items():
        assert len(array) == 0, name
        assert array.dtype in (np.int64, np.float32, object), name


def test_an_answer_of_another_type_than_the_models_is_an_error():
    class Worker:
        async def predicted(self, upload):
            return PredictedImage(
                upload.filename, ImageSize(8, 6), found_in.Classification(CLASSES, SCORES), 0.1
            )

    version = ModelVersion(
        "v", "m", "tiny", "v0", 0, InferenceType.POINT, Framework.ONNX, {}
    )  # fmt: skip
    photos = oip_models.Photos(version, Worker())
    request = InferRequest({"image": texts([b"x"])}, {}, True, None, {})
    with pytest.raises(InvalidPredictionError, match="The model gave a classification"):
        asyncio.run(photos.infer(request))
