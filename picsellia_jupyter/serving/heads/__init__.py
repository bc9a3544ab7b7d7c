"""Decoders of model outputs, one a family of outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.domain.predictions import Prediction
from picsellia_jupyter.serving.heads import (
    boxes,
    classes,
    detr,
    heatmaps,
    paths,
    semantic,
    tensorflow,
    torchvision,
    yolo_families,
)
from picsellia_jupyter.serving.heads.families import (
    Family,
    Head,
    Recognised,
    Trial,
    with_channels_first,
)
from picsellia_jupyter.serving.manifest import HEADS, Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs

__all__ = ["FAMILIES", "Head", "Recognised", "Trial", "head_of", "recognise"]

FAMILIES: tuple[Family, ...] = (
    classes.FAMILY,
    # Told by their outputs' names first, by shapes and values after.
    tensorflow.FAMILY,
    detr.END_TO_END,
    torchvision.FAMILY,
    *detr.FAMILIES,
    boxes.FAMILY,
    *yolo_families.FAMILIES,
    *paths.FAMILIES,
    heatmaps.FAMILY,
    semantic.FAMILY,
)
_BY_NAME: Mapping[str, Family] = {family.name: family for family in FAMILIES}


def head_of(manifest: Manifest) -> Head:
    """The decoder that a manifest asks for."""
    family = _BY_NAME[manifest.head]
    head = family.make(manifest)
    if not (family.maps and manifest.channels_last):
        return head

    def turned(outputs: Outputs, placement: Placement) -> Prediction:
        return head(with_channels_first(outputs), placement)

    return turned


def recognise(trial: Trial, head: str | None = None) -> Recognised:
    """What the outputs of a trial run are, in the terms of serving.json.

    Args:
        trial: the run.
        head: the family's name, where serving.json names one; the rest is told of it then.

    Raises:
        ModelLoadError: they are of no family that serves this type of model version.
    """
    if head is not None:
        family = _BY_NAME[head]
        return _of(family, _told_by(family, trial) or Recognised({}))
    for family in FAMILIES:
        if trial.kind in HEADS[family.name]:
            told = _told_by(family, trial)
            if told is not None:
                return _of(family, told)
    raise ModelLoadError(
        f"The model's outputs are none that is known for {trial.kind.value}: {_told(trial)}.",
        f'Name the head in serving.json ("head": …, one of {_fitting(trial)}), '
        "or export the model in one of the forms that docs/models.md lists.",
    )


def _told_by(family: Family, trial: Trial) -> Recognised | None:
    return family.recognise(trial.with_channels_first() if family.maps else trial)


def _of(family: Family, told: Recognised) -> Recognised:
    said = {**family.defaults, **told.said, "head": family.name}
    inputs = {**family.defaults.get("input", {}), **told.said.get("input", {})}
    if inputs:
        said["input"] = inputs
    return Recognised(said, told.notes)


def _told(trial: Trial) -> str:
    return ", ".join(f"{name} {np.shape(array)}" for name, array in trial.outputs.items())


def _fitting(trial: Trial) -> str:
    return ", ".join(name for name, kinds in HEADS.items() if trial.kind in kinds)
