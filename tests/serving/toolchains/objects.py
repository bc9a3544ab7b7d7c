"""Outputs that name their objects: TensorFlow's, torchvision's, and forms of our own."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains.case import Case, Expected
from tests.serving.toolchains.reference import FLOOR, seen, within
from tests.serving.toolchains.view import HEIGHT, WIDTH, View

CLASSES, OBJECTS, JOINTS, GRID = 3, 8, 4, 15


class Objects(nn.Module):
    """Boxes in parts of the sides, scores and classes from the photo's own pixels."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(21)
        self.corners = nn.Linear(3 * 64, OBJECTS * 4)
        self.scores = nn.Linear(3 * 64, OBJECTS * CLASSES)
        self.shapes = nn.Linear(3 * 64, OBJECTS * GRID * GRID)
        for linear in (self.corners, self.scores):
            nn.init.normal_(linear.weight, std=0.3)
        nn.init.normal_(self.shapes.weight, std=0.3)

    def forward(self, images):
        return self.formed(functional.avg_pool2d(images, 8).flatten(1), images)

    def boxes(self, pixels):
        """(N, 4) left, top, right, bottom as parts of the sides."""
        numbers = self.corners(pixels).sigmoid().reshape(OBJECTS, 4)
        start = numbers[:, :2] * 0.6
        return torch.cat([start, start + 0.15 + numbers[:, 2:] * 0.25], -1)

    def best(self, pixels):
        """(N,) scores, best first, and classes."""
        score, label = self.scores(pixels).sigmoid().reshape(OBJECTS, CLASSES).max(-1)
        return score.sort(descending=True).values, label

    def masks(self, pixels):
        """(N, h, w) probabilities within each box, smooth as a network's."""
        raw = self.shapes(pixels).reshape(1, OBJECTS, GRID, GRID)
        smooth = functional.avg_pool2d(raw, 5, stride=1, padding=2)
        return (smooth * 4 + 1).sigmoid()[0]


class TensorFlowForm(Objects):
    with_masks = False

    def formed(self, pixels, images):
        score, label = self.best(pixels)
        found = {
            "detection_boxes": self.boxes(pixels)[None, :, [1, 0, 3, 2]],
            "detection_scores": score[None],
            "detection_classes": label[None].float() + 1,
            "num_detections": torch.full((1,), OBJECTS - 1.0) + 0 * score.sum(),
        }
        return {**found, "detection_masks": self.masks(pixels)[None]} if self.with_masks else found


class TensorFlowMasks(TensorFlowForm):
    with_masks = True


class TorchvisionForm(Objects):
    extra: str | None = None

    def formed(self, pixels, images):
        score, label = self.best(pixels)
        boxes = self.boxes(pixels) * images.shape[-1]
        found = {"boxes": boxes, "labels": label + 1, "scores": score}
        if self.extra == "masks":
            found["masks"] = self.pasted(pixels)
        if self.extra == "keypoints":
            found["keypoints"] = self.joints(pixels, images.shape[-1])
        return found

    def pasted(self, pixels):
        masks = functional.interpolate(self.masks(pixels)[None], (64, 64), mode="bilinear")
        return masks[0][:, None]

    def joints(self, pixels, side):
        xy = self.shapes(pixels).reshape(OBJECTS, -1)[:, : 2 * JOINTS].sigmoid() * side
        return torch.cat([xy.reshape(OBJECTS, JOINTS, 2), torch.ones(OBJECTS, JOINTS, 1)], -1)


class TorchvisionMasks(TorchvisionForm):
    extra = "masks"


class TorchvisionKeypoints(TorchvisionForm):
    extra = "keypoints"


class BoxesScores(Objects):
    def formed(self, pixels, images):
        scores = self.scores(pixels).sigmoid().reshape(1, OBJECTS, CLASSES)
        return {"boxes": self.boxes(pixels)[None] * images.shape[-1], "scores": scores}


class Paths(Objects):
    """Keypoints, lines or points, in pixels of the input."""

    name, numbers = "keypoints", 3

    def formed(self, pixels, images):
        score, label = self.best(pixels)
        drawn = self.shapes(pixels).reshape(OBJECTS, -1)[:, : JOINTS * self.numbers]
        drawn = drawn.sigmoid().reshape(1, OBJECTS, JOINTS, self.numbers)
        xy = drawn[..., :2] * images.shape[-1]
        shapes = self.shaped(torch.cat([xy, drawn[..., 2:]], -1))
        return {self.name: shapes, "scores": score[None], "classes": label[None]}

    def shaped(self, drawn):
        return drawn


class LinePaths(Paths):
    name, numbers = "lines", 2


class PointPaths(LinePaths):
    name = "points"

    def shaped(self, drawn):
        return drawn[:, :, 0]


# What comes of them ------------------------------------------------------------------------


def tensorflow(outputs, view, *, masks=False):
    count = int(outputs["num_detections"][0])
    scores = outputs["detection_scores"][0][:count]
    drawn = outputs["detection_boxes"][0][:count, [1, 0, 3, 2]] * view.side
    boxes = view.boxes_back(drawn)
    kept = [row for row in seen(boxes) if scores[row] >= FLOOR]
    classes = outputs["detection_classes"][0].astype(int) - 1
    expected = Expected([classes[row] for row in kept], [scores[row] for row in kept], boxes[kept])
    if not masks:
        return expected
    cut = [
        within(pasted(outputs["detection_masks"][0][row], drawn[row], view) >= 0.5, boxes[row])
        for row in kept
    ]
    return Expected(expected.classes, expected.scores, masks=cut)


