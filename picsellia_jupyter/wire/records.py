"""A predicted image as one JSON object for people and their own programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    Keypoints,
    Lines,
    Masks,
    Points,
    PredictedImage,
    Prediction,
    Segmentation,
    over_threshold,
)
from picsellia_jupyter.domain.registry import label_name
from picsellia_jupyter.wire.coco import segmentation_of

Json = dict[str, Any]


def image_to_record(
    image: PredictedImage, labels: Mapping[int, str], threshold: float | None
) -> Json:
    """Spell a predicted image with all its shapes and raw scores.

    Returns:
        Plain JSON. Coordinates are pixels of the upright photo; `box_xyxy` is left, top,
        right, bottom; `considered` says whether a score lies over the threshold.
    """
    found = image.found
    kept = over_threshold(found.scores, None if isinstance(found, Classification) else threshold)
    return {
        "image": image.source,
        "width": image.size.width,
        "height": image.size.height,
        "type": found.inference_type.value,
        "prediction_id": image.prediction_id,
        "latency_s": image.latency_s,
        "threshold": threshold,
        "shapes": [
            {
                "label": label_name(labels, index),
                "class_index": index,
                "score": score,
                "considered": bool(kept[row]),
                **_geometry(image, found, row),
            }
            for row, (index, score) in enumerate(
                zip(found.classes.tolist(), found.scores.tolist(), strict=True)
            )
        ],
    }


def _geometry(image: PredictedImage, found: Prediction, row: int) -> Json:
    if isinstance(found, Masks):
        return {"mask": segmentation_of(found.masks[row], image.size)}
    for kind, key, shapes in _PLAIN:
        if isinstance(found, kind):
            return {key: np.asarray(getattr(found, shapes)[row], np.float64).tolist()}
    return {}


_PLAIN: tuple[tuple[type[Prediction], str, str], ...] = (
    (Detections, "box_xyxy", "boxes_xyxy"),
    (Segmentation, "polygon", "polygons"),
    (Lines, "line", "lines"),
    (Points, "point", "points"),
    (Keypoints, "keypoints", "keypoints"),
)
