"""Which prediction found which object of the ground truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.keypoints import sigmas_of
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

AT_LEAST = 0.5
"""Likeness from which on two shapes may be the same object."""
_NEAR = 0.04
"""Points this share of the photo's longer side apart are not alike at all."""
_LINE_SAMPLES = 16

LIKENESSES: Mapping[type[Prediction], str] = {
    Detections: "IoU",
    Segmentation: "IoU",
    Masks: "IoU",
    Keypoints: "OKS",
    Lines: "closeness",
    Points: "closeness",
}
"""What the likeness of two shapes is called."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """For each of N predictions the object of the ground truth that it found."""

    truth: NDArray[np.int64]
    """(N,) row in the ground truth, -1 where there is none."""
    likeness: NDArray[np.float64]
    """(N,) in [0, 1]: IoU of boxes, outlines and masks; 0 where there is no match."""


def match(found: Prediction, truth: Prediction, size: ImageSize) -> Pairs:
    """Match predictions to ground truth, the most confident first, as COCO does.

    Each takes the most alike object of its class that is still free. A threshold only
    ever removes the last of them, so the matches hold for every threshold.

    Args:
        found: N predictions with raw scores.
        truth: objects of the ground truth, of the same type.
        size: the upright photo's.
    """
    matches = Pairs(np.full(len(found), -1), np.zeros(len(found)))
    if type(found) is not type(truth):
        return matches
    if isinstance(found, Classification):
        return _match_classes(found, truth, matches)
    likeness_to = _LIKENESS[type(found)](found, truth, size)
    free = np.ones(len(truth), bool)
    for row in np.argsort(-found.scores, kind="stable"):
        candidates = np.flatnonzero(free & (truth.classes == found.classes[row]))
        if not len(candidates):
            continue
        likeness = likeness_to(int(row), candidates)
        best = int(np.argmax(likeness))
        if likeness[best] >= AT_LEAST:
            matches.truth[row], matches.likeness[row] = candidates[best], likeness[best]
            free[candidates[best]] = False
    return matches


def _match_classes(found: Prediction, truth: Prediction, matches: Pairs) -> Pairs:
    """Only the first class of an image counts."""
    if len(found) and len(truth) and found.classes[0] == truth.classes[0]:
        matches.truth[0], matches.likeness[0] = 0, 1
    return matches


Likeness = Callable[[int, NDArray[np.intp]], NDArray[np.float64]]
"""A prediction's row and rows (C,) of the ground truth to their likeness (C,)."""


def _boxes(found: Any, truth: Any, size: ImageSize) -> Likeness:
    del size
    return _box_likeness(found.boxes_xyxy, truth.boxes_xyxy)


