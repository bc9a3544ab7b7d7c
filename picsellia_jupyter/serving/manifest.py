"""serving.json: how a model's input is made from a photo and its outputs are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import keys as keys_of
from picsellia_jupyter.serving.keys import Keys
from picsellia_jupyter.serving.signature import InputSignature

FILE_NAME = keys_of.FILE_NAME
FORMAT = 1

_CLASSES = (InferenceType.CLASSIFICATION,)
_BOXES = (InferenceType.OBJECT_DETECTION,)
_REGIONS = (InferenceType.MASK, InferenceType.SEGMENTATION)
_SKELETONS = (InferenceType.KEYPOINT,)
_LINES = (InferenceType.LINE,)
_POINTS = (InferenceType.POINT,)

HEADS: Mapping[str, tuple[InferenceType, ...]] = {
    "boxes_scores": _BOXES,
    "class_scores": _CLASSES,
    "tf_detection": _BOXES + _REGIONS,
    "torchvision_detection": _BOXES + _REGIONS + _SKELETONS,
    "yolo5": _BOXES + _REGIONS,
    "yolo8": _BOXES + _REGIONS + _SKELETONS,
    "yolo_end_to_end": _BOXES + _REGIONS + _SKELETONS,
    "yolox": _BOXES,
    "yolox_raw": _BOXES,
    "detr": _BOXES,
    "rt_detr": _BOXES,
    "rt_detr_end_to_end": _BOXES,
    "semantic_segmentation": _REGIONS,
    "keypoints": _SKELETONS,
    "lines": _LINES,
    "points": _POINTS,
    "heatmaps": _SKELETONS + _POINTS,
}
"""The decoders by name, and the types of model versions that each serves."""

_DEFAULT_HEADS: Mapping[InferenceType, str] = {
    InferenceType.OBJECT_DETECTION: "boxes_scores",
    InferenceType.CLASSIFICATION: "class_scores",
    InferenceType.MASK: "semantic_segmentation",
    InferenceType.SEGMENTATION: "semantic_segmentation",
    InferenceType.KEYPOINT: "keypoints",
    InferenceType.LINE: "lines",
    InferenceType.POINT: "points",
}
"""Where neither serving.json nor a trial run tells."""

RESIZES = ("letterbox", "stretch", "crop", "none")
ANCHORS = ("centre", "top_left")
FILTERS = ("nearest", "box", "bilinear", "bicubic", "lanczos")
DECODES = ("exact", "scaled")
CHANNELS: Mapping[str, int] = {"L": 1, "RGB": 3, "BGR": 3}
ACTIVATIONS = ("none", "softmax", "sigmoid")
BOX_FORMATS = ("xyxy", "yxyx", "xywh", "cxcywh")
_MAX_SIDE = 8192


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How a photo becomes the model's input."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    resize: str
    """`letterbox` keeps the ratio and pads, `stretch` does not keep it, `crop` keeps it and shows
    the centre alone; with `none` the photo goes in as it is, and width and height are those of
    the trial input alone."""
    channels: str
    """`L`, `RGB` or `BGR`."""
    scale: float
    """Pixels in [0, 255] are divided by it first."""
    mean: tuple[float, ...]
    """One per channel, taken off after scaling."""
    std: tuple[float, ...]
    """One per channel, divided by last."""
    pad: int
    """Grey level around a letterboxed photo, in [0, 255]."""
    anchor: str = "centre"
    """Where a letterboxed photo lies: `centre` or `top_left`."""
    filter: str = "bilinear"
    """What resizing reads pixels with, in Pillow's words."""
    decode: str = "exact"
    """`exact`, or `scaled`: large JPEGs are decoded at a half, a quarter or an eighth of their
    size where that still covers the input. Faster, but the pixels are others: only for models
    that were trained so, or measured to bear it."""
    crop: float = 1.0
    """With `crop`, how much of the photo's shorter side is seen, in (0, 1]."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything serving.json says, with its gaps filled in."""

    input: InputSpec
    head: str
    """What reads the model's outputs: a name of `HEADS`."""
    kind: InferenceType
    """The model version's type, which is also that of its predictions."""
    score_floor: float = 0.05
    """Boxes scored under it are never reported, in [0, 1]."""
    iou_threshold: float = 0.5
    """Boxes of one class that overlap more than this are one object, in [0, 1]."""
    max_objects: int = 300
    """Objects reported of a photo; the most confident ones."""
    activation: str = "none"
    """What makes probabilities of class scores: `none`, `softmax` or `sigmoid`."""
    top_k: int = 5
    """Classes reported for an image."""
    label_offset: int = 0
    """Added to the model's class index to get the label's."""
    background: int | None = 0
    """The class index of a semantic segmentation that is no object; None where all are."""
    mask_threshold: float = 0.5
    """Probability from which a pixel belongs to a mask, in [0, 1]."""
    box_format: str = "xyxy"
    """Order of a box's numbers: `xyxy`, `yxyx`, `xywh` (left, top) or `cxcywh` (centre)."""
    normalised: bool = False
    """Whether coordinates are parts of the input's sides instead of its pixels."""
    keypoints: int = 17
    """Keypoints of a skeleton."""
    keypoint_values: int = 3
    """Numbers of a keypoint: 2 for x, y; 3 with its confidence."""
    channels_last: bool = False
    """Whether maps (class scores, heatmaps, mask prototypes) are (1, h, w, C), as TensorFlow's."""
    notes: tuple[str, ...] = ()
    """What was assumed, since nobody says it: one sentence each."""


