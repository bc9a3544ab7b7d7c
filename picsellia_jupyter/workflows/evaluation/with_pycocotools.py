"""COCO's evaluation by pycocotools, where hotcoco is missing: the same figures, slower."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.evaluation import ErrorTypes
from picsellia_jupyter.domain.ground_truth import EvaluationSet, Matches, Overlap
from picsellia_jupyter.workflows.evaluation import coco_format

_NO_ERROR_TYPES = "Kinds of errors are told by hotcoco: pip install 'picsellia_jupyter[monitoring]'"


class PycocotoolsEvaluation:
    """One evaluation set, matched by pycocotools, which reports on stdout and is not let to."""

    def __init__(self, data: EvaluationSet) -> None:
        self._data = data
        self.evaluator = f"pycocotools {version('pycocotools')}"
        self.notices = (_NO_ERROR_TYPES,)
        self._eval = self._run(use_labels=True)

    def precision(self) -> NDArray[np.float64]:
        """(T, R, C, A, M)."""
        return np.asarray(self._eval.eval["precision"])

    def recall(self) -> NDArray[np.float64]:
        """(T, C, A, M)."""
        return np.asarray(self._eval.eval["recall"])

    def matches(self) -> Matches:
        """Which objects are right."""
        side, ious = self._data.found, np.asarray(self._eval.params.iouThrs)
        right = np.zeros((len(ious), len(side)), bool)
        counted = np.zeros_like(right)
        for told in _of_all_areas(self._eval):
            rows = np.asarray(told["dtIds"], np.int64) - 1
            kept = ~np.asarray(told["dtIgnore"], bool)
            counted[:, rows] = kept
            right[:, rows] = (np.asarray(told["dtMatches"]) > 0) & kept
        return Matches(
            overlaps=ious,
            image_of=side.image_of,
            classes=side.classes,
            scores=side.scores,
            right=right,
            counted=counted,
            truth_counts=coco_format.counting(self._data),
        )

    def confusion(self) -> NDArray[np.int64]:
        """(C + 1, C + 1), matched whatever the labels."""
        data = self._data
        background = len(data.labels)
        counts = np.zeros((background + 1, background + 1), np.int64)
        for told in _of_all_areas(self._run(use_labels=False)):
            rows = np.asarray(told["dtIds"], np.int64) - 1
            partner = np.asarray(told["dtMatches"][0], np.int64)
            is_what = np.where(partner > 0, _labels_of(data, partner - 1), background)
            kept = ~np.asarray(told["dtIgnore"][0], bool)
            np.add.at(counts, (is_what[kept], data.found.classes[rows[kept]]), 1)
            missed = (np.asarray(told["gtMatches"][0]) == 0) & ~np.asarray(told["gtIgnore"], bool)
            ids = np.asarray(told["gtIds"], np.int64)[missed]
            np.add.at(counts[:, background], _labels_of(data, ids - 1), 1)
        return counts

    def errors(self) -> ErrorTypes | None:
        """Nothing: pycocotools does not tell them."""
        return None

    def _run(self, *, use_labels: bool) -> Any:
        from pycocotools.cocoeval import COCOeval

        with redirect_stdout(io.StringIO()):
            truth, found = _sides(self._data)
            done = COCOeval(truth, found, self._data.overlap.value)
            done.params.maxDets = coco_format.caps(self._data)
            done.params.useCats = int(use_labels)
            if not use_labels:
                done.params.maxDets = [coco_format.WITHOUT_LIMIT]
            if self._data.overlap is Overlap.KEYPOINT:
                done.params.kpt_oks_sigmas = np.asarray(coco_format.sigmas(self._data))
            done.evaluate()
            if use_labels:
                done.accumulate()
        return done


def _sides(data: EvaluationSet) -> tuple[Any, Any]:
    from pycocotools import mask as masks
    from pycocotools.coco import COCO

    truth = COCO()
    known = {"images": coco_format.images(data), "categories": coco_format.categories(data)}
    truth.dataset = {**known, "annotations": coco_format.truth(data, masks)}
    truth.createIndex()
    results = coco_format.found(data, masks)
    if results:
        return truth, truth.loadRes(results)
    # An empty list of results is an IndexError to it.
    found = COCO()
    found.dataset = {**known, "annotations": []}
    found.createIndex()
    return truth, found


def _of_all_areas(done: Any) -> Iterator[Any]:
    areas, images = len(done.params.areaRng), len(done.params.imgIds)
    for row, told in enumerate(done.evalImgs):
        if told is not None and row // images % areas == 0:
            yield told


def _labels_of(data: EvaluationSet, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels of rows of the ground truth; of -1 any."""
    if not len(data.truth):
        return np.zeros(len(rows), np.int64)
    return np.asarray(data.truth.classes[rows])