def pasted(grid, box, view):
    """A mask within a box of the input, read at the photo's pixels by torch."""
    scale, offset = np.array(view.ratio), np.array(view.offset)
    x = ((np.arange(WIDTH) + 0.5) * scale[0] + offset[0] - box[0]) / (box[2] - box[0])
    y = ((np.arange(HEIGHT) + 0.5) * scale[1] + offset[1] - box[1]) / (box[3] - box[1])
    where = np.stack(np.meshgrid(x, y), -1)[None] * 2 - 1
    read = functional.grid_sample(
        torch.from_numpy(grid)[None, None],
        torch.from_numpy(where.astype(np.float32)),
        padding_mode="border",
        align_corners=False,
    )
    return read[0, 0].numpy()


def torchvision(outputs, view, *, extra=None):
    boxes, scores = view.boxes_back(outputs["boxes"]), outputs["scores"]
    kept = [row for row in seen(boxes) if scores[row] >= FLOOR]
    classes = [int(outputs["labels"][row]) - 1 for row in kept]
    if extra == "masks":
        margin = 2 / view.ratio[0] * np.array([-1, -1, 1, 1])
        drawn = view.sampled(outputs["masks"][kept, 0]) >= 0.5
        cut = [within(m, boxes[row] + margin) for m, row in zip(drawn, kept, strict=True)]
        there = [k for k, mask in enumerate(cut) if mask.any()]
        return Expected(
            [classes[k] for k in there], scores[kept][there], masks=[cut[k] for k in there]
        )
    if extra == "keypoints":
        points = outputs["keypoints"][kept]
        visible = np.full((*points.shape[:2], 1), 2)
        return Expected(
            classes, scores[kept], paths=np.concatenate([view.back(points[..., :2]), visible], -1)
        )
    return Expected(classes, scores[kept], boxes[kept])


def boxes_scores(outputs, view):
    from tests.serving.toolchains.reference import suppressed

    boxes, scores = outputs["boxes"][0], outputs["scores"][0]
    rows, classes = np.nonzero(scores >= FLOOR)
    on_photo = view.boxes_back(boxes[rows])
    there = seen(on_photo)
    rows, classes = rows[there], classes[there]
    values = scores[rows, classes]
    kept = suppressed(boxes[rows], classes, values, 0.5)
    return Expected(classes[kept], values[kept], on_photo[there][kept])


def paths(outputs, view, *, name):
    shapes, scores = outputs[name][0], outputs["scores"][0]
    kept = [row for row in range(OBJECTS) if scores[row] >= FLOOR]
    placed = view.back(shapes[kept][..., :2])
    if name == "keypoints":
        visible = np.where(shapes[kept][..., 2:] >= 0.5, 2, 0)
        placed = np.concatenate([placed, visible], -1)
    return Expected([int(outputs["classes"][0][row]) for row in kept], scores[kept], paths=placed)


DETECT, SEGMENT = "object detection", "instance segmentation"
MASKS, POLYGONS = InferenceType.MASK, InferenceType.SEGMENTATION
BOXES, KEYPOINT = InferenceType.OBJECT_DETECTION, InferenceType.KEYPOINT
TF, TV, OWN = "TensorFlow Object Detection API", "torchvision", "any"
TF_NAMES = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
TV_NAMES = ("boxes", "labels", "scores")
TF_FORM = "`detection_boxes` (1, N, 4) and so on"
TV_FORM = "`boxes` (N, 4), `labels`, `scores`"


def _tf(task, form, kind, make, names, **how):
    return Case(
        TF, task, form, kind, CLASSES, make, functools.partial(tensorflow, **how), View(), names
    )


def _tv(task, form, kind, make, extra):
    names = TV_NAMES if extra is None else (*TV_NAMES, extra)
    expected = functools.partial(torchvision, extra=extra)
    return Case(TV, task, form, kind, CLASSES, make, expected, View(), names)


def _own(task, form, kind, make, name):
    expected = functools.partial(paths, name=name)
    names = (name, "scores", "classes")
    return Case(OWN, task, form, kind, CLASSES, make, expected, View(), names)


AND = ", `scores`, `classes`"
TF_MASKS = (*TF_NAMES, "detection_masks")
CASES = [
    _tf(DETECT, TF_FORM, BOXES, TensorFlowForm, TF_NAMES),
    _tf(
        f"{SEGMENT}, masks", "the same, `detection_masks` (1, N, h, w)", MASKS, TensorFlowMasks,
        TF_MASKS, masks=True,
    ),
    _tf(
        f"{SEGMENT}, polygons", "the same, `detection_masks` (1, N, h, w)", POLYGONS,
        TensorFlowMasks, TF_MASKS, masks=True,
    ),
    _tv(DETECT, TV_FORM, BOXES, TorchvisionForm, None),
    _tv(f"{SEGMENT}, masks", "the same, `masks` (N, 1, H, W)", MASKS, TorchvisionMasks, "masks"),
    _tv(
        f"{SEGMENT}, polygons", "the same, `masks` (N, 1, H, W)", POLYGONS, TorchvisionMasks,
        "masks",
    ),
    _tv(
        "keypoints", "the same, `keypoints` (N, K, 3)", KEYPOINT, TorchvisionKeypoints, "keypoints",
    ),
    Case(
        OWN, DETECT, "`boxes` (1, A, 4), `scores` (1, A, C)", BOXES, CLASSES, BoxesScores,
        boxes_scores, View(), ("boxes", "scores"),
    ),
    _own("keypoints", "`keypoints` (1, N, K, 3)" + AND, KEYPOINT, Paths, "keypoints"),
    _own("lines", "`lines` (1, N, K, 2)" + AND, InferenceType.LINE, LinePaths, "lines"),
    _own("points", "`points` (1, N, 2)" + AND, InferenceType.POINT, PointPaths, "points"),
]  # fmt: skip
