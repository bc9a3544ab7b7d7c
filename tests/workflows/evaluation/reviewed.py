"""Reviewed images by hand."""

from __future__ import annotations

import numpy as np

from picsellia_jupyter.domain.evaluation import Coverage
from picsellia_jupyter.domain.ground_truth import Named, ReviewedImage
from picsellia_jupyter.domain.predictions import Classification, Detections, ImageSize
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.workflows.evaluation.reports import Subject

SIZE = ImageSize(200, 200)


def boxes(*rows):
    """Boxes: (label, score, left, top, right, bottom) each."""
    table = np.array([row[1:] for row in rows], np.float32).reshape(-1, 5)
    found = Detections(np.zeros(len(rows), np.int64), table[:, 0].copy(), table[:, 1:].copy())
    return Named(tuple(row[0] for row in rows), found)


def classes(*pairs):
    """Classes: (label, score) each, the most confident first."""
    scores = np.array([score for _, score in pairs], np.float32)
    found = Classification(np.zeros(len(pairs), np.int64), scores)
    return Named(tuple(label for label, _ in pairs), found)


def image(truth, champion, shadow=None, **changes):
    """One reviewed image."""
    named = {"champion_model": "digits:0", "shadow_model": "digits:1" if shadow else ""}
    fields = {"id": "p", "at": 0.0, "size": SIZE, "truth": truth, "champion": champion}
    return ReviewedImage(**{**fields, "shadow": shadow, **named, **changes})


def subject(kind=InferenceType.OBJECT_DETECTION, *, known=("one", "two"), threshold=0.5, n=1):
    """What is evaluated, with n reviewed of 100 predicted."""
    coverage = Coverage(n, 100, {"random": n})
    return Subject("lines", kind, known, threshold, coverage)


def many(images=40, *, seed=0):
    """Images with one object each; the shadow model misses fewer of them."""
    rng = np.random.default_rng(seed)
    made = []
    for n in range(images):
        label = ("one", "two")[n % 2]
        it, else_ = (label, 1.0, 10, 10, 60, 60), (label, 0.6, 120, 120, 150, 150)
        finds = (("champion", 0.5), ("shadow", 0.95))
        found = {
            name: boxes((label, 0.9, 10, 10, 60, 60) if rng.random() < chance else else_)
            for name, chance in finds
        }
        made.append(image(boxes(it), **found, id=f"p{n}"))
    return made
