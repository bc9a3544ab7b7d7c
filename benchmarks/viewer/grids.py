"""A hundred 1080p photos of 20 boxes in one output: ours, Pillow's and matplotlib's."""

from __future__ import annotations

import base64
import functools
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.viewer.scenes import HEIGHT, NAMES, THRESHOLD, WIDTH, Scene
from picsellia_jupyter.display.embedding import Shown
from picsellia_jupyter.display.grid import grid_html
from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage

IMAGES = 100
_COLUMNS = 10
_SIDE = 320


def ours(scenes: Sequence[Scene]) -> bytes:
    """The grid, with every shape and every raw score."""
    size = ImageSize(WIDTH, HEIGHT)
    items = [
        Shown(
            PredictedImage(f"{number}.jpg", size, scene.found, 0.01),
            functools.partial(bytes, scene.photo),
        )
        for number, scene in enumerate(scenes)
    ]
    return grid_html(items, (), NAMES, THRESHOLD).encode()


def with_pillow(scenes: Sequence[Scene]) -> bytes:
    """A contact sheet, as JPEG."""
    height = _SIDE * HEIGHT // WIDTH
    rows = -(-len(scenes) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _SIDE, rows * height))
    for number, scene in enumerate(scenes):
        with Image.open(io.BytesIO(scene.photo)) as opened:
            opened.draft("RGB", (_SIDE, height))
            small = opened.resize((_SIDE, height))
        pen = ImageDraw.Draw(small)
        boxes = scene.found.boxes_xyxy * (_SIDE / WIDTH)
        for box, index in zip(boxes.tolist(), scene.found.classes.tolist(), strict=True):
            pen.rectangle(box, outline=label_colour(index), width=2)
        sheet.paste(small, (number % _COLUMNS * _SIDE, number // _COLUMNS * height))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=85)
    return base64.b64encode(stream.getvalue())


def with_matplotlib(scenes: Sequence[Scene]) -> bytes:
    """A subplot an image, as PNG."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(32, 18), dpi=100)
    axes = figure.subplots(-(-len(scenes) // _COLUMNS), _COLUMNS)
    for ax, scene in zip(axes.flat, scenes, strict=True):
        with Image.open(io.BytesIO(scene.photo)) as opened:
            opened.draft("RGB", (_SIDE, _SIDE))
            ax.imshow(np.asarray(opened), extent=(0, WIDTH, HEIGHT, 0))
        ax.set_axis_off()
        for left, top, right, bottom in scene.found.boxes_xyxy.tolist():
            ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False))
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return base64.b64encode(stream.getvalue())


WAYS: Mapping[str, Callable[[Sequence[Scene]], bytes]] = {
    "grid": ours,
    "Pillow": with_pillow,
    "matplotlib": with_matplotlib,
}


@dataclass(frozen=True, slots=True)
class GridCost:
    """What a grid costs: the least of some rounds, since machines are shared."""

    seconds: float
    """On the clock."""
    cpu_s: float
    """Of all processors together."""
    size: int
    """Bytes in the notebook."""


def measure(scene: Scene, rounds: int) -> dict[str, GridCost]:
    """What each way to show the scene a hundred times costs."""
    scenes = [scene] * IMAGES
    return {name: _cost(way, scenes, rounds) for name, way in WAYS.items()}


def _cost(
    way: Callable[[Sequence[Scene]], bytes], scenes: Sequence[Scene], rounds: int
) -> GridCost:
    took = []
    for _ in range(rounds):
        begun, busy = time.perf_counter(), time.process_time()
        size = len(way(scenes))
        took.append((time.perf_counter() - begun, time.process_time() - busy))
    return GridCost(min(one for one, _ in took), min(busy for _, busy in took), size)
