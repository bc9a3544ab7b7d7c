"""Predictions as a COCO data set: boxes become x, y, width, height; ids count from 1.

Evaluators read an id of 0 as "nothing", which quietly lowers every score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.extents import areas, boxes_around
from picsellia_jupyter.domain.predictions import (
    Classification,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    PredictedImage,
    Prediction,
    Segmentation,
)

Json = dict[str, Any]


def to_coco(images: Sequence[PredictedImage], labels: Mapping[int, str]) -> Json:
    """Spell predictions as a COCO data set.

    Args:
        images: in their order; the first has the id 1.
        labels: class index to label name; the category's id is the class index plus 1.

    Returns:
        `images`, `categories` and `annotations`. Each annotation has its raw `score`, so that
        `annotations` alone is what `COCO.loadRes` reads as results. Points are keypoints, one
        each; keypoints that are absent are zeros.

    Raises:
        InvalidInputError: lines, or classes of whole images, for which COCO has no form.
        InvalidPredictionError: a mask's code is broken.
    """
    annotations: list[Json] = []
    entries: list[Json] = []
    indices = set(labels)
    keypoints = 0
    for number, image in enumerate(images, start=1):
        entries.append(_image(image, number))
        indices.update(image.found.classes.tolist())
        keypoints = max(keypoints, _most_keypoints(image.found))
        for annotation in _annotations(image.found, image.size):
            annotations.append({"id": len(annotations) + 1, "image_id": number, **annotation})
    for annotation in annotations if keypoints else ():
        annotation["keypoints"] += [0] * (3 * keypoints - len(annotation["keypoints"]))
    categories = [_category(index, labels, keypoints) for index in sorted(indices)]
    return {"images": entries, "annotations": annotations, "categories": categories}


def segmentation_of(mask: str, size: ImageSize) -> Json:
    """A mask as COCO's compressed run-length code, which includes the photo's size."""
    return {"size": [size.height, size.width], "counts": mask}


def _image(image: PredictedImage, number: int) -> Json:
    return {
        "id": number,
        "file_name": image.source,
        "width": image.size.width,
        "height": image.size.height,
    }


def _category(index: int, labels: Mapping[int, str], keypoints: int) -> Json:
    category: Json = {"id": index + 1, "name": labels.get(index, f"class {index}")}
    if keypoints:
        names = [str(number) for number in range(1, keypoints + 1)]
        category |= {"keypoints": names, "skeleton": []}
    return category


def _annotations(found: Prediction, size: ImageSize) -> Iterator[Json]:
    if isinstance(found, (Lines, Classification)):
        raise InvalidInputError(
            f"COCO has no form for predictions of type {found.inference_type.title}.",
            "Take found.to_pandas(), or to_dict() of each image.",
        )
    boxes = boxes_around(found, size).astype(np.float64)
    covered = areas(found, size)
    for row in range(len(found)):
        left, top, right, bottom = boxes[row].tolist()
        yield {
            "category_id": int(found.classes[row]) + 1,
            "score": float(found.scores[row]),
            "bbox": [left, top, right - left, bottom - top],
            "area": float(covered[row]),
            "iscrowd": 0,
            **_geometry(found, row, size),
        }


def _geometry(found: Prediction, row: int, size: ImageSize) -> Json:
    if isinstance(found, Masks):
        return {"segmentation": segmentation_of(found.masks[row], size)}
    if isinstance(found, Segmentation):
        return {"segmentation": [found.polygons[row].astype(np.float64).ravel().tolist()]}
    if isinstance(found, Keypoints):
        return _keypoints(found.keypoints[row])
    if isinstance(found, Points):
        return _keypoints(np.append(found.points[row], 2)[None])
    return {}


def _keypoints(path: NDArray[np.floating[Any]]) -> Json:
    visible = np.rint(path[:, 2]).astype(int)
    there = visible > 0
    points: list[float] = []
    for (x, y), seen in zip(path[:, :2].astype(np.float64).tolist(), visible.tolist(), strict=True):
        points += [x, y, seen] if seen > 0 else [0, 0, 0]
    return {"keypoints": points, "num_keypoints": int(there.sum())}


def _most_keypoints(found: Prediction) -> int:
    if isinstance(found, Keypoints):
        return max((len(path) for path in found.keypoints), default=0)
    return 1 if isinstance(found, Points) and len(found) else 0
