"""serving.json: how a model's input is made from a photo and its outputs are read."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.signature import InputSignature

FILE_NAME = "serving.json"
FORMAT = 1
HEADS: Mapping[InferenceType, str] = {
    InferenceType.OBJECT_DETECTION: "boxes_scores",
    InferenceType.CLASSIFICATION: "class_scores",
}
"""The head that reads each inference type; other types cannot be served yet."""

_RESIZES = ("letterbox", "stretch")
_CHANNELS: Mapping[str, int] = {"L": 1, "RGB": 3, "BGR": 3}
_ACTIVATIONS = ("none", "softmax", "sigmoid")
_MAX_SIDE = 8192


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How a photo becomes the model's input."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    resize: str
    """`letterbox` keeps the ratio and pads; `stretch` does not keep it."""
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


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything serving.json says, with its gaps filled in."""

    input: InputSpec
    head: str
    """`boxes_scores` or `class_scores`."""
    score_floor: float = 0.05
    """Boxes scored under it are never reported, in [0, 1]."""
    iou_threshold: float = 0.5
    """Boxes of one class that overlap more than this are one object, in [0, 1]."""
    max_objects: int = 300
    activation: str = "none"
    """What makes probabilities of class scores: `none`, `softmax` or `sigmoid`."""
    top_k: int = 5
    """Classes reported for an image."""
    label_offset: int = 0
    """Added to the model's class index to get the label's."""


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
    keys = _Keys(raw, "")
    if keys.whole("format", FORMAT) != FORMAT:
        raise keys.error("format", f"This package reads format {FORMAT}.")
    head = _head(keys, kind)
    spec = _input(_Keys(keys.object("input"), "input."), kind, signature or InputSignature())
    default = Manifest(spec, head)
    made = Manifest(
        input=spec,
        head=head,
        score_floor=keys.number("score_floor", default.score_floor, low=0, high=1),
        iou_threshold=keys.number("iou_threshold", default.iou_threshold, low=0, high=1),
        max_objects=keys.whole("max_objects", default.max_objects, high=10_000),
        activation=keys.choice("activation", default.activation, _ACTIVATIONS),
        top_k=keys.whole("top_k", default.top_k, high=10_000),
        label_offset=keys.whole("label_offset", 0, low=-1_000_000, high=1_000_000),
    )
    keys.check_all_known()
    return made


def _head(keys: _Keys, kind: InferenceType) -> str:
    if kind not in HEADS:
        raise ModelLoadError(
            f"A model of type {kind.value} cannot be served yet.",
            f"Types that can: {', '.join(known.value for known in HEADS)}. "
            "Deploy it with --strategy monitoring and send its predictions yourself.",
        )
    head = keys.choice("head", HEADS[kind], tuple(HEADS.values()))
    if head != HEADS[kind]:
        raise keys.error("head", f"A model version of type {kind.value} takes {HEADS[kind]!r}.")
    return head


def _input(keys: _Keys, kind: InferenceType, signature: InputSignature) -> InputSpec:
    by_depth = {1: "L", 3: "RGB", None: "RGB"}.get(signature.channels)
    channels = keys.choice("channels", by_depth, tuple(_CHANNELS))
    count = _CHANNELS[channels]
    detects = kind is InferenceType.OBJECT_DETECTION
    spec = InputSpec(
        width=keys.whole("width", signature.width, high=_MAX_SIDE),
        height=keys.whole("height", signature.height, high=_MAX_SIDE),
        resize=keys.choice("resize", "letterbox" if detects else "stretch", _RESIZES),
        channels=channels,
        scale=keys.number("scale", 255.0, low=1e-6),
        mean=keys.numbers("mean", (0.0,) * count),
        std=keys.numbers("std", (1.0,) * count, low=1e-6),
        pad=keys.whole("pad", 114, low=0, high=255),
    )
    keys.check_all_known()
    _check_fits(spec, signature)
    return spec


def _check_fits(spec: InputSpec, signature: InputSignature) -> None:
    said = (_CHANNELS[spec.channels], spec.height, spec.width)
    takes_sides = (signature.channels, signature.height, signature.width)
    if any(want not in (None, got) for want, got in zip(takes_sides, said, strict=True)):
        takes = " x ".join("any" if side is None else str(side) for side in takes_sides)
        raise ModelLoadError(
            f"The model takes {takes} (channels x height x width), but {FILE_NAME} says "
            f"{' x '.join(map(str, said))}.",
            f"Correct input.channels, input.height and input.width in {FILE_NAME}.",
        )


class _Keys:
    """Reads the keys of one object, and says which one is wrong."""

    def __init__(self, raw: Mapping[str, Any], prefix: str) -> None:
        self._raw = raw
        self._prefix = prefix
        self._asked: list[str] = []

    def error(self, key: str, remedy: str) -> ModelLoadError:
        """What to raise where a key has a value that cannot be used."""
        name = f"{FILE_NAME}: {self._prefix}{key}"
        said = f"is {self._raw[key]!r}" if key in self._raw else "is missing"
        return ModelLoadError(f"{name} {said}.", remedy)

    def whole(self, key: str, default: int | None, *, low: int = 1, high: int = 1 << 31) -> int:
        """A whole number in [low, high]."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(key, f"Give a whole number from {low} to {high}.")
        return value

    def number(
        self, key: str, default: float, *, low: float = -math.inf, high: float = math.inf
    ) -> float:
        """A number in [low, high]."""
        value = self._value(key, default)
        if not _is_number(value) or not low <= value <= high:
            raise self.error(key, f"Give a number from {low:g} to {high:g}.")
        return float(value)

    def numbers(
        self, key: str, default: tuple[float, ...], *, low: float = -math.inf
    ) -> tuple[float, ...]:
        """As many numbers as the default has, each at least `low`."""
        value = self._value(key, default)
        fits = isinstance(value, list | tuple) and len(value) == len(default)
        if not fits or not all(_is_number(item) and item >= low for item in value):
            raise self.error(key, f"Give a list of {len(default)}, one number per channel.")
        return tuple(map(float, value))

    def choice(self, key: str, default: str | None, known: Sequence[str]) -> str:
        """One of the known words."""
        value = self._value(key, default)
        if value not in known:
            raise self.error(key, f"Use one of: {', '.join(known)}.")
        return str(value)

    def object(self, key: str) -> Mapping[str, Any]:
        """An object, empty where it is left out."""
        value = self._value(key, {})
        if not isinstance(value, dict):
            raise self.error(key, "Give an object.")
        return value

    def check_all_known(self) -> None:
        """Refuse keys nobody asked for: a misspelt one would silently do nothing."""
        for key in self._raw:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else "Leave it out."
                raise ModelLoadError(f"{FILE_NAME}: there is no key {self._prefix}{key}.", hint)

    def _value(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        return self._raw.get(key, default)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