def _box_likeness(ones: NDArray[Any], others: NDArray[Any]) -> Likeness:
    ones, others = ones.astype(float), others.astype(float)

    def likeness(row: int, candidates: NDArray[np.intp]) -> NDArray[np.float64]:
        mine, theirs = ones[row], others[candidates]
        low = np.maximum(mine[:2], theirs[:, :2])
        high = np.minimum(mine[2:], theirs[:, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        both = (mine[2:] - mine[:2]).prod() + (theirs[:, 2:] - theirs[:, :2]).prod(axis=1)
        return _ratio(shared, both - shared)

    return likeness


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """Pixels of a photo as R runs of their numbers, in rising order."""

    starts: NDArray[np.float64]
    """(R,) first of each run."""
    ends: NDArray[np.float64]
    """(R,) behind the last of each."""

    @property
    def area(self) -> float:
        return float((self.ends - self.starts).sum())

    def shared(self, other: _Region) -> float:
        """How many pixels two regions have in common."""
        if not len(self.starts) or not len(other.starts):
            return 0.0
        # How many of the other's pixels come before a number rises along its runs only.
        numbers = np.column_stack([other.starts, other.ends]).ravel()
        lengths = other.ends - other.starts
        before = np.column_stack([np.cumsum(lengths) - lengths, np.cumsum(lengths)]).ravel()
        upto = np.interp(np.stack([self.starts, self.ends]), numbers, before)
        return float((upto[1] - upto[0]).sum())


def _masks(found: Any, truth: Any, size: ImageSize) -> Likeness:
    ones, others = (
        [_region_of_mask(code, size) for code in layer.masks] for layer in (found, truth)
    )
    return _region_likeness(ones, others)


def _region_of_mask(code: str, size: ImageSize) -> _Region:
    bounds = np.concatenate([[0], np.cumsum(rle.runs(code, size))]).astype(float)
    starts, ends = bounds[1:-1:2], bounds[2::2]
    return _Region(starts, ends)


def _polygons(found: Any, truth: Any, size: ImageSize) -> Likeness:
    ones, others = (
        [_region_of_polygon(polygon, size) for polygon in layer.polygons]
        for layer in (found, truth)
    )
    return _region_likeness(ones, others)


def _region_of_polygon(polygon: NDArray[np.floating[Any]], size: ImageSize) -> _Region:
    """Pixels whose middle lies inside an outline, by the even-odd rule, along the rows."""
    points = polygon.astype(float)
    ends = np.roll(points, -1, axis=0)
    first = max(0, math.floor(points[:, 1].min()))
    last = min(size.height, math.ceil(points[:, 1].max()))
    bounds = [np.zeros(0)]
    for row in range(first, last):
        middle = row + 0.5
        crosses = (points[:, 1] > middle) != (ends[:, 1] > middle)
        one, other = points[crosses], ends[crosses]
        share = (middle - one[:, 1]) / (other[:, 1] - one[:, 1])
        columns = np.sort(one[:, 0] + share * (other[:, 0] - one[:, 0]))
        bounds.append(row * size.width + np.clip(np.ceil(columns - 0.5), 0, size.width))
    flat = np.concatenate(bounds)
    return _Region(flat[::2], flat[1::2])


def _region_likeness(ones: Sequence[_Region], others: Sequence[_Region]) -> Likeness:
    areas = np.array([region.area for region in others])

    def likeness(row: int, candidates: NDArray[np.intp]) -> NDArray[np.float64]:
        mine = ones[row]
        shared = np.array([mine.shared(others[column]) for column in candidates])
        return _ratio(shared, mine.area + areas[candidates] - shared)

    return likeness


def _keypoints(found: Any, truth: Any, size: ImageSize) -> Likeness:
    """Object keypoint similarity, the area being that around the points."""
    del size

    def likeness(row: int, candidates: NDArray[np.intp]) -> NDArray[np.float64]:
        mine = found.keypoints[row]
        return np.array([_similarity(mine, truth.keypoints[c]) for c in candidates], float)

    return likeness


def _similarity(mine: NDArray[Any], theirs: NDArray[Any]) -> float:
    labelled = theirs[:, 2] > 0
    if len(mine) != len(theirs) or not labelled.any():
        return 0.0
    there = theirs[labelled, :2].astype(float)
    area = float(np.prod(np.maximum(np.ptp(there, axis=0), 1)))
    squares = ((mine[labelled, :2] - there) ** 2).sum(axis=1)
    sigmas = np.array(sigmas_of(len(theirs)))[labelled]
    return float(np.exp(-squares / (2 * area * (2 * sigmas) ** 2)).mean())


def _points(found: Any, truth: Any, size: ImageSize) -> Likeness:
    return _closeness(found.points[:, None], truth.points[:, None], size)


def _lines(found: Any, truth: Any, size: ImageSize) -> Likeness:
    ones, others = (
        np.array([_sampled(line) for line in layer.lines]).reshape(-1, _LINE_SAMPLES, 2)
        for layer in (found, truth)
    )
    return _closeness(ones, others, size)


def _sampled(line: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """(16, 2) points at equal distances along a line."""
    lengths = np.hypot(*np.diff(line.astype(float), axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0, along[-1], _LINE_SAMPLES)
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)])


def _closeness(ones: NDArray[Any], others: NDArray[Any], size: ImageSize) -> Likeness:
    """1 where points coincide, 0 from 4 % of the photo's longer side on; lines either way round."""
    reach = _NEAR * max(size.width, size.height)

    def likeness(row: int, candidates: NDArray[np.intp]) -> NDArray[np.float64]:
        theirs = others[candidates]
        apart = [
            np.hypot(*(way - ones[row]).transpose(2, 0, 1)).mean(axis=1)
            for way in (theirs, theirs[:, ::-1])
        ]
        near: NDArray[np.float64] = np.clip(1 - np.minimum(*apart) / reach, 0, 1)
        return near

    return likeness


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


_LIKENESS: Mapping[type[Prediction], Callable[[Any, Any, ImageSize], Likeness]] = {
    Detections: _boxes,
    Segmentation: _polygons,
    Masks: _masks,
    Keypoints: _keypoints,
    Lines: _lines,
    Points: _points,
}
