"""An evaluation set in the form that COCO's evaluators read."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.ground_truth import EvaluationSet, Objects, Overlap
from picsellia_jupyter.domain.keypoints import COCO_SIGMAS, sigmas_of
from picsellia_jupyter.domain.predictions import ImageSize

Annotation = dict[str, Any]

WITHOUT_LIMIT = 1_000_000
"""Detections of an image, where all of them count."""


def images(data: EvaluationSet) -> list[Annotation]:
    """Images with ids from 1: evaluators take 0 for "no match"."""
    return [
        {"id": row, "width": size.width, "height": size.height}
        for row, size in enumerate(data.sizes, start=1)
    ]


def categories(data: EvaluationSet) -> list[Annotation]:
    """Labels as categories, with ids from 1."""
    return [{"id": row, "name": name} for row, name in enumerate(data.labels, start=1)]


def truth(data: EvaluationSet, masks: ModuleType) -> list[Annotation]:
    """The ground truth, with ids from 1.

    Args:
        data: what is evaluated.
        masks: the evaluator's own module for run-length codes.
    """
    side = data.truth
    shapes = _spelled(data, side, masks)
    crowd = np.zeros(len(side), bool) if side.crowd is None else side.crowd
    given = side.areas if side.areas is not None else areas(data, side, shapes, masks)
    rows = zip(_common(side), shapes, given.tolist(), crowd.tolist(), strict=True)
    return [
        {**common, **shape, "id": row, "area": area, "iscrowd": int(many)}
        for row, (common, shape, area, many) in enumerate(rows, start=1)
    ]


def found(data: EvaluationSet, masks: ModuleType) -> list[Annotation]:
    """What was found, as results; the evaluator numbers them from 1 in this order."""
    side = data.found
    shapes = _spelled(data, side, masks)
    rows = zip(_common(side), shapes, side.scores.tolist(), strict=True)
    return [{**common, **shape, "score": score} for common, shape, score in rows]


def areas(
    data: EvaluationSet, side: Objects, shapes: Sequence[Annotation], masks: ModuleType
) -> NDArray[np.float64]:
    """(N,) square pixels of the objects' shapes; of keypoints, of the box around them."""
    if data.overlap is Overlap.BOX:
        boxes = cast("NDArray[np.float64]", side.shapes)
        return np.asarray(boxes[:, 2] * boxes[:, 3])
    if not shapes:
        return np.zeros(0)
    if data.overlap is Overlap.MASK:
        return np.asarray(masks.area([shape["segmentation"] for shape in shapes]), np.float64)
    return np.array([shape["bbox"][2] * shape["bbox"][3] for shape in shapes], np.float64)


def counting(data: EvaluationSet) -> NDArray[np.int64]:
    """(I, C) objects of the ground truth that can be found or missed."""
    side = data.truth
    kept = np.ones(len(side), bool) if side.crowd is None else ~side.crowd
    if data.overlap is Overlap.KEYPOINT and len(side):
        kept = kept & (_keypoints(side)[:, :, 2] > 0).any(axis=1)
    counts = np.zeros((len(data.sizes), len(data.labels)), np.int64)
    np.add.at(counts, (side.image_of[kept], side.classes[kept]), 1)
    return counts


def most_detections(data: EvaluationSet) -> int:
    """How many of an image and label count at most."""
    usual = 20 if data.overlap is Overlap.KEYPOINT else 100
    most = usual if data.max_detections is None else data.max_detections
    if most < 1:
        raise InvalidInputError(f"max_detections is {most}.", "Count at least one: 100 is usual.")
    return most


def caps(data: EvaluationSet) -> list[int]:
    """The numbers of detections at which recall is told, ascending."""
    most = most_detections(data)
    return [most] if data.overlap is Overlap.KEYPOINT else [min(1, most), min(10, most), most]


def sigmas(data: EvaluationSet) -> list[float]:
    """Per keypoint; COCO's for 17, else their mean for each: nothing better is known."""
    if data.sigmas is not None:
        return list(data.sigmas)
    sides = [side for side in (data.truth, data.found) if len(side)]
    return list(sigmas_of(_keypoints(sides[0]).shape[1] if sides else len(COCO_SIGMAS)))


def rle(shape: str | NDArray[np.float32], size: ImageSize, masks: ModuleType) -> Annotation:
    """A mask or polygon as a COCO run-length code of its photo."""
    if isinstance(shape, str):
        return {"size": [size.height, size.width], "counts": shape}
    outline = [np.asarray(shape, np.float64).ravel().tolist()]
    return cast("Annotation", masks.frPyObjects(outline, size.height, size.width)[0])


def _common(side: Objects) -> list[Annotation]:
    pairs = zip((side.image_of + 1).tolist(), (side.classes + 1).tolist(), strict=True)
    return [{"image_id": image, "category_id": category} for image, category in pairs]


def _spelled(data: EvaluationSet, side: Objects, masks: ModuleType) -> list[Annotation]:
    if data.overlap is Overlap.BOX:
        return [{"bbox": box} for box in np.asarray(side.shapes).tolist()]
    if data.overlap is Overlap.MASK:
        shapes = cast("tuple[str | NDArray[np.float32], ...]", side.shapes)
        owned = zip(shapes, side.image_of.tolist(), strict=True)
        return [{"segmentation": rle(shape, data.sizes[row], masks)} for shape, row in owned]
    return [_skeleton(points) for points in _keypoints(side)] if len(side) else []


def _skeleton(points: NDArray[np.float64]) -> Annotation:
    seen = points[:, 2] > 0
    framed = points[seen, :2] if seen.any() else points[:, :2]
    low, high = framed.min(axis=0), framed.max(axis=0)
    return {
        "keypoints": points.ravel().tolist(),
        "num_keypoints": int(seen.sum()),
        "bbox": [*low.tolist(), *(high - low).tolist()],
    }


def _keypoints(side: Objects) -> NDArray[np.float64]:
    """(N, K, 3); all objects have the same number of keypoints.

    Raises:
        InvalidInputError: they do not.
    """
    counts = {len(shape) for shape in side.shapes}
    if len(counts) > 1:
        raise InvalidInputError(
            f"There are objects of {min(counts)} and of {max(counts)} keypoints.",
            "Give every object all its keypoints; those that are absent have visibility 0.",
        )
    return np.asarray(side.shapes, np.float64)
