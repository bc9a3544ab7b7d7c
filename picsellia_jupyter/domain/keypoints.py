"""What is known of keypoints in general."""

from __future__ import annotations

COCO_SIGMAS = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107,
    0.087, 0.087, 0.089, 0.089,
)  # fmt: skip
"""Of the 17 keypoints of a person, https://cocodataset.org/#keypoints-eval: how far two people
who mark one differ, as a share of the object's size."""


def sigmas_of(count: int) -> tuple[float, ...]:
    """One a keypoint: COCO's for 17, else their mean, since nothing better is known."""
    if count == len(COCO_SIGMAS):
        return COCO_SIGMAS
    return (sum(COCO_SIGMAS) / len(COCO_SIGMAS),) * count
