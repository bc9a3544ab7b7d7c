"""What a model found beside what is really there: the input of an evaluation.

Objects are kept flat, over all images; row i of every array is the same object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.evaluation import UNKNOWN
from picsellia_jupyter.domain.predictions import ImageSize, Prediction


class Overlap(str, Enum):
    """How the likeness of two objects is measured, by COCO's own names."""

    BOX = "bbox"
    """Intersection over union of their boxes."""
    MASK = "segm"
    """Intersection over union of their pixels."""
    KEYPOINT = "keypoints"
    """Object keypoint similarity."""


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """N objects of one side: the ground truth, or what a model found."""

    image_of: NDArray[np.int64]
    """(N,) row of the image each is in."""
    classes: NDArray[np.int64]
    """(N,) row of its label."""
    scores: NDArray[np.float64]
    """(N,) raw confidence in [0, 1]; of no meaning in the ground truth."""
    shapes: NDArray[np.float64] | tuple[str | NDArray[np.float32], ...]
    """Boxes: (N, 4) left, top, width, height in pixels. Masks: N COCO run-length codes or (K, 2)
    polygons. Keypoints: (N, K, 3) x, y in pixels and visibility."""
    areas: NDArray[np.float64] | None = None
    """(N,) square pixels, which decide what is small; None takes those of the shapes."""
    crowd: NDArray[np.bool_] | None = None
    """(N,) whether it stands for many, of which any number may be found; None: none does."""

    def __post_init__(self) -> None:
        count = len(self.scores)
        if not len(self.image_of) == len(self.classes) == len(self.shapes) == count:
            raise InvalidInputError(
                f"There are {len(self.image_of)} images, {len(self.classes)} classes, "
                f"{count} scores and {len(self.shapes)} shapes of objects.",
                "Give one of each for every object.",
            )
        if not bool(np.isfinite(self.scores).all()):
            row = int(np.flatnonzero(~np.isfinite(self.scores))[0])
            raise InvalidInputError(
                f"The score of object {row} is {self.scores[row]}, which has no rank.",
                "Leave the object out, or mend the model that scores so.",
            )

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: NDArray[np.bool_]) -> Objects:
        """The objects where a mask of (N,) is true, in their order."""
        kept = np.flatnonzero(rows)
        shapes = self.shapes
        return Objects(
            self.image_of[kept],
            self.classes[kept],
            self.scores[kept],
            shapes[kept] if isinstance(shapes, np.ndarray) else tuple(shapes[i] for i in kept),
            None if self.areas is None else self.areas[kept],
            None if self.crowd is None else self.crowd[kept],
        )


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationSet:
    """I images with their ground truth and what one model found in them."""

    sizes: Sequence[ImageSize]
    """Of the I upright photos."""
    labels: Sequence[str]
    """C names; classes of both sides are rows of it."""
    truth: Objects
    found: Objects
    overlap: Overlap
    max_detections: int | None = None
    """Of an image and label so many count, the most confident; None takes COCO's: 100, and 20
    of keypoints."""
    sigmas: Sequence[float] | None = None
    """Per keypoint, how far two people differ on it, as a share of the object's size; None
    takes COCO's."""

    def __post_init__(self) -> None:
        for side in (self.truth, self.found):
            _check_rows("image", side.image_of, len(self.sizes))
            _check_rows("label", side.classes, len(self.labels))

    def over(self, kept: NDArray[np.bool_]) -> EvaluationSet:
        """The same with some of what was found; `kept` is (D,)."""
        return EvaluationSet(
            self.sizes,
            self.labels,
            self.truth,
            self.found.take(kept),
            self.overlap,
            self.max_detections,
            self.sigmas,
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClassifiedImages:
    """I images with their true class and a model's confidence in every class."""

    labels: Sequence[str]
    """C names."""
    truth: NDArray[np.int64]
    """(I,) rows of `labels`."""
    scores: NDArray[np.float64]
    """(I, C) in [0, 1]; 0 for a class that the model does not name."""

    def __post_init__(self) -> None:
        if self.scores.shape != (len(self.truth), len(self.labels)):
            raise InvalidInputError(
                f"The scores have shape {self.scores.shape}, "
                f"not ({len(self.truth)}, {len(self.labels)}).",
                "Give one score for every image and label.",
            )
        if not bool(np.isfinite(self.scores).all()):
            row, column = np.argwhere(~np.isfinite(self.scores))[0]
            raise InvalidInputError(
                f"The score of image {row} and label {column} is {self.scores[row, column]}, "
                "which has no rank.",
                "Leave the image out, or mend the model that scores so.",
            )
        _check_rows("label", self.truth, len(self.labels))

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """Objects of one image by the names of their labels, which outlive model versions."""

    labels: tuple[str, ...]
    """(N,)"""
    objects: Prediction
    """N objects, whose class indices are of no meaning."""

    def only(self, label: str) -> Named:
        """The objects of one label."""
        kept = [row for row, name in enumerate(self.labels) if name == label]
        return Named((label,) * len(kept), self.objects.take(kept))


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedImage:
    """One image that somebody reviewed, with what the models found in it."""

    id: str
    """Of the prediction."""
    at: float
    """When it was predicted, seconds since the epoch, UTC."""
    size: ImageSize
    truth: Named
    champion: Named
    shadow: Named | None = None
    champion_model: str = ""
    """Title of the model version, such as `digits-detector:0`."""
    shadow_model: str = ""
    sampling: str = UNKNOWN
    """How it was chosen for review: `random`, `uncertain`, …"""

    def only(self, label: str) -> ReviewedImage:
        """The same image with the objects of one label, on every side."""
        shadow = self.shadow.only(label) if self.shadow else None
        truth, champion = self.truth.only(label), self.champion.only(label)
        return replace(self, truth=truth, champion=champion, shadow=shadow)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Which of D objects that were found are right, at T overlaps."""

    overlaps: NDArray[np.float64]
    """(T,) least overlap of a right one, in (0, 1]."""
    image_of: NDArray[np.int64]
    """(D,)"""
    classes: NDArray[np.int64]
    """(D,)"""
    scores: NDArray[np.float64]
    """(D,)"""
    right: NDArray[np.bool_]
    """(T, D) whether it has a partner of its own in the ground truth."""
    counted: NDArray[np.bool_]
    """(T, D) False for what lies on a crowd, and for what is beyond the most confident."""
    truth_counts: NDArray[np.int64]
    """(I, C) objects of the ground truth that count."""


def _check_rows(kind: str, rows: NDArray[np.int64], count: int) -> None:
    if len(rows) and not (rows.min() >= 0 and rows.max() < count):
        wrong = int(rows[(rows < 0) | (rows >= count)][0])
        raise InvalidInputError(
            f"An object is of {kind} {wrong}; there are {count}.", f"Rows count from 0 to {count}."
        )
