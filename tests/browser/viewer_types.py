"""A photograph with shapes of each type on it, as models find them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Prediction,
    Segmentation,
)

SIZE = ImageSize(512, 600)
"""Of the portrait of Grace Hopper that matplotlib brings."""
PLACES = {
    "boxes": ([(x, 200) for x in range(147, 154)], 0),
    "polygons": ([(x, 215) for x in range(301, 310)], 0),
    "masks": ([(x, 215) for x in range(298, 307)], 0),
    "keypoints": ([(x, 400) for x in range(416, 425)], 5),
    "lines": ([(x, 425) for x in range(203, 212)], 4),
    "points": ([(400, y) for y in range(298, 305)], 3),
}
"""Where something of each type is drawn, in pixels of the photograph, and of which class it is."""
NAMES = {0: "face", 1: "cap", 2: "medal ribbon", 3: "button", 4: "sleeve stripe", 5: "person"}


def portrait() -> bytes:
    """The photograph, JPEG."""
    return (Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").read_bytes()


def all_types() -> Mapping[str, Prediction]:
    """What is on it, by the name of its type."""
    return {
        "boxes": boxes(),
        "polygons": Segmentation(**heads((1, 0.94), (0, 0.88)), polygons=(_cap(), _face())),
        "masks": Masks(**heads((0, 0.91), (1, 0.83)), masks=(_mask(_face()), _mask(_cap()))),
        "keypoints": Keypoints(**heads((5, 0.97)), keypoints=(_person(),)),
        "lines": Lines(**heads((4, 0.9), (4, 0.72)), lines=tuple(_lapels())),
        "points": Points(**heads((3, 0.95), (3, 0.9), (3, 0.6)), points=_buttons()),
        "classes": Classification(**heads((5, 0.93), (0, 0.05), (1, 0.02))),
    }


def boxes() -> Detections:
    """A few boxes, one of which lies in another, and an unsure one."""
    rows = [(150, 90, 320, 330), (145, 30, 335, 130), (120, 20, 500, 600), (350, 440, 460, 520)]
    found = heads((0, 0.96), (1, 0.87), (5, 0.71), (2, 0.34))
    return Detections(**found, boxes_xyxy=np.array(rows, np.float32))


def heads(*pairs: tuple[int, float]) -> dict[str, NDArray[np.generic]]:
    """Classes and scores."""
    classes, scores = zip(*pairs, strict=True)
    return {"classes": np.array(classes, np.int64), "scores": np.array(scores, np.float32)}


def _face() -> NDArray[np.float32]:
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([235 + 70 * np.cos(turn), 215 + 100 * np.sin(turn)], 1).astype(np.float32)


def _cap() -> NDArray[np.float32]:
    points = [(150, 110), (175, 45), (260, 30), (325, 60), (330, 120), (240, 100)]
    return np.array(points, np.float32)


def _mask(outline: NDArray[np.float32]) -> str:
    """An outline's inside, as run-length code."""
    from PIL import Image, ImageDraw

    inside = Image.new("1", (SIZE.width, SIZE.height))
    ImageDraw.Draw(inside).polygon([tuple(point) for point in outline], fill=1)
    return rle.encode(np.asarray(inside), SIZE)


def _person() -> NDArray[np.float32]:
    """COCO's 17 points; hips, knees and ankles are not on the photo."""
    points = np.zeros((17, 3), np.float32)
    points[:5] = [(233, 220, 2), (262, 185, 2), (205, 187, 2), (300, 200, 2), (172, 205, 1)]
    points[5:11] = [
        (420, 400, 2), (110, 430, 2), (480, 560, 2), (60, 590, 1), (0, 0, 0), (0, 0, 0),
    ]  # fmt: skip
    return points


def _lapels() -> list[NDArray[np.float32]]:
    rows = [[(190, 380), (225, 470), (245, 590)], [(340, 370), (300, 470), (262, 590)]]
    return [np.array(row, np.float32) for row in rows]


def _buttons() -> NDArray[np.float32]:
    return np.array([(262, 560), (215, 470), (400, 300)], np.float32)
