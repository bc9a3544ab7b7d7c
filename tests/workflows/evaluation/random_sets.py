"""Random evaluation sets with crowds, ties and empty images, and pycocotools' word on them."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from picsellia_jupyter.domain.ground_truth import EvaluationSet, Objects, Overlap
from picsellia_jupyter.domain.predictions import ImageSize

SIDE = 160
BOX_STATS = (
    "ap_50_95", "ap_50", "ap_75", "ap_small", "ap_medium", "ap_large",
    "ar_50_95_det1", "ar_50_95_det10", "ar_50_95_det100", "ar_small", "ar_medium", "ar_large",
)  # fmt: skip
KEYPOINT_STATS = (
    "ap_50_95", "ap_50", "ap_75", "ap_medium", "ap_large",
    "ar_50_95_det20", "ar_50_det20", "ar_75_det20", "ar_medium", "ar_large",
)  # fmt: skip
"""The order of COCO's own lists."""


def random_set(seed: int, overlap: Overlap) -> EvaluationSet:
    """A small set; images and labels without any object occur on either side."""
    rng = np.random.default_rng(seed)
    images, labels = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    truth = _objects(rng, overlap, images, labels, n=int(rng.integers(0, 9)))
    found = _objects(rng, overlap, images, labels, n=int(rng.integers(0, 12)), near=truth)
    crowd = rng.random(len(truth)) < 0.2
    areas = rng.choice([300.0, 1024.0, 2000.0, 9216.0, 12_000.0], len(truth))
    given = areas if rng.random() < 0.7 or overlap is Overlap.KEYPOINT else None
    truth = Objects(truth.image_of, truth.classes, truth.scores, truth.shapes, given, crowd)
    sizes = [ImageSize(SIDE, SIDE)] * images
    return EvaluationSet(sizes, [f"label {n}" for n in range(labels)], truth, found, overlap)


def reference(data: EvaluationSet) -> list[float]:
    """What pycocotools says, -1 where there is no ground truth."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = _coco(data, [_annotation(data, data.truth, row) for row in range(len(data.truth))])
        found = truth.loadRes(_results(data)) if len(data.found) else _coco(data, [])
        done = COCOeval(truth, found, data.overlap.value)
        done.evaluate()
        done.accumulate()
        done.summarize()
    return [float(value) for value in done.stats]


def boxes(*rows):
    """Objects by hand: (image, label, score, left, top, width, height) each."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    image_of, classes = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    return Objects(image_of, classes, table[:, 2].copy(), table[:, 3:].copy())


def box_set(truth, found, *, images=1, labels=("cat",), **options):
    """A set of boxes by hand."""
    sizes = [ImageSize(SIDE, SIDE)] * images
    return EvaluationSet(sizes, labels, boxes(*truth), boxes(*found), Overlap.BOX, **options)


def _objects(rng, overlap, images, labels, *, n, near=None):
    image_of, classes = rng.integers(0, images, n), rng.integers(0, labels, n)
    corners = np.column_stack([rng.uniform(0, 60, (n, 2)), rng.uniform(4, 98, (n, 2))])
    if near is not None and len(near) and n:
        # Most of what is found lies near the truth, some exactly on it.
        source = rng.integers(0, len(near), n)
        image_of, classes = near.image_of[source], near.classes[source].copy()
        classes[rng.random(n) < 0.2] = rng.integers(0, labels)
        noise = rng.normal(0, 3, (n, 4)) * (rng.random((n, 1)) < 0.8)
        corners = np.abs(_frames(near.shapes, overlap)[source] + noise) + 1e-3
    scores = rng.choice([0.1, 0.3, 0.5, 0.5, 0.7, 0.9], n)
    return Objects(image_of, classes, scores, _shapes(rng, overlap, corners))


def _shapes(rng, overlap, corners):
    if overlap is Overlap.BOX:
        return corners
    if overlap is Overlap.MASK:
        return tuple(_mask(corner, round_=rng.random() < 0.5) for corner in corners)
    points = rng.uniform(0, 1, (len(corners), 17, 2)) if len(corners) else np.zeros((0, 17, 2))
    points = corners[:, None, :2] + points * corners[:, None, 2:] * 0.2
    seen = rng.integers(0, 3, (*points.shape[:2], 1)) * (rng.random((len(points), 1, 1)) < 0.9)
    return tuple(np.concatenate([points, seen], axis=2).astype(np.float32))


def _mask(corner, *, round_):
    left, top, width, height = corner
    down, across = np.mgrid[0:SIDE, 0:SIDE]
    inside = (across >= left) & (across < left + width) & (down >= top) & (down < top + height)
    if round_:
        middle = (left + width / 2, top + height / 2)
        inside = (2 * (across - middle[0]) / width) ** 2 + (
            2 * (down - middle[1]) / height
        ) ** 2 < 1
    inside[int(min(top, SIDE - 1)), int(min(left, SIDE - 1))] = True
    return masks.encode(np.asfortranarray(inside, np.uint8))["counts"].decode()


def _frames(shapes, overlap):
    if overlap is Overlap.BOX:
        return shapes
    if overlap is Overlap.MASK:
        return np.array([masks.toBbox(_rle(shape)) for shape in shapes])
    return np.array([[*p[:, :2].min(axis=0), *np.ptp(p[:, :2], axis=0) * 5] for p in shapes])


def _rle(counts):
    return {"size": [SIDE, SIDE], "counts": counts.encode()}


def _coco(data, annotations):
    made = COCO()
    made.dataset = {
        "images": [{"id": n + 1, "width": SIDE, "height": SIDE} for n in range(len(data.sizes))],
        "categories": [{"id": n + 1, "name": name} for n, name in enumerate(data.labels)],
        "annotations": annotations,
    }
    made.createIndex()
    return made


def _results(data):
    rows = range(len(data.found))
    return [{**_placed(data, data.found, r), "score": float(data.found.scores[r])} for r in rows]


def _annotation(data, side, row):
    shape = _placed(data, side, row)
    if side.areas is not None:
        area = float(side.areas[row])
    elif data.overlap is Overlap.BOX:
        area = float(side.shapes[row][2] * side.shapes[row][3])
    else:
        area = float(masks.area(_rle(side.shapes[row])))
    return {**shape, "id": row + 1, "area": area, "iscrowd": int(side.crowd[row])}


def _placed(data, side, row):
    shape = side.shapes[row]
    place = {"image_id": int(side.image_of[row]) + 1, "category_id": int(side.classes[row]) + 1}
    if data.overlap is Overlap.BOX:
        return {**place, "bbox": [float(value) for value in shape]}
    if data.overlap is Overlap.MASK:
        return {**place, "segmentation": _rle(shape)}
    seen = shape[shape[:, 2] > 0]
    around = (seen if len(seen) else shape)[:, :2].astype(float)
    low, high = around.min(axis=0), around.max(axis=0)
    return {
        **place,
        "keypoints": [float(value) for value in shape.ravel()],
        "num_keypoints": len(seen),
        "bbox": [*low, *(high - low)],
    }
