"""What a model found in one image: seven prediction types, one class each.

Row i of every array of a prediction is the same object. Coordinates are pixels of the
upright photo (EXIF orientation applied), origin at the top-left corner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Self

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.registry import InferenceType


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Width and height of an upright photo, in pixels."""

    width: int
    height: int

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            if isinstance(side, bool) or not isinstance(side, int) or side < 1:
                raise InvalidPredictionError(
                    f"An image cannot be {self.width!r} x {self.height!r} pixels.",
                    "Give width and height as whole numbers of at least 1.",
                )


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What every prediction type has: N classes with their scores."""

    classes: NDArray[np.int64]
    """(N,) class indices, as the model counts them."""
    scores: NDArray[np.float32]
    """(N,) raw confidence in [0, 1], whatever the deployment's threshold."""

    inference_type: ClassVar[InferenceType] = InferenceType.NOT_CONFIGURED
    geometry: ClassVar[str | None] = None
    """Name of the field that holds the shapes; None for classification."""

    def __post_init__(self) -> None:
        _check_vector("classes", self.classes, np.integer)
        _check_vector("scores", self.scores, np.floating)
        if len(self.classes) != len(self.scores):
            raise InvalidPredictionError(
                f"There are {len(self.classes)} classes but {len(self.scores)} scores.",
                "Give one of each for every object.",
            )
        if len(self.scores) and not (self.scores.min() >= 0 and self.scores.max() <= 1):
            raise InvalidPredictionError(
                f"Scores lie in [0, 1]; got {self.scores.min():g} to {self.scores.max():g}.",
                "Pass logits through a sigmoid or softmax first.",
            )
        if len(self.classes) and int(self.classes.min()) < 0:
            raise InvalidPredictionError(
                f"Class indices count from 0; got {int(self.classes.min())}.",
                "Shift the labels (serving.json: label_offset).",
            )
        if self.geometry is not None and len(getattr(self, self.geometry)) != len(self.scores):
            raise InvalidPredictionError(
                f"There are {len(getattr(self, self.geometry))} {self.geometry} "
                f"but {len(self.scores)} scores.",
                "Give one of each for every object.",
            )

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | Sequence[int]) -> Self:
        """The objects at these rows (a mask or indices), in that order."""
        index = np.asarray(rows)
        picked = np.flatnonzero(index) if index.dtype == bool else index.astype(np.intp)
        kept: dict[str, object] = {"classes": self.classes[picked], "scores": self.scores[picked]}
        if self.geometry is not None:
            shapes = getattr(self, self.geometry)
            kept[self.geometry] = (
                shapes[picked]
                if isinstance(shapes, np.ndarray)
                else tuple(shapes[i] for i in picked)
            )
        return type(self)(**kept)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Classification(Prediction):
    """Classes of a whole image, the most confident first."""

    inference_type: ClassVar[InferenceType] = InferenceType.CLASSIFICATION


@dataclass(frozen=True, slots=True, eq=False)
class Detections(Prediction):
    """N boxes found in one image."""

    boxes_xyxy: NDArray[np.float32]
    """(N, 4) pixels: left, top, right, bottom."""

    inference_type: ClassVar[InferenceType] = InferenceType.OBJECT_DETECTION
    geometry: ClassVar[str | None] = "boxes_xyxy"

    def __post_init__(self) -> None:
        boxes = self.boxes_xyxy
        _check_matrix("boxes_xyxy", boxes, columns=4)
        upside_down = boxes[:, 2:] < boxes[:, :2]
        if upside_down.any():
            row = int(upside_down.any(axis=1).argmax())
            raise InvalidPredictionError(
                f"Box {row} is {boxes[row].tolist()}: right < left or bottom < top.",
                "Boxes are left, top, right, bottom in pixels; perhaps the axes are swapped.",
            )
        Prediction.__post_init__(self)


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation(Prediction):
    """N outlines found in one image."""

    polygons: tuple[NDArray[np.float32], ...]
    """N arrays of (K >= 3, 2) x, y pixels."""

    inference_type: ClassVar[InferenceType] = InferenceType.SEGMENTATION
    geometry: ClassVar[str | None] = "polygons"

    def __post_init__(self) -> None:
        _check_paths("polygons", self.polygons, columns=2, at_least=3)
        Prediction.__post_init__(self)


@dataclass(frozen=True, slots=True, eq=False)
class Lines(Prediction):
    """N open lines found in one image."""

    lines: tuple[NDArray[np.float32], ...]
    """N arrays of (K >= 2, 2) x, y pixels."""

    inference_type: ClassVar[InferenceType] = InferenceType.LINE
    geometry: ClassVar[str | None] = "lines"

    def __post_init__(self) -> None:
        _check_paths("lines", self.lines, columns=2, at_least=2)
        Prediction.__post_init__(self)


