"""Contracts of Ultralytics' and YOLOX's exports."""

from __future__ import annotations

import functools

import numpy as np

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains import yolo_modules as modules
from tests.serving.toolchains.case import Case, Expected
from tests.serving.toolchains.reference import (
    FLOOR,
    corners,
    likeliest,
    seen,
    suppressed,
    within,
)
from tests.serving.toolchains.view import View
from tests.serving.toolchains.yolo_modules import CLASSES, KEYPOINTS, PROTOTYPES, STRIDES

BOXES = InferenceType.OBJECT_DETECTION


def boxes_of(rows, view, overlap):
    """Rows (A, 4 + C), centres and class scores, to what is kept and where it lies."""
    found, classes, scores = likeliest(rows[:, 4:])
    drawn = np.array([corners(rows[row, :4]) for row in found]).reshape(-1, 4)
    visible = seen(view.boxes_back(drawn))
    picked = suppressed(
        [drawn[k] for k in visible],
        [classes[k] for k in visible],
        [scores[k] for k in visible],
        overlap,
    )
    kept = [visible[k] for k in picked]
    return (
        [found[k] for k in kept],
        Expected(
            [classes[k] for k in kept], [scores[k] for k in kept], view.boxes_back(drawn[kept])
        ),
    )


def with_objectness(rows):
    return np.concatenate([rows[:, :4], rows[:, 5:] * rows[:, 4:5]], axis=1)


def yolo8(outputs, view):
    return boxes_of(outputs["output0"][0].T, view, 0.7)[1]


def yolo5(outputs, view):
    return boxes_of(with_objectness(outputs["output0"][0]), view, 0.45)[1]


def end_to_end(outputs, view):
    return listed(outputs, view)[1]


def listed(outputs, view):
    """Rows that are found, and what they say."""
    rows = np.array([row for row in outputs["output0"][0] if row[4] >= FLOOR])
    boxes = view.boxes_back(rows[:, :4])
    rows, boxes = rows[seen(boxes)], boxes[seen(boxes)]
    return rows, Expected(rows[:, 5].astype(int).tolist(), rows[:, 4].tolist(), boxes)


def masks(outputs, view, *, five):
    rows = outputs["output0"][0] if five else outputs["output0"][0].T
    plain = rows[:, : rows.shape[1] - PROTOTYPES]
    plain = with_objectness(plain) if five else plain
    kept, expected = boxes_of(plain, view, 0.45 if five else 0.7)
    return drawn_masks(rows[kept, -PROTOTYPES:], outputs, expected, view)


def listed_masks(outputs, view):
    rows, expected = listed(outputs, view)
    return drawn_masks(rows[:, 6:], outputs, expected, view)


def drawn_masks(coefficients, outputs, expected, view):
    logits = np.einsum("nk,khw->nhw", coefficients, outputs["output1"][0])
    drawn = view.sampled(logits) > 0
    cut = [within(mask, box) for mask, box in zip(drawn, expected.boxes, strict=True)]
    there = [k for k, mask in enumerate(cut) if mask.any()]
    return Expected(
        [expected.classes[k] for k in there],
        [expected.scores[k] for k in there],
        masks=[cut[k] for k in there],
    )


def pose(outputs, view):
    rows = outputs["output0"][0].T
    kept, expected = boxes_of(rows[:, :5], view, 0.7)
    return jointed(rows[kept, 5:], expected, view)


def listed_pose(outputs, view):
    rows, expected = listed(outputs, view)
    return jointed(rows[:, 6:], expected, view)


def jointed(numbers, expected, view):
    points = numbers.reshape(-1, KEYPOINTS, 3)
    visible = np.where(points[..., 2:] >= 0.5, 2, 0)
    paths = np.concatenate([view.back(points[..., :2]), visible], -1)
    return Expected(expected.classes, expected.scores, paths=paths)


def yolox(outputs, view):
    return boxes_of(with_objectness(outputs["output0"][0]), view, 0.45)[1]


def yolox_raw(outputs, view):
    rows = outputs["output0"][0].astype(float)
    places = [
        (x, y, stride)
        for stride in STRIDES
        for y in range(view.side // stride)
        for x in range(view.side // stride)
    ]
    for row, (x, y, stride) in zip(rows, places, strict=True):
        row[:2] = (row[:2] + np.array([x, y])) * stride
        row[2:4] = np.exp(row[2:4]) * stride
    return boxes_of(with_objectness(rows), view, 0.45)[1]


V5, V8, X = "Ultralytics YOLOv5", "Ultralytics YOLOv8/11", "YOLOX"
LISTED = "Ultralytics YOLOv10, YOLO26 and `nms=True`"
DETECT, SEGMENT = "object detection", "instance segmentation"
X_VIEW = View(anchor="top_left", scale=1.0, bgr=True)
TWO = ("output0", "output1")


def _masks_case(toolchain, outputs, module, kind, task):
    return Case(
        toolchain,
        task,
        outputs,
        kind,
        CLASSES,
        module,
        functools.partial(masks, five=toolchain == V5),
        names=TWO,
    )


CASES = [
    Case(V5, DETECT, "(1, A, 5 + C)", BOXES, CLASSES, modules.Yolo5, yolo5),
    Case(V8, DETECT, "(1, 4 + C, A)", BOXES, CLASSES, modules.Yolo8, yolo8),
    Case(LISTED, DETECT, "(1, N, 6)", BOXES, CLASSES, modules.EndToEnd, end_to_end),
    Case(
        LISTED, f"{SEGMENT}, masks", "(1, N, 6 + 32), (1, 32, h, w)", InferenceType.MASK,
        CLASSES, modules.EndToEndSegments, listed_masks, names=TWO,
    ),
    Case(
        LISTED, "keypoints", "(1, N, 6 + 3 K)", InferenceType.KEYPOINT, 1,
        modules.EndToEndPose, listed_pose,
    ),
    _masks_case(
        V5,
        "(1, A, 5 + C + 32), (1, 32, h, w)",
        modules.Yolo5Segments,
        InferenceType.MASK,
        f"{SEGMENT}, masks",
    ),
    _masks_case(
        V8,
        "(1, 4 + C + 32, A), (1, 32, h, w)",
        modules.Yolo8Segments,
        InferenceType.MASK,
        f"{SEGMENT}, masks",
    ),
    _masks_case(
        V8,
        "(1, 4 + C + 32, A), (1, 32, h, w)",
        modules.Yolo8Segments,
        InferenceType.SEGMENTATION,
        f"{SEGMENT}, polygons",
    ),
    Case(
        V8,
        "keypoints",
        "(1, 5 + 3 K, A)",
        InferenceType.KEYPOINT,
        1,
        modules.Pose,
        pose,
    ),
    Case(
        X,
        DETECT,
        "(1, A, 5 + C), decoded",
        BOXES,
        CLASSES,
        modules.Yolox,
        yolox,
        X_VIEW,
    ),
    Case(
        X,
        DETECT,
        "(1, A, 5 + C), grids",
        BOXES,
        CLASSES,
        modules.YoloxGrids,
        yolox_raw,
        X_VIEW,
    ),
]  # fmt: skip
