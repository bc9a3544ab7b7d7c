import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as cocomask

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.extents import areas, boxes_around
from picsellia_jupyter.domain.predictions import (
    Classification,
    ImageSize,
    Keypoints,
    Lines,
    Points,
    Segmentation,
)

SIZE = ImageSize(40, 30)
masks = st.tuples(st.integers(1, 25), st.integers(1, 25)).flatmap(
    lambda shape: arrays.arrays(np.bool_, shape)
)


@given(masks)
def test_a_mask_is_measured_as_pycocotools_does(mask):
    height, width = mask.shape
    size = ImageSize(width, height)
    code = rle.encode(mask, size)
    theirs = {"size": [height, width], "counts": code.encode()}

    (left, top, right, bottom), area = rle.extent(code, size)

    assert area == int(cocomask.area(theirs)) == int(mask.sum())
    if area:
        assert [left, top, right - left, bottom - top] == cocomask.toBbox(theirs).tolist()
    else:
        assert (left, top, right, bottom) == (0, 0, 0, 0)


def of(kind, *shapes):
    return kind(np.zeros(len(shapes), int), np.ones(len(shapes), np.float32), tuple(shapes))


TRIANGLE = np.array([[2, 3], [12, 3], [2, 23]], np.float32)
HALF_ABSENT = np.array([[5, 6, 2], [0, 0, 0], [9, 8, 1]], np.float32)


@pytest.mark.parametrize(
    ("found", "box", "area"),
    [
        (of(Segmentation, TRIANGLE), [2, 3, 12, 23], 100),
        (of(Lines, TRIANGLE), [2, 3, 12, 23], 0),
        (of(Keypoints, HALF_ABSENT), [5, 6, 9, 8], 8),
        (of(Keypoints, np.zeros((2, 3), np.float32)), [0, 0, 0, 0], 0),
        (
            Points(np.zeros(1, int), np.ones(1, np.float32), np.array([[7, 8]], np.float32)),
            [7, 8, 7, 8],
            0,
        ),
        (Classification(np.zeros(1, int), np.ones(1, np.float32)), [0, 0, 40, 30], 1200),
    ],
    ids=["polygon", "line", "keypoints", "no keypoint", "point", "classification"],
)
def test_every_type_of_shape_has_a_box_and_an_area(found, box, area):
    assert boxes_around(found, SIZE).tolist() == [box]
    assert areas(found, SIZE).tolist() == [area]


def test_nothing_has_no_boxes():
    for kind in (Segmentation, Lines, Keypoints):
        assert boxes_around(of(kind), SIZE).shape == (0, 4)
        assert areas(of(kind), SIZE).shape == (0,)
