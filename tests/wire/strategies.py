"""Hypothesis strategies for predictions of every type."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Prediction,
    Segmentation,
)

sizes = st.builds(ImageSize, st.integers(1, 4000), st.integers(1, 4000))


@st.composite
def predictions(draw: st.DrawFn, size: ImageSize) -> Prediction:
    """A prediction of any type, inside an image of this size."""
    return draw(st.sampled_from(_KINDS))(draw, size)


def _scored(draw: st.DrawFn, n: int) -> tuple[np.ndarray, np.ndarray]:
    unit = st.floats(0, 1, width=32)
    return (
        draw(arrays(np.int64, n, elements=st.integers(0, 90))),
        draw(arrays(np.float32, n, elements=unit)),
    )


def _path(draw: st.DrawFn, size: ImageSize, points: int) -> np.ndarray:
    x = draw(arrays(np.float32, points, elements=st.floats(0, size.width, width=32)))
    y = draw(arrays(np.float32, points, elements=st.floats(0, size.height, width=32)))
    return np.column_stack([x, y])


def _count(draw: st.DrawFn) -> int:
    return draw(st.integers(0, 6))


def _classification(draw: st.DrawFn, _size: ImageSize) -> Prediction:
    return Classification(*_scored(draw, _count(draw)))


def _detections(draw: st.DrawFn, size: ImageSize) -> Prediction:
    n = _count(draw)
    corners = [_path(draw, size, 2) for _ in range(n)]
    boxes = [np.concatenate([c.min(axis=0), c.max(axis=0)]) for c in corners]
    return Detections(*_scored(draw, n), np.asarray(boxes, np.float32).reshape(-1, 4))


def _segmentation(draw: st.DrawFn, size: ImageSize) -> Prediction:
    n = _count(draw)
    return Segmentation(*_scored(draw, n), tuple(_path(draw, size, 3 + i) for i in range(n)))


def _lines(draw: st.DrawFn, size: ImageSize) -> Prediction:
    n = _count(draw)
    return Lines(*_scored(draw, n), tuple(_path(draw, size, 2 + i) for i in range(n)))


def _points(draw: st.DrawFn, size: ImageSize) -> Prediction:
    n = _count(draw)
    return Points(*_scored(draw, n), _path(draw, size, n))


def _keypoints(draw: st.DrawFn, size: ImageSize) -> Prediction:
    n = _count(draw)
    skeletons = []
    for i in range(n):
        seen = draw(arrays(np.float32, i + 1, elements=st.sampled_from([0.0, 1.0, 2.0])))
        skeletons.append(np.column_stack([_path(draw, size, i + 1), seen]))
    return Keypoints(*_scored(draw, n), tuple(skeletons))


def _masks(draw: st.DrawFn, _size: ImageSize) -> Prediction:
    n = _count(draw)
    codes = st.text("0123456789abcPQ`", min_size=1, max_size=9)
    return Masks(*_scored(draw, n), tuple(draw(codes) for _ in range(n)))


_KINDS = (_classification, _detections, _segmentation, _lines, _points, _keypoints, _masks)