@dataclass(frozen=True, slots=True, eq=False)
class Points(Prediction):
    """N points found in one image."""

    points: NDArray[np.float32]
    """(N, 2) x, y pixels."""

    inference_type: ClassVar[InferenceType] = InferenceType.POINT
    geometry: ClassVar[str | None] = "points"

    def __post_init__(self) -> None:
        _check_matrix("points", self.points, columns=2)
        Prediction.__post_init__(self)


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints(Prediction):
    """N skeletons found in one image."""

    keypoints: tuple[NDArray[np.float32], ...]
    """N arrays of (K >= 1, 3): x, y pixels and visibility (0 absent, 1 hidden, 2 visible)."""

    inference_type: ClassVar[InferenceType] = InferenceType.KEYPOINT
    geometry: ClassVar[str | None] = "keypoints"

    def __post_init__(self) -> None:
        _check_paths("keypoints", self.keypoints, columns=3, at_least=1)
        Prediction.__post_init__(self)


@dataclass(frozen=True, slots=True, eq=False)
class Masks(Prediction):
    """N instance masks found in one image."""

    masks: tuple[str, ...]
    """N COCO compressed run-length codes (`counts`); their size is the image's."""

    inference_type: ClassVar[InferenceType] = InferenceType.MASK
    geometry: ClassVar[str | None] = "masks"

    def __post_init__(self) -> None:
        for row, mask in enumerate(self.masks):
            if not isinstance(mask, str) or not mask:
                raise InvalidPredictionError(
                    f"Mask {row} is {mask!r}.", "Give COCO compressed RLE strings."
                )
        Prediction.__post_init__(self)


PREDICTION_TYPES: Mapping[InferenceType, type[Prediction]] = {
    kind.inference_type: kind
    for kind in (Classification, Detections, Segmentation, Lines, Points, Keypoints, Masks)
}


def over_threshold(scores: NDArray[np.floating[Any]], threshold: float | None) -> NDArray[np.bool_]:
    """Which scores lie strictly over a threshold.

    Both are compared as float32, which is what models score in: 0.3 of float32, stored as
    float64, would be more than 0.3 of float64.

    Args:
        scores: (N,) in [0, 1], of any precision.
        threshold: in [0, 1]; None is under every score.

    Returns:
        (N,) True where the score is over it.
    """
    if threshold is None:
        return np.ones(len(scores), bool)
    over: NDArray[np.bool_] = scores.astype(np.float32) > np.float32(threshold)
    return over


def considered(found: Prediction, *, threshold: float | None) -> Prediction:
    """The objects a deployment considers: those scored strictly over its threshold.

    Args:
        found: everything the model found, N objects.
        threshold: in [0, 1]; None considers everything.

    Returns:
        M <= N objects, in their order. A classification comes back whole: no
        threshold ever applies to it.
    """
    if threshold is None or isinstance(found, Classification):
        return found
    return found.take(over_threshold(found.scores, threshold))


@dataclass(frozen=True, slots=True, eq=False)
class PredictedImage:
    """One image and what the model found in it."""

    source: str
    """The path, or the name the image was sent under."""
    size: ImageSize
    found: Prediction
    latency_s: float
    """Seconds the model took, decoding included."""
    prediction_id: str | None = None
    """The platform's id of the recorded prediction; None where it was not monitored."""
    model_version_id: str = ""
    """Of the model version that found it; empty where nobody said."""


@dataclass(frozen=True, slots=True)
class FailedImage:
    """An image that could not be predicted on; the others of its batch went on."""

    source: str
    reason: str
    """Fact and remedy, in words."""


def _check_vector(name: str, values: NDArray[np.generic], kind: type[Any]) -> None:
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise InvalidPredictionError(
            f"{name} has shape {np.shape(values)}, not (N,).", "Give a one-dimensional array."
        )
    if not issubclass(values.dtype.type, kind):
        raise InvalidPredictionError(
            f"{name} has dtype {values.dtype}, not {kind.__name__}.",
            f"Convert it: {name}.astype(…).",
        )
    if kind is np.floating:
        _check_finite(name, values)


def _check_matrix(name: str, values: NDArray[np.floating], *, columns: int) -> None:
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.shape[1] != columns:
        raise InvalidPredictionError(
            f"{name} has shape {np.shape(values)}, not (N, {columns}).",
            f"Empty ones too: np.zeros((0, {columns}), np.float32).",
        )
    _check_finite(name, values)


def _check_paths(
    name: str, paths: Sequence[NDArray[np.floating]], *, columns: int, at_least: int
) -> None:
    for row, path in enumerate(paths):
        if not isinstance(path, np.ndarray) or path.ndim != 2 or path.shape[1] != columns:
            raise InvalidPredictionError(
                f"{name}[{row}] has shape {np.shape(path)}, not (K, {columns}).",
                "Give nested points, [[x, y], …], not a flat list.",
            )
        if len(path) < at_least:
            raise InvalidPredictionError(
                f"{name}[{row}] has {len(path)} points.", f"It takes at least {at_least}."
            )
        _check_finite(name, path)


def _check_finite(name: str, values: NDArray[np.generic]) -> None:
    if not bool(np.isfinite(values).all()):
        raise InvalidPredictionError(
            f"{name} holds NaN or infinity.", "Check the model's output and its precision."
        )
