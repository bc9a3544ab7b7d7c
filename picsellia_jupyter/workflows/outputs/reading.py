"""A prediction from whatever a user's model put out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import (
    PREDICTION_TYPES,
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
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.workflows.outputs import boxes, classes
from picsellia_jupyter.workflows.outputs.columns import Columns, plain, read
from picsellia_jupyter.workflows.outputs.labelling import Labelling

_Classes = NDArray[np.int64]
_Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a model's outputs are read for a deployment."""

    kind: InferenceType
    """What the deployment predicts."""
    labelling: Labelling
    convention: str = "xyxy"
    """Of boxes, where their framework has not one of its own."""
    normalized: bool = False
    """Whether coordinates are fractions of the photo's sides, where that is not known either."""

    def __post_init__(self) -> None:
        boxes.check_convention(self.convention)
        if self.kind not in PREDICTION_TYPES:
            raise InvalidPredictionError(
                f"There is no form for predictions of the type {self.kind.title}.",
                f"There is one for {', '.join(kind.title for kind in PREDICTION_TYPES)}.",
            )

    def prediction(self, given: Any, size: ImageSize) -> Prediction:
        """What was found in one image.

        Args:
            given: what the model put out for it; `columns.read` says what may be. One of our
                own predictions is taken as it is.
            size: of the upright photo.

        Raises:
            InvalidPredictionError: it is no prediction of the deployment's type.
        """
        if isinstance(given, Prediction):
            return self._checked(given)
        if self.kind is InferenceType.CLASSIFICATION:
            said, given_scores = classes.read(given)
            return Classification(self.labelling.indices(said), _scores(given_scores))
        columns = read(self.kind, given)
        labels, scores = self.labelling.indices(_row(columns.labels)), _scores(columns.scores)
        _check_lengths(len(columns.shapes), len(scores), len(labels))
        return _SHAPED[self.kind](self, labels, scores, columns, size)

    def _checked(self, given: Prediction) -> Prediction:
        if given.inference_type is not self.kind:
            raise InvalidPredictionError(
                f"The prediction is of the type {given.inference_type.title}, the deployment of "
                f"the type {self.kind.title}.",
                f"Give a picsellia_jupyter {PREDICTION_TYPES[self.kind].__name__}.",
            )
        self.labelling.indices(given.classes)
        return given

    def _scale(self, size: ImageSize) -> NDArray[np.float64]:
        return np.array((size.width, size.height) if self.normalized else (1.0, 1.0))


def _detections(
    how: Reading, labels: _Classes, scores: _Scores, columns: Columns, size: ImageSize
) -> Prediction:
    given = _matrix("Box", columns.shapes, 4)
    convention = columns.convention or how.convention
    normalized = how.normalized and columns.convention is None
    return Detections(labels, scores, boxes.to_xyxy(given, size, convention, normalized=normalized))


def _points(
    how: Reading, labels: _Classes, scores: _Scores, columns: Columns, size: ImageSize
) -> Prediction:
    points = _matrix("Point", columns.shapes, 2) * how._scale(size)
    return Points(labels, scores, points.astype(np.float32))


def _masks(
    _how: Reading, labels: _Classes, scores: _Scores, columns: Columns, size: ImageSize
) -> Prediction:
    codes = tuple(_code(row, mask, size) for row, mask in enumerate(columns.shapes))
    return Masks(labels, scores, codes)


def _code(row: int, mask: Any, size: ImageSize) -> str:
    """A mask as a run-length code: one already, or an (H, W) array of the photo's size."""
    if isinstance(mask, str):
        rle.check(mask, size)
        return mask
    dense = np.asarray(plain(mask))
    if dense.ndim == 3 and dense.shape[0] == 1:
        dense = dense[0]
    if dense.shape != (size.height, size.width):
        raise InvalidPredictionError(
            f"Mask {row} has shape {dense.shape}, the image ({size.height}, {size.width}).",
            "Give masks of the image's own height and width, or COCO compressed codes.",
        )
    return rle.encode(dense > 0.5 if dense.dtype.kind == "f" else dense.astype(bool), size)


def _paths(
    make: Callable[..., Prediction], noun: str, columns_each: int
) -> Callable[..., Prediction]:
    def shaped(
        how: Reading, labels: _Classes, scores: _Scores, columns: Columns, size: ImageSize
    ) -> Prediction:
        scale = np.append(how._scale(size), 1.0)[:columns_each]
        normalized = columns.convention is None
        paths = tuple(
            (_path(noun, row, path, columns_each) * (scale if normalized else 1.0)).astype(
                np.float32
            )
            for row, path in enumerate(columns.shapes)
        )
        return make(labels, scores, paths)

    return shaped


def _path(noun: str, row: int, path: Any, columns: int) -> NDArray[np.float64]:
    points = _array(f"{noun} {row}", plain(path))
    if points.ndim != 2 or points.shape[1] != columns:
        layout = "[[x, y], …]" if columns == 2 else "[[x, y, visibility], …]"
        raise InvalidPredictionError(
            f"{noun} {row} has shape {points.shape}, not (K, {columns}).", f"Give {layout}."
        )
    if not np.isfinite(points).all():
        raise InvalidPredictionError(
            f"{noun} {row} has NaN or infinity: {points[~np.isfinite(points).all(axis=1)][0]}.",
            "Check the model's output and its precision.",
        )
    return points


def _matrix(noun: str, rows: Any, columns: int) -> NDArray[np.float64]:
    for number, row in enumerate(rows if isinstance(rows, (list, tuple)) else ()):
        if np.size(row) != columns:
            raise InvalidPredictionError(
                f"{noun} {number} has {np.size(row)} numbers, not {columns}: {row!r}.",
                f"Give {columns} for each object.",
            )
    matrix = _array(f"The {noun.lower()}es" if noun == "Box" else "The points", rows)
    if matrix.size and (matrix.ndim != 2 or matrix.shape[1] != columns):
        raise InvalidPredictionError(
            f"The shapes have the shape {matrix.shape}, not (N, {columns}).",
            f"Give {columns} numbers for each object.",
        )
    return matrix.reshape(-1, columns)


def _array(what: str, values: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidPredictionError(
            f"{what} cannot be read as numbers ({error}).", "Give plain numbers or arrays."
        ) from None


def _scores(given: Any) -> _Scores:
    scores = _array("The scores", _row(plain(given))).reshape(-1)
    wrong = ~((scores >= 0) & (scores <= 1))
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidPredictionError(
            f"Score {row} is {scores[row]:g}, which is not in [0, 1].",
            "Pass logits through a sigmoid or softmax first.",
        )
    return scores.astype(np.float32)


def _row(values: Any) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise InvalidPredictionError(
            f"{values!r} is no column of scores or labels.", "Give a list, one for every object."
        ) from None


def _check_lengths(shapes: int, scores: int, labels: int) -> None:
    if not shapes == scores == labels:
        raise InvalidPredictionError(
            f"There are {shapes} shapes, {scores} scores and {labels} labels.",
            "Give one of each for every object.",
        )


_Shaped = Callable[[Reading, _Classes, _Scores, Columns, ImageSize], Prediction]
_SHAPED: Mapping[InferenceType, _Shaped] = {
    InferenceType.OBJECT_DETECTION: _detections,
    InferenceType.POINT: _points,
    InferenceType.MASK: _masks,
    InferenceType.SEGMENTATION: _paths(Segmentation, "Polygon", 2),
    InferenceType.LINE: _paths(Lines, "Line", 2),
    InferenceType.KEYPOINT: _paths(Keypoints, "Skeleton", 3),
}