def read(path: Path | None) -> Mapping[str, Any]:
    """The object in a serving.json; an empty one where there is no file.

    Raises:
        ModelLoadError: the file is no JSON object.
    """
    if path is None:
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelLoadError(
            f"{FILE_NAME} cannot be read: {error}.", "Store it again as a JSON object."
        ) from error
    if not isinstance(raw, dict):
        raise ModelLoadError(
            f"{FILE_NAME} holds a {type(raw).__name__}, not an object.",
            'It begins with {"format": 1, …}.',
        )
    return raw


def parse(
    raw: Mapping[str, Any], kind: InferenceType, signature: InputSignature | None
) -> Manifest:
    """Check what serving.json says against the model, and fill in what it leaves out.

    Args:
        raw: the object in the file; may be empty.
        kind: the model version's inference type.
        signature: of the model's input, where the model file tells it.

    Raises:
        ModelLoadError: a key is unknown, has a bad value, or contradicts the model.
    """
    keys = Keys(raw, "")
    if keys.whole("format", FORMAT) != FORMAT:
        raise keys.error("format", f"This package reads format {FORMAT}.")
    head = _head(keys, kind)
    default = Manifest(parse_input(keys.object("input"), kind, signature), head, kind)
    made = Manifest(
        input=default.input,
        head=head,
        kind=kind,
        score_floor=keys.number("score_floor", default.score_floor, low=0, high=1),
        iou_threshold=keys.number("iou_threshold", default.iou_threshold, low=0, high=1),
        max_objects=keys.whole("max_objects", default.max_objects, high=10_000),
        activation=keys.choice("activation", default.activation, ACTIVATIONS),
        top_k=keys.whole("top_k", default.top_k, high=10_000),
        label_offset=keys.whole("label_offset", 0, low=-1_000_000, high=1_000_000),
        background=keys.whole_or_none("background", default.background, low=0, high=1_000_000),
        mask_threshold=keys.number("mask_threshold", default.mask_threshold, low=0, high=1),
        box_format=keys.choice("box_format", default.box_format, BOX_FORMATS),
        normalised=keys.flag("normalised", default=default.normalised),
        keypoints=keys.whole("keypoints", default.keypoints, high=10_000),
        keypoint_values=keys.whole("keypoint_values", default.keypoint_values, low=2, high=3),
        channels_last=keys.flag("channels_last", default=default.channels_last),
    )
    keys.skip("architecture")  # read before the model is loaded, where its file holds weights only
    keys.check_all_known()
    return made


