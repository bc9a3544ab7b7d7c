"""Every prediction type through a serving kernel: predicted, answered and recorded."""

import numpy as np
import pytest

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.wire import resources
from tests.serving import models
from tests.serving.fakes import picture

SAID = {"input": {"width": models.WIDTH, "height": models.HEIGHT, "channels": "L"}}
"""64 x 48; the photo has 128 x 96, so that a pixel of the input is two of the photo."""
SCORES = np.array([[0.9, 0.01]], np.float32)


def constant(**arrays):
    """A model that finds the same in every photo."""
    return lambda path: models.onnx_constants(path, arrays)


def regions():
    logits = np.zeros((1, 2, models.HEIGHT, models.WIDTH), np.float32)
    logits[0, 0] = 4
    logits[0, 1, 10:20, 30:50] = 8
    return constant(out=logits)


@pytest.mark.parametrize(
    ("kind", "make", "key", "told"),
    [
        (
            InferenceType.KEYPOINT,
            constant(
                keypoints=np.array([[[[5, 6, 0.9], [7, 8, 0.1]], [[0, 0, 0]] * 2]], np.float32),
                scores=SCORES,
            ),
            "keypoints",
            [[10, 12, 2], [14, 16, 0]],
        ),
        (
            InferenceType.LINE,
            constant(
                lines=np.array([[[[1, 2], [3, 4], [50, 40]], [[0, 0]] * 3]], np.float32),
                scores=SCORES,
            ),
            "lines",
            [[2, 4], [6, 8], [100, 80]],
        ),
        (
            InferenceType.POINT,
            constant(points=np.array([[[11, 12], [0, 0]]], np.float32), scores=SCORES),
            "points",
            [22, 24],
        ),
        (
            InferenceType.SEGMENTATION,
            regions(),
            "detection_masks",
            [[60, 20], [60, 40], [100, 20], [100, 40]],
        ),
        (InferenceType.MASK, regions(), "detection_masks", None),
    ],
    ids=lambda value: value.value if isinstance(value, InferenceType) else "",
)
def test_it_is_answered_and_recorded(kind, make, key, told, start):
    kernel = start(make, SAID, kind=kind).attach()
    reply = kernel.predict(picture(128, 96))
    assert reply.status_code == 200, reply.text

    (shape,) = reply.json()[key]
    assert kernel.service.flush(10) == 0
    ((_, _, recorded, _),) = kernel.platform.recorded
    again = resources.reply_from_json(reply.json(), source="page.jpg")
    assert again.found.inference_type is recorded.found.inference_type is kind
    if kind is InferenceType.MASK:
        drawn = rle.decode(shape, ImageSize(128, 96))
        rows, columns = np.nonzero(drawn)
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(np.array(found) - [60, 20, 100, 40]).max() <= 1
    elif kind is InferenceType.SEGMENTATION:
        assert box_of(shape) == box_of(told)
    else:
        assert shape == told


def box_of(polygon):
    low, high = np.min(polygon, axis=0), np.max(polygon, axis=0)
    return np.rint([*low, *high]).astype(int).tolist()
