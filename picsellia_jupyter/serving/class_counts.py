"""How many classes a model tells apart, as far as the shapes of its outputs say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.signature import LoadedModel, TensorSignature

_Outputs = Sequence[TensorSignature]


def classes_of(model: LoadedModel, kind: InferenceType) -> int:
    """Classes of a loaded model; 0 where its outputs do not tell.

    Args:
        model: what its worker says of it.
        kind: what its version is for.
    """
    if kind is InferenceType.CLASSIFICATION:
        return _of_scores(model.outputs)
    count = _COUNTS.get(model.head)
    # Beside its classes, a skeleton's keypoints may take any number of columns.
    if count is None or kind is InferenceType.KEYPOINT or not model.outputs:
        return 0
    return max(count(model.outputs), 0)


def _of_scores(outputs: _Outputs) -> int:
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        return 0
    return outputs[0].shape[1] or 0


def _columns(axis: int, beside: int) -> Callable[[_Outputs], int]:
    """Columns of a raw YOLO output that are neither box, objectness nor mask coefficients.

    Args:
        axis: where its columns lie.
        beside: columns of box and objectness.
    """

    def count(outputs: _Outputs) -> int:
        raw = next((one for one in outputs if len(one.shape) == 3), None)
        if raw is None:
            return 0
        prototypes = next((one for one in outputs if len(one.shape) == 4), None)
        coefficients = prototypes.shape[1] if prototypes else 0
        columns = raw.shape[axis]
        if columns is None or coefficients is None:
            return 0
        return columns - beside - coefficients

    return count


def _of_box_scores(outputs: _Outputs) -> int:
    """Of scores (1, A, C) beside boxes."""
    scores = next((one for one in outputs if one.name == "scores"), outputs[-1])
    return (scores.shape[-1] or 0) if len(outputs) == 2 and len(scores.shape) == 3 else 0


def _of_queries(outputs: _Outputs, *, beside: int) -> int:
    """Of DETR's logits (1, Q, C), or of boxes and scores in one output (1, Q, 4 + C)."""
    logits = next((one for one in outputs if one.name == "logits"), outputs[0])
    columns = logits.shape[-1] if len(logits.shape) == 3 else None
    if columns is None:
        return 0
    return columns - beside - (4 if len(outputs) == 1 else 0)


_COUNTS: Mapping[str, Callable[[_Outputs], int]] = {
    "yolo5": _columns(2, 5),
    "yolo8": _columns(1, 4),
    "yolox": _columns(2, 5),
    "yolox_raw": _columns(2, 5),
    "boxes_scores": _of_box_scores,
    "detr": lambda outputs: _of_queries(outputs, beside=1),  # the last is "no object"
    "rt_detr": lambda outputs: _of_queries(outputs, beside=0),
}
"""By head; the others' outputs name a class for each object, and not how many there are."""
