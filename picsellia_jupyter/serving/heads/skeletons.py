"""Keypoints of objects on the photo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.predictions import Keypoints
from picsellia_jupyter.serving.pixels import Placement

_SEEN = 0.5
"""Confidence from which a keypoint is there."""
_ABSENT, _VISIBLE = 0.0, 2.0


def skeletons(
    classes: NDArray[np.int64],
    scores: NDArray[np.float32],
    points: NDArray[np.float32],
    placement: Placement,
) -> Keypoints:
    """M objects with K keypoints each.

    Args:
        classes: (M,).
        scores: (M,).
        points: (M, K, 2 or 3) x, y in pixels of the input, and a confidence where it is told:
            from 0.5 on a keypoint counts as visible (2), under it as absent (0).
        placement: of the photo in the input.
    """
    xy = placement.points_to_photo(points[..., :2])
    confident = points[..., 2:] >= _SEEN if points.shape[-1] > 2 else np.ones_like(xy[..., :1]) > 0
    visibility = np.where(confident, _VISIBLE, _ABSENT).astype(np.float32)
    return Keypoints(classes, scores, tuple(np.concatenate([xy, visibility], axis=-1)))
