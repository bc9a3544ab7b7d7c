"""What serving.json leaves out of a model's conventions, told by one trial run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from picsellia_jupyter.domain.errors import ModelLoadError, PicselliaJupyterError, first_line
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import heads, manifest, pixels
from picsellia_jupyter.serving.heads import Recognised, Trial
from picsellia_jupyter.serving.keys import Keys
from picsellia_jupyter.serving.manifest import CHANNELS, InputSpec, Manifest
from picsellia_jupyter.serving.runtimes import Runtime
from picsellia_jupyter.serving.signature import InputSignature, Outputs

_SIDES: Mapping[InferenceType, int] = {InferenceType.CLASSIFICATION: 224}
_SIDE = 640
"""Pixels, where neither model nor serving.json tells: what Ultralytics' models are trained on."""
_TRIAL_PHOTO = (480, 640)
"""Height and width."""


def settle(said: Mapping[str, Any], kind: InferenceType, labels: int, runtime: Runtime) -> Manifest:
    """Complete what serving.json says with what the model itself tells.

    Args:
        said: the object in serving.json; may be empty.
        kind: the model version's type.
        labels: how many labels it has; 0 where that is not known.
        runtime: the loaded model, which is run once on a made-up photo.

    Raises:
        ModelLoadError: serving.json has a mistake, contradicts the model, or leaves out what
            the model does not tell either.
    """
    signature = runtime.signature or InputSignature()
    manifest.check_head(said, kind)
    sides = _sides(said, kind, signature)
    spec = manifest.parse_input(_input(sides.said, said), kind, signature)
    outputs = _run(runtime, spec)
    last = Keys(said, "").flag("channels_last", default=_channels_last(outputs, spec, signature))
    trial = Trial(outputs, kind, labels, spec.width, spec.height, last)
    told = heads.recognise(trial, said.get("head"))
    channels = CHANNELS[spec.channels]
    merged = {"channels_last": last, **told.said, **said}
    merged["input"] = _input(sides.said, _fitting(told.said, channels), said)
    made = manifest.parse(merged, kind, signature)
    notes = (*sides.notes, *_unsaid(told, said), *_unprepared(made, said))
    return dataclasses.replace(made, notes=notes)


def _sides(said: Mapping[str, Any], kind: InferenceType, signature: InputSignature) -> Recognised:
    """The input's size, where the model takes any and serving.json names none."""
    given = {**_object(said, "input")}
    told = {"height": signature.height, "width": signature.width}
    missing = [side for side, pixels in told.items() if pixels is None and side not in given]
    if not missing:
        return Recognised({})
    side = _SIDES.get(kind, _SIDE)
    if given.get("resize") == "none" or _takes_photos_as_they_are(kind, signature, missing):
        height, width = _TRIAL_PHOTO
        as_it_is = {"resize": "none", "height": height, "width": width}
        return Recognised({"input": as_it_is}, ("Photos are given to the model unresized.",))
    note = (
        f"The model takes images of any size; {side} x {side} pixels is assumed "
        '("input": {"width": …, "height": …}).'
    )
    return Recognised({"input": dict.fromkeys(missing, side)}, (note,))


def _takes_photos_as_they_are(
    kind: InferenceType, signature: InputSignature, missing: list[str]
) -> bool:
    """TensorFlow's detectors take bytes of any size, and resize by themselves; so do torchvision's.

    The latter are told by the list of images that they take when scripted.
    """
    plain = signature.layout == "NHWC" and signature.dtype == "uint8"
    if signature.resizes:
        return len(missing) == 2
    return plain and len(missing) == 2 and kind is not InferenceType.CLASSIFICATION


def _run(runtime: Runtime, spec: InputSpec) -> Outputs:
    batch, _ = pixels.to_input(_photo(), spec)
    try:
        return runtime.run(batch)[0]
    except PicselliaJupyterError:
        raise
    except Exception as error:  # runtimes raise whatever the model's own code does
        height, width = batch.shape[2:]
        raise ModelLoadError(
            f"The model cannot run on a photo of {width} x {height} pixels: {first_line(error)}",
            'Name the size it takes in serving.json: {"input": {"width": …, "height": …}}.',
        ) from error


def _channels_last(outputs: Outputs, spec: InputSpec, signature: InputSignature) -> bool:
    """Whether a model whose input has its channels last has those of its maps last, too."""
    if signature.layout != "NHWC":
        return False

    def fits(height: int, width: int) -> bool:
        return height * spec.width == width * spec.height

    maps = [np.shape(array)[1:] for array in outputs.values() if np.ndim(array) == 4]
    return not all(fits(*sides[1:]) and not fits(*sides[:2]) for sides in maps)


def _photo() -> pixels.Photo:
    """A photo with light, shade and noise: black would make some outputs look like others."""
    rng = np.random.default_rng(7)
    shade = np.linspace(40, 210, _TRIAL_PHOTO[1])[None, :, None]
    noise = rng.normal(0, 24, (*_TRIAL_PHOTO, 3))
    image = Image.fromarray(np.clip(shade + noise, 0, 255).astype(np.uint8))
    return pixels.Photo.of(image)


def _input(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The objects at the key `input` laid over each other, the last one on top."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(_object(layer, "input"))
    return merged


def _object(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = said.get(key, {})
    return value if isinstance(value, dict) else Keys(said, "").object(key)


def _fitting(told: Mapping[str, Any], channels: int) -> dict[str, Any]:
    """What a family says of its input, without colours where the model takes grey."""
    coloured = ("mean", "std", "channels")
    given = _object(told, "input")
    return {"input": {k: v for k, v in given.items() if channels == 3 or k not in coloured}}


def _unsaid(told: Recognised, said: Mapping[str, Any]) -> tuple[str, ...]:
    """What was assumed, with the head's name where serving.json does not give it."""
    if "head" in said:
        return ()
    return (f'The head is taken to be "{told.said["head"]}".', *told.notes)


_PREPARED = {"resize", "scale", "mean", "std"}
_GIVEN = {"stretch": "stretched", "letterbox": "padded to the input's shape", "none": "unresized"}
_TRAINED: Mapping[str, str] = {
    "class_scores": "many classifiers are trained on a normalised centre crop "
    '("input": {"resize": "crop", "mean": …, "std": …}).',
    "semantic_segmentation": "many segmentations are trained on normalised photos "
    '("input": {"mean": …, "std": …}).',
}
"""By heads whose outputs tell nothing of how photos are prepared, unlike those of detectors."""


def _unprepared(made: Manifest, said: Mapping[str, Any]) -> tuple[str, ...]:
    """How photos are given to a model of which nothing tells how they should be."""
    spec, trained = made.input, _TRAINED.get(made.head)
    if trained is None or any(spec.mean) or _PREPARED & set(_object(said, "input")):
        return ()
    return (f"Photos are {_GIVEN[spec.resize]} and divided by {spec.scale:g}; {trained}",)
