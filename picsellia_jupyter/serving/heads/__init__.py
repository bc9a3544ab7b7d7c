"""Decoders of model outputs, one a family of outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from picsellia_jupyter.domain.predictions import Prediction
from picsellia_jupyter.serving.heads import boxes, classes
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs


class Head(Protocol):
    """Reads the outputs of one image."""

    def __call__(self, outputs: Outputs, placement: Placement) -> Prediction:
        """What the model found, in pixels of the upright photo."""


_HEADS: Mapping[str, Callable[[Manifest], Head]] = {
    "boxes_scores": boxes.BoxesHead,
    "class_scores": classes.ClassesHead,
}


def head_of(manifest: Manifest) -> Head:
    """The decoder that a manifest asks for."""
    return _HEADS[manifest.head](manifest)
