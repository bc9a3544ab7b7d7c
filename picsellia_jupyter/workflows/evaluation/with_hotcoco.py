"""COCO's evaluation by hotcoco, whose figures are those of pycocotools to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.evaluation import ErrorTypes
from picsellia_jupyter.domain.ground_truth import EvaluationSet, Matches, Overlap
from picsellia_jupyter.workflows.evaluation import coco_format

if TYPE_CHECKING:
    import hotcoco

_NO_LABEL_ERRORS = 2.0
"""No object is scored so: candidates for wrong labels are not looked for."""
_KINDS = {
    "Cls": "class", "Loc": "localization", "Both": "both", "Dupe": "duplicate",
    "Bkg": "background", "Miss": "missed",
}  # fmt: skip


class HotcocoEvaluation:
    """One evaluation set, matched by hotcoco."""

    def __init__(self, data: EvaluationSet) -> None:
        import hotcoco

        self._data = data
        self.evaluator = f"hotcoco {hotcoco.__version__}"
        truth = _truth(data)
        found = _found(data, truth)
        self.notices = tuple(dict.fromkeys([*truth.load_warnings, *found.load_warnings]))
        self._eval = hotcoco.COCOeval(truth, found, data.overlap.value)
        self._eval.params.max_dets = coco_format.caps(data)
        if data.overlap is Overlap.KEYPOINT:
            self._eval.params.kpt_oks_sigmas = coco_format.sigmas(data)
        self._eval.evaluate()
        self._eval.accumulate()

    def precision(self) -> NDArray[np.float64]:
        """(T, R, C, A, M)."""
        return self._accumulated("precision")

    def recall(self) -> NDArray[np.float64]:
        """(T, C, A, M)."""
        return self._accumulated("recall")

    def matches(self) -> Matches:
        """Which objects are right; what hotcoco does not name does not count."""
        side, ious = self._data.found, np.asarray(self._eval.params.iou_thrs)
        right = np.zeros((len(ious), len(side)), bool)
        counted = np.zeros_like(right)
        for row, iou in enumerate(ious):
            told = self._eval.image_diagnostics(iou_thr=float(iou), score_thr=_NO_LABEL_ERRORS)
            status: Mapping[int, str] = told["dt_status"]
            ids = np.fromiter(status, np.int64, len(status)) - 1
            counted[row, ids] = True
            right[row, ids] = [word == "tp" for word in status.values()]
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
        """(C + 1, C + 1)."""
        told = self._eval.confusion_matrix(iou_thr=0.5, max_det=coco_format.WITHOUT_LIMIT)
        return np.asarray(told["matrix"]).astype(np.int64)

    def errors(self) -> ErrorTypes | None:
        """TIDE's kinds; None where there is no ground truth to compare with."""
        if not len(self._data.truth):
            return None
        told = self._eval.tide_errors(pos_thr=0.5, bg_thr=0.1)
        return ErrorTypes(
            counts={name: int(told["counts"][key]) for key, name in _KINDS.items()},
            ap_lost={name: float(told["delta_ap"][key]) for key, name in _KINDS.items()},
        )

    def _accumulated(self, name: str) -> NDArray[np.float64]:
        return np.asarray(cast("dict[str, Any]", self._eval.eval)[name], np.float64)


def _truth(data: EvaluationSet) -> hotcoco.COCO:
    import hotcoco
    import hotcoco.mask as masks

    photos, names = coco_format.images(data), coco_format.categories(data)
    if data.overlap is not Overlap.BOX:
        told = coco_format.truth(data, masks)
        return hotcoco.COCO({"images": photos, "categories": names, "annotations": told})
    side = data.truth
    areas = side.areas if side.areas is not None else coco_format.areas(data, side, (), masks)
    crowd = np.zeros(len(side), bool) if side.crowd is None else side.crowd
    return hotcoco.COCO.from_arrays(
        photos,
        names,
        side.image_of + 1,
        side.classes + 1,
        np.asarray(side.shapes, np.float64),
        ids=np.arange(1, len(side) + 1),
        area=areas,
        iscrowd=crowd.astype(np.int64),
    )


def _found(data: EvaluationSet, truth: hotcoco.COCO) -> hotcoco.COCO:
    import hotcoco.mask as masks

    if data.overlap is not Overlap.BOX or not len(data.found):
        return truth.load_res(coco_format.found(data, masks))
    side = data.found
    columns = (side.image_of + 1, side.shapes, side.scores, side.classes + 1)
    return truth.load_res(np.column_stack([np.asarray(column) for column in columns]))