def check_head(raw: Mapping[str, Any], kind: InferenceType) -> None:
    """Make sure that a head that serving.json names can serve a type.

    Raises:
        ModelLoadError: it cannot, or none can.
    """
    _head(Keys(raw, ""), kind)


def _head(keys: Keys, kind: InferenceType) -> str:
    if kind not in _DEFAULT_HEADS:
        raise ModelLoadError(
            f"A model of type {kind.value} cannot be served.",
            f"Types that can: {', '.join(known.value for known in _DEFAULT_HEADS)}. "
            "Register it again with the type of what it finds.",
        )
    head = keys.choice("head", _DEFAULT_HEADS[kind], tuple(HEADS))
    if kind not in HEADS[head]:
        fitting = ", ".join(name for name, kinds in HEADS.items() if kind in kinds)
        raise keys.error("head", f"A model version of type {kind.value} takes one of: {fitting}.")
    return head


def parse_input(
    raw: Mapping[str, Any], kind: InferenceType, signature: InputSignature | None
) -> InputSpec:
    """Check what serving.json says of the input, and fill in what it leaves out.

    Args:
        raw: the object at its key `input`; may be empty.
        kind: the model version's inference type.
        signature: of the model's input, where the model file tells it.

    Raises:
        ModelLoadError: a key is unknown, has a bad value, or contradicts the model.
    """
    keys, signature = Keys(raw, "input."), signature or InputSignature()
    by_depth = {1: "L", 3: "RGB", None: "RGB"}.get(signature.channels)
    channels = keys.choice("channels", by_depth, tuple(CHANNELS))
    count = CHANNELS[channels]
    whole = kind is InferenceType.CLASSIFICATION
    spec = InputSpec(
        width=keys.whole("width", signature.width, high=_MAX_SIDE),
        height=keys.whole("height", signature.height, high=_MAX_SIDE),
        resize=keys.choice("resize", "stretch" if whole else "letterbox", RESIZES),
        channels=channels,
        scale=keys.number("scale", 1.0 if signature.dtype == "uint8" else 255.0, low=1e-6),
        mean=keys.numbers("mean", (0.0,) * count),
        std=keys.numbers("std", (1.0,) * count, low=1e-6),
        pad=keys.whole("pad", 114, low=0, high=255),
        anchor=keys.choice("anchor", "centre", ANCHORS),
        filter=keys.choice("filter", "bilinear", FILTERS),
        decode=keys.choice("decode", "exact", DECODES),
        crop=keys.number("crop", 1.0, low=0.1, high=1),
    )
    if spec.resize == "crop" and not whole:
        raise keys.error("resize", "Only a classification may leave out what lies at the edges.")
    keys.check_all_known()
    _check_fits(spec, signature)
    return spec


def _check_fits(spec: InputSpec, signature: InputSignature) -> None:
    said = (CHANNELS[spec.channels], spec.height, spec.width)
    takes_sides = (signature.channels, signature.height, signature.width)
    if any(want not in (None, got) for want, got in zip(takes_sides, said, strict=True)):
        takes = " x ".join("any" if side is None else str(side) for side in takes_sides)
        raise ModelLoadError(
            f"The model takes {takes} (channels x height x width), but {FILE_NAME} says "
            f"{' x '.join(map(str, said))}.",
            f"Correct input.channels, input.height and input.width in {FILE_NAME}.",
        )
    if spec.resize == "none" and (signature.height, signature.width) != (None, None):
        raise ModelLoadError(
            f"{FILE_NAME} says not to resize photos, but the model takes {said[2]} x {said[1]}.",
            'Set "resize": "letterbox", "crop" or "stretch", or export it with free sides.',
        )
