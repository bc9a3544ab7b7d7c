"""What a worker says it found, on its way to a front that trusts none of it."""

import socket

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import (
    PREDICTION_TYPES,
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Segmentation,
)
from picsellia_jupyter.recording import shapes
from picsellia_jupyter.serving.channel import Channel, Message

SIZE = ImageSize(5, 4)

coordinates = st.floats(-1e6, 1e6, width=32)
scores = st.floats(0, 1, width=32)


def heads(count):
    return (
        arrays.arrays(np.int64, count, elements=st.integers(0, 1 << 40)),
        arrays.arrays(np.float32, count, elements=scores),
    )


def paths(count, columns, at_least):
    path = st.integers(at_least, 6).flatmap(
        lambda rows: arrays.arrays(np.float32, (rows, columns), elements=coordinates)
    )
    return st.tuples(*[path] * count)


def matrix(count, columns):
    return arrays.arrays(np.float32, (count, columns), elements=coordinates)


def upright(count):
    def sort(box):
        return np.concatenate(
            [np.minimum(box[:, :2], box[:, 2:]), np.maximum(box[:, :2], box[:, 2:])], 1
        )

    return matrix(count, 4).map(sort)


def codes(count):
    mask = arrays.arrays(np.bool_, (SIZE.height, SIZE.width))
    return st.tuples(*[mask.map(lambda pixels: rle.encode(pixels, SIZE))] * count)


found = st.integers(0, 4).flatmap(
    lambda n: st.one_of(
        st.builds(Classification, *heads(n)),
        st.builds(Detections, *heads(n), upright(n)),
        st.builds(Segmentation, *heads(n), paths(n, 2, 3)),
        st.builds(Lines, *heads(n), paths(n, 2, 2)),
        st.builds(Points, *heads(n), matrix(n, 2)),
        st.builds(Keypoints, *heads(n), paths(n, 3, 1)),
        st.builds(Masks, *heads(n), codes(n)),
    )
)


def _through_channel(raw):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours).send(Message(raw))
        return Channel(theirs).receive().header


@given(found)
def test_every_prediction_comes_back_to_the_last_bit(prediction):
    read = shapes.from_json(_through_channel(shapes.to_json(prediction)), SIZE)
    assert type(read) is type(prediction)
    np.testing.assert_array_equal(read.classes, prediction.classes)
    np.testing.assert_array_equal(read.scores, prediction.scores)
    if prediction.geometry is not None:
        sent, got = (getattr(p, prediction.geometry) for p in (prediction, read))
        assert len(sent) == len(got)
        for one, other in zip(sent, got, strict=True):
            np.testing.assert_array_equal(one, other)


def test_every_prediction_type_can_be_read():
    assert set(shapes._READERS) == set(PREDICTION_TYPES)


ONE = {"classes": [0], "scores": [0.5]}


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"type": "NOT_CONFIGURED", **ONE},
        {"type": "nonsense", **ONE},
        {"type": "OBJECT_DETECTION", **ONE},
        {"type": "OBJECT_DETECTION", **ONE, "boxes_xyxy": [0, 0, 1, 1]},
        {"type": "OBJECT_DETECTION", **ONE, "boxes_xyxy": [[0, 0, 1]]},
        {"type": "OBJECT_DETECTION", **ONE, "boxes_xyxy": [[0, 0, 1, float("nan")]]},
        {"type": "OBJECT_DETECTION", **ONE, "boxes_xyxy": [[0, 0, 1, 1e300]]},
        {"type": "OBJECT_DETECTION", **ONE, "boxes_xyxy": [["0", "0", "1", "1"]]},
        {"type": "OBJECT_DETECTION", **ONE, "boxes_xyxy": []},
        {"type": "CLASSIFICATION", "classes": ["0"], "scores": [0.5]},
        {"type": "CLASSIFICATION", "classes": {"0": 1}, "scores": [0.5]},
        {"type": "CLASSIFICATION", "classes": [0], "scores": [1.5]},
        {"type": "CLASSIFICATION", "classes": [1 << 80], "scores": [0.5]},
        {"type": "CLASSIFICATION", "classes": [1e30], "scores": [0.5]},
        {"type": "CLASSIFICATION", "classes": [0.5], "scores": [0.5]},
        {"type": "SEGMENTATION", **ONE, "polygons": [[[0, 0], [1, 1]]]},
        {"type": "SEGMENTATION", **ONE, "polygons": [[0, 0, 1, 1, 2, 2]]},
        {"type": "LINE", **ONE, "lines": [[[0, 0]]]},
        {"type": "LINE", **ONE, "lines": "abc"},
        {"type": "POINT", **ONE, "points": [[0, 0, 0]]},
        {"type": "KEYPOINT", **ONE, "keypoints": [[[0, 0]]]},
        {"type": "KEYPOINT", **ONE, "keypoints": [[]]},
        {"type": "MASK", **ONE, "masks": [7]},
        {"type": "MASK", **ONE, "masks": ["é"]},
        {"type": "MASK", **ONE, "masks": ["444"]},
        {"type": "MASK", **ONE, "masks": "444"},
    ],
)
def test_what_is_no_prediction_is_refused(raw):
    with pytest.raises((KeyError, TypeError, ValueError, OverflowError, InvalidPredictionError)):
        shapes.from_json(raw, SIZE)
