"""The prediction viewer: one image and its layers of shapes as HTML that needs nothing else.

A JPEG and a block of shapes that a script of the output itself draws on a canvas, with no
kernel and no network; around them a small picture for pages that strip scripts.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from picsellia_jupyter.display import style
from picsellia_jupyter.display.overlay import MAX_SIDE, fitted, jpeg, png
from picsellia_jupyter.display.palette import Colour, ink_on, label_colour
from picsellia_jupyter.display.shapes import (
    Columns,
    Edges,
    encode_shapes,
    narrowed,
    threshold_step,
)
from picsellia_jupyter.display.units import brief, printable
from picsellia_jupyter.domain.predictions import (
    Classification,
    ImageSize,
    Keypoints,
    Prediction,
)
from picsellia_jupyter.domain.registry import label_name
from picsellia_jupyter.workflows.matching import LIKENESSES, match

STILL_SIDE = 480
"""Longest side of the picture for pages without scripts, pixels."""
_SMALL = 256
"""Photos up to this side are sent as PNG, which keeps their pixels; larger ones as JPEG."""

COCO_EDGES: Edges = (
    (0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10),
    (5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
)  # fmt: skip
"""Which of COCO's 17 points of a person are joined; for 17 points without edges of their own."""

_UNPACKING = (
    "(async r=>{let s=document.createElement('script');s.textContent=await new Response("
    "new Blob([Uint8Array.from(atob('…'),c=>c.charCodeAt())]).stream().pipeThrough("
    "new DecompressionStream('deflate-raw'))).text();r.append(s)})"
    "(document.currentScript.parentNode)"
)

LayerKind = Literal["champion", "shadow", "truth", "review"]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One source of shapes of an image."""

    name: str
    """As it is shown: `champion`, `shadow`, `ground truth`, a model's name."""
    kind: LayerKind
    """No threshold applies to `truth` and `review`, and predictions are matched to them."""
    found: Prediction
    """All raw objects, in pixels of the upright photo."""


def viewer_payload(
    layers: Sequence[Layer],
    labels: Mapping[int, str],
    size: ImageSize,
    *,
    threshold: float | None,
    edges: Mapping[int, Edges] | None = None,
) -> dict[str, Any]:
    """What the script is given of an image, but for its pixels and texts.

    Args:
        layers: at least one.
        labels: class index to label name.
        size: of the upright photo.
        threshold: the deployment's.
        edges: class index to pairs of keypoints that are joined.

    Raises:
        InvalidPredictionError: a mask's code is broken, or of another size.
    """
    classes = np.unique(np.concatenate([layer.found.classes for layer in layers]))
    classified = all(isinstance(layer.found, Classification) for layer in layers)
    truth = next((layer for layer in layers if layer.kind in ("truth", "review")), None)
    return {
        "w": size.width,
        "h": size.height,
        "threshold": None if classified else threshold or 0.0,
        "cut": -1 if classified else threshold_step(threshold),
        "labels": [_label(labels, int(index)) for index in classes],
        "edges": _edges(layers, classes, edges or {}),
        "measure": LIKENESSES.get(type(layers[0].found), ""),
        "layers": [_layer(layer, truth, classes, size, threshold) for layer in layers],
    }


def output_html(
    payload: Mapping[str, Any],
    still: str,
    *,
    label: str,
    script: Literal["viewer", "grid"] = "viewer",
) -> str:
    """A whole output: what remains without scripts, the script, and what it is given.

    Args:
        payload: for the script, JSON.
        still: HTML that stands there until the script has taken its place.
        label: of the group, for those who listen.
        script: for one image, or for many; where layers are compared its larger form is taken.
    """
    name = f"{script}_compared" if _compares(payload) else script
    return (
        f'<div class="pxj-viewer" role="group" aria-label="{style.escape(label)}">'
        f'<style media="not all">{_css(script)}</style>{still}'
        f'<script type="application/json">{script_json(payload)}</script>'
        f"<script>{_script(name)}</script></div>"
    )


def _compares(payload: Mapping[str, Any]) -> bool:
    """Whether there is more to see of an image than its champion's shapes."""
    images = payload.get("items", [payload])
    return any([one["kind"] for one in image["layers"]] != ["champion"] for image in images)


def packed(script: str) -> str:
    """A script that unpacks another one and has it run in its own place; little more than half.

    Args:
        script: runs as a classic script; `document.currentScript` stands where this one does.
    """
    squeezing = zlib.compressobj(9, wbits=-15)
    squeezed = squeezing.compress(script.encode()) + squeezing.flush()
    return _UNPACKING.replace("…", base64.b64encode(squeezed).decode("ascii"))


def script_json(value: object) -> str:
    """JSON that can stand in a script element, whatever texts are in it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def photo_url(picture: Image.Image, *, max_side: int = MAX_SIDE, quality: int = 80) -> str:
    """The picture's own bytes as an address, without any metadata.

    Args:
        picture: upright, RGB.
        max_side: longest side of what is sent, pixels.
        quality: of the JPEG; small pictures are sent as PNG.
    """
    if max(picture.size) <= _SMALL:
        return f"data:image/png;base64,{base64.b64encode(png(picture)).decode('ascii')}"
    shown = fitted(picture, max_side)
    return (
        f"data:image/jpeg;base64,{base64.b64encode(jpeg(shown, quality=quality)).decode('ascii')}"
    )


# What the script is given --------------------------------------------------------------------


def _layer(
    layer: Layer,
    truth: Layer | None,
    classes: NDArray[np.int64],
    size: ImageSize,
    threshold: float | None,
) -> dict[str, Any]:
    ranks = np.searchsorted(classes, layer.found.classes)
    limit = threshold if layer.kind in ("champion", "shadow") else None
    encoded = encode_shapes(layer.found, size, ranks, limit)
    encoded |= {"name": printable(layer.name), "kind": layer.kind}
    if truth is not None and layer.kind not in ("truth", "review"):
        matches = match(layer.found, truth.found, size)
        likeness = np.rint(matches.likeness * 255).astype(np.uint8)
        columns = Columns((narrowed(matches.truth + 1), likeness))
        encoded["pairs"] = {"types": columns.types(), "data": columns.base64()}
    return encoded


def _label(labels: Mapping[int, str], index: int) -> tuple[str, str, str, int]:
    """A label's name, its colour, that of text on it, and its class."""
    colour = label_colour(index)
    return brief(label_name(labels, index), most=40), _hex(colour), _hex(ink_on(colour)), index


def _hex(colour: Colour) -> str:
    return "#" + bytes(colour).hex()


def _edges(
    layers: Sequence[Layer], classes: NDArray[np.int64], edges: Mapping[int, Edges]
) -> dict[int, Edges]:
    """The rank of each class that has a skeleton, to its edges."""
    persons = {
        int(index)
        for layer in layers
        if isinstance(layer.found, Keypoints)
        for index, points in zip(layer.found.classes, layer.found.keypoints, strict=True)
        if len(points) == 17
    }
    known = dict.fromkeys(persons, COCO_EDGES) | dict(edges)
    return {rank: known[int(index)] for rank, index in enumerate(classes) if int(index) in known}


@functools.cache  # as many as there are scripts
def _script(name: str) -> str:
    return packed(_read(f"{name}.min.js"))


@functools.cache
def _css(script: str) -> str:
    text = "".join(_read(f"{name}.css") for name in dict.fromkeys(("viewer", script)))
    return re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", text)).strip()


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
