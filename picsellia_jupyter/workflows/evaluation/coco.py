"""COCO's evaluation behind one door, whichever library does it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import MissingExtraError
from picsellia_jupyter.domain.evaluation import ErrorTypes
from picsellia_jupyter.domain.ground_truth import EvaluationSet, Matches, Overlap
from picsellia_jupyter.workflows.evaluation.coco_format import most_detections

AREAS = ("all", "small", "medium", "large")


class Evaluation(Protocol):
    """One evaluation set, matched by COCO's rules."""

    @property
    def evaluator(self) -> str:
        """The library and its version."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the library had to say."""

    def precision(self) -> NDArray[np.float64]:
        """(T, R, C, A, M) at overlap, recall, label, area and most detections; -1: no truth."""

    def recall(self) -> NDArray[np.float64]:
        """(T, C, A, M) likewise."""

    def matches(self) -> Matches:
        """Which objects are right, at all T overlaps."""

    def confusion(self) -> NDArray[np.int64]:
        """(C + 1, C + 1) at an overlap of 0.5, whatever the labels; the last is background."""

    def errors(self) -> ErrorTypes | None:
        """Kinds of errors; None where the library does not tell them."""


def evaluate(data: EvaluationSet) -> Evaluation:
    """Match what was found with the ground truth: by hotcoco, else by pycocotools.

    Raises:
        MissingExtraError: neither is installed.
        InvalidInputError: the keypoints are of different numbers.
    """
    if find_spec("hotcoco") is not None:
        from picsellia_jupyter.workflows.evaluation.with_hotcoco import HotcocoEvaluation

        return HotcocoEvaluation(data)
    if find_spec("pycocotools") is not None:
        from picsellia_jupyter.workflows.evaluation.with_pycocotools import (
            PycocotoolsEvaluation,
        )

        return PycocotoolsEvaluation(data)
    raise MissingExtraError("Average precision", "hotcoco", "monitoring")


def summary(data: EvaluationSet, done: Evaluation) -> dict[str, float | None]:
    """COCO's twelve figures (ten of keypoints) by the platform's names; None: no ground truth."""
    precision, recall, most = done.precision(), done.recall(), most_detections(data)
    sizes = AREAS[2:] if data.overlap is Overlap.KEYPOINT else AREAS[1:]
    first = 1 if data.overlap is Overlap.KEYPOINT else 0
    at = {"ap_50_95": slice(None), "ap_50": slice(0, 1), "ap_75": slice(5, 6)}
    found = {name: mean(precision[ious, :, :, 0, -1]) for name, ious in at.items()}
    for area, size in enumerate(sizes, start=1):
        found[f"ap_{size}"] = mean(precision[:, :, :, area, -1])
    if first:
        for name, ious in at.items():
            found[f"{name.replace('ap', 'ar')}_det{most}"] = mean(recall[ious, :, 0, -1])
    else:
        for cap in (1, 10, most):
            column = (1, 10, most).index(cap)
            found[f"ar_50_95_det{cap}"] = mean(recall[:, :, 0, column])
    for area, size in enumerate(sizes, start=1):
        found[f"ar_{size}"] = mean(recall[:, :, area, -1])
    return found


def per_label(done: Evaluation) -> list[tuple[float | None, float | None]]:
    """AP at 0.50:0.95 and at 0.50 of each label; None: no ground truth."""
    precision = done.precision()[:, :, :, 0, -1]
    labels = range(precision.shape[2])
    return [(mean(precision[:, :, label]), mean(precision[:1, :, label])) for label in labels]


def mean(values: NDArray[np.float64]) -> float | None:
    """The mean of what is defined, as COCO does: -1 stands for what is not."""
    defined = values[values > -1]
    return float(np.mean(defined)) if len(defined) else None
