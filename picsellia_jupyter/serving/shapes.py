"""Predictions as JSON between worker and front, with full precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from picsellia_jupyter.domain.predictions import Classification, Detections, Prediction
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.channel import Json


def to_json(found: Prediction) -> Json:
    """Spell what was found in one image."""
    raw: Json = {
        "type": found.inference_type.value,
        "classes": found.classes.tolist(),
        "scores": found.scores.tolist(),
    }
    if isinstance(found, Detections):
        raw["boxes_xyxy"] = found.boxes_xyxy.tolist()
    return raw


def from_json(raw: Mapping[str, Any]) -> Prediction:
    """Read what `to_json` wrote.

    Raises:
        KeyError: something is missing.
        TypeError: something is of another type.
        ValueError: the values are no prediction.
        InvalidPredictionError: likewise.
    """
    classes = np.asarray(raw["classes"], dtype=np.int64)
    scores = np.asarray(raw["scores"], dtype=np.float32)
    if raw["type"] == InferenceType.CLASSIFICATION.value:
        return Classification(classes, scores)
    if raw["type"] != InferenceType.OBJECT_DETECTION.value:
        raise ValueError(raw["type"])
    boxes = np.asarray(raw["boxes_xyxy"], dtype=np.float32).reshape(-1, 4)
    return Detections(classes, scores, boxes)
