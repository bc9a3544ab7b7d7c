"""Which labels a model may give, as far as the shapes of its outputs say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.signature import TensorSignature

_Outputs = Sequence[TensorSignature]
_Count = Callable[[Manifest, _Outputs], int]


def labels_of(settled: Manifest, outputs: Sequence[TensorSignature]) -> tuple[int, ...]:
    """Indices of all labels that a model may give; empty where its outputs do not tell.

    Args:
        settled: how they are read.
        outputs: the model's, in its own terms.
    """
    count = _COUNTS.get(settled.head)
    classes = count(settled, outputs) if count and outputs else 0
    nothing = settled.background if settled.head == "semantic_segmentation" else None
    return tuple(n + settled.label_offset for n in range(classes) if n != nothing)


def _of_scores(_settled: Manifest, outputs: _Outputs) -> int:
    if len(outputs) != 1 or len(outputs[0].shape) != 2:
        return 0
    return outputs[0].shape[1] or 0


def _yolo8(settled: Manifest, outputs: _Outputs) -> int:
    raw = _of_rank(3, outputs)
    if raw is None or None in raw[1:]:
        return 0
    return _beside(min(raw[1:]), 4, settled, outputs)  # type: ignore[type-var]


def _with_objectness(settled: Manifest, outputs: _Outputs) -> int:
    raw = _of_rank(3, outputs)
    return 0 if raw is None else _beside(raw[2], 5, settled, outputs)


def _beside(columns: int | None, box: int, settled: Manifest, outputs: _Outputs) -> int:
    """Columns of a raw YOLO output that are neither box, objectness, masks nor keypoints."""
    prototypes = _of_rank(4, outputs)
    extras = prototypes[_channels(settled)] if prototypes else 0
    if settled.kind is InferenceType.KEYPOINT:
        extras = settled.keypoints * settled.keypoint_values
    return 0 if columns is None or extras is None else columns - box - extras


def _of_box_scores(_settled: Manifest, outputs: _Outputs) -> int:
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


def _of_maps(settled: Manifest, outputs: _Outputs) -> int:
    """Channels of class scores; one channel may be a map of classes instead."""
    shape = next((one for one in outputs if one.name == "out"), outputs[0]).shape
    channels = shape[_channels(settled)] if len(shape) == 4 else None
    return (
        0 if channels is None or (channels == 1 and settled.activation != "sigmoid") else channels
    )


def _of_heatmaps(settled: Manifest, outputs: _Outputs) -> int:
    shape = outputs[0].shape
    if settled.kind is InferenceType.KEYPOINT:
        return 1
    return (shape[_channels(settled)] or 0) if len(shape) == 4 else 0


def _channels(settled: Manifest) -> int:
    """Where a map has them."""
    return 3 if settled.channels_last else 1


def _of_rank(rank: int, outputs: _Outputs) -> tuple[int | None, ...] | None:
    return next((one.shape for one in outputs if len(one.shape) == rank), None)


_COUNTS: Mapping[str, _Count] = {
    "class_scores": _of_scores,
    "yolo5": _with_objectness,
    "yolo8": _yolo8,
    "yolox": _with_objectness,
    "yolox_raw": _with_objectness,
    "boxes_scores": _of_box_scores,
    "detr": lambda _, outputs: _of_queries(outputs, beside=1),  # the last is "no object"
    "rt_detr": lambda _, outputs: _of_queries(outputs, beside=0),
    "semantic_segmentation": _of_maps,
    "heatmaps": _of_heatmaps,
}
"""Classes by head; the others' outputs name a class for each object, and not how many there are."""
