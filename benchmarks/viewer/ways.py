"""The ways to show an image with its boxes in a notebook; each returns the bytes of its output."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.viewer.scenes import HEIGHT, NAMES, THRESHOLD, WIDTH, Scene
from picsellia_jupyter.display.embedding import Shown
from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.display.pictures import predicted_image_html
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage


def with_the_viewer(scene: Scene) -> bytes:
    """Ours."""
    return viewer_page(scene).encode()


def viewer_page(scene: Scene) -> str:
    """What `found[0].show(embed="full")` puts into a notebook."""
    image = PredictedImage("scene.jpg", ImageSize(WIDTH, HEIGHT), scene.found, 0.01)
    shown = Shown(image, functools.partial(bytes, scene.photo))
    return predicted_image_html(shown, NAMES, THRESHOLD)


def with_matplotlib(scene: Scene) -> bytes:
    """A patch and a text a box, saved as a notebook would."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    with Image.open(io.BytesIO(scene.photo)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    height, width = pixels.shape[:2]
    figure = Figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(pixels)
    axes.set_axis_off()
    for box, index, score in _rows(scene):
        colour = tuple(channel / 255 for channel in label_colour(index))
        left, top, right, bottom = box
        patch = Rectangle(
            (left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=2
        )
        axes.add_patch(patch)
        text = f"{NAMES[index]} {score:.2f}"
        axes.text(left, top, text, fontsize=8, color="white", bbox={"facecolor": colour, "pad": 1})
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return base64.b64encode(stream.getvalue())


def with_pillow(scene: Scene) -> bytes:
    """Rectangles and texts drawn into the photo, as the PNG that a notebook makes of it."""
    with Image.open(io.BytesIO(scene.photo)) as opened:
        picture = opened.convert("RGB")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=14)
    for box, index, score in _rows(scene):
        colour = label_colour(index)
        pen.rectangle(box, outline=colour, width=3)
        text = f"{NAMES[index]} {score:.2f}"
        corner = (box[0], box[1])
        pen.rectangle(pen.textbbox(corner, text, font=font), fill=colour)
        pen.text(corner, text, fill="white", font=font)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return base64.b64encode(stream.getvalue())


def with_supervision(scene: Scene) -> bytes:
    """Its annotators, and the PNG that a notebook makes of the result."""
    import supervision

    with Image.open(io.BytesIO(scene.photo)) as opened:
        pixels = np.asarray(opened.convert("RGB"))[:, :, ::-1].copy()
    found = supervision.Detections(
        xyxy=scene.found.boxes_xyxy,
        confidence=scene.found.scores,
        class_id=scene.found.classes,
    )
    texts = [f"{NAMES[index]} {score:.2f}" for _, index, score in _rows(scene)]
    pixels = supervision.BoxAnnotator().annotate(pixels, found)
    pixels = supervision.LabelAnnotator().annotate(pixels, found, labels=texts)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])).save(stream, "PNG")
    return base64.b64encode(stream.getvalue())


def _rows(scene: Scene) -> list[tuple[tuple[float, ...], int, float]]:
    found = scene.found
    columns = zip(
        found.boxes_xyxy.tolist(), found.classes.tolist(), found.scores.tolist(), strict=True
    )
    return [(tuple(box), index, score) for box, index, score in columns]


OURS, MATPLOTLIB, PILLOW, SUPERVISION = "viewer", "matplotlib", "Pillow", "supervision"
WAYS: Mapping[str, Callable[[Scene], bytes]] = {
    OURS: with_the_viewer,
    MATPLOTLIB: with_matplotlib,
    PILLOW: with_pillow,
    SUPERVISION: with_supervision,
}
