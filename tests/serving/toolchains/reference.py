"""What the toolchains' own post-processing does, written box by box."""

from __future__ import annotations

import numpy as np

from tests.serving.toolchains.view import HEIGHT, WIDTH

FLOOR, MOST = 0.05, 300


def corners(cxcywh):
    cx, cy, w, h = (float(side) for side in cxcywh)
    return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]


def iou(one, other):
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(wide, 0) * max(high, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)


def suppressed(boxes, classes, scores, overlap):
    """Rows that greedy, class-aware suppression keeps."""
    order = sorted(range(len(boxes)), key=lambda row: -scores[row])
    kept = []
    for row in order:
        rivals = (other for other in kept if classes[other] == classes[row])
        if all(iou(boxes[row], boxes[other]) <= overlap for other in rivals):
            kept.append(row)
    return kept[:MOST]


def likeliest(scores):
    """Rows, classes and scores of what is over the floor, by its best class; (A, C)."""
    found = [(row, int(np.argmax(s)), float(np.max(s))) for row, s in enumerate(scores)]
    found = [one for one in found if one[2] >= FLOOR]
    return [list(column) for column in zip(*found, strict=True)] if found else [[], [], []]


def seen(boxes):
    """Rows of boxes that have an area on the photo."""
    return [row for row, (x1, y1, x2, y2) in enumerate(boxes) if x2 > x1 and y2 > y1]


def within(mask, box):
    """A mask's pixels whose centre lies in a box of the photo."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return mask & (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def softmax(x, axis=-1):
    powers = np.exp(np.asarray(x, float) - np.max(x, axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
