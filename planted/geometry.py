"""Shapes that lie elsewhere, or are of another class."""

from __future__ import annotations

from planted.fault import Fault

FAULTS = (
    Fault(
        "box-order",
        "boxes go out as left, top, right, bottom",
        "picsellia_jupyter/wire/predictions.py",
        "_whole(found.boxes_xyxy, size)[:, [1, 0, 3, 2]].tolist()",
        "_whole(found.boxes_xyxy, size).tolist()",
        ("tests/wire/test_predictions.py",),
    ),
    Fault(
        "model-box-order",
        "boxes that a model gives as top, left, … are taken as they come",
        "picsellia_jupyter/serving/heads/boxes.py",
        "        boxes = boxes[:, [1, 0, 3, 2]]\n",
        "        boxes = boxes[:, [0, 1, 2, 3]]\n",
        ("tests/serving/test_heads.py",),
    ),
    Fault(
        "letterbox-stays",
        "the letterbox's margins are not taken off",
        "picsellia_jupyter/serving/pixels.py",
        "(xy - np.array([self.left, self.top], dtype=np.float64)) * scale)",
        "xy * scale)",
        ("tests/serving/test_pixels.py",),
    ),
    Fault(
        "lying-photo",
        "the EXIF orientation of a photo is ignored by the slow decoder",
        "picsellia_jupyter/serving/pixels.py",
        "        return Photo.of(_convertible(ImageOps.exif_transpose(image)), content_type)",
        "        return Photo.of(_convertible(image), content_type)",
        ("tests/serving/test_pixels.py",),
    ),
    Fault(
        "lying-jpeg",
        "the EXIF orientation of a photo is ignored by the fast decoder",
        "picsellia_jupyter/serving/jpegs.py",
        "    return upright(pixels, orientation)",
        "    return upright(pixels, 1)",
        ("tests/serving/test_same_pixels.py",),
    ),
    Fault(
        "lying-upload",
        "the platform stores a lying photo with its size before turning",
        "picsellia_jupyter/localplatform/images.py",
        "    if _orientation(image) in _SIDEWAYS:",
        "    if _orientation(image) in ():",
        (
            "tests/localplatform/test_monitoring.py::"
            "test_a_photo_taken_sideways_is_stored_with_its_upright_size",
        ),
    ),
    Fault(
        "lying-outlier",
        "outlier scores are of photos before turning",
        "picsellia_jupyter/localplatform/images.py",
        "            upright = ImageOps.exif_transpose(image).convert(\"RGB\")",
        "            upright = image.convert(\"RGB\")",
        ("tests/localplatform/test_outliers.py::test_a_photo_that_lies_is_weighed_upright",),
    ),
    Fault(
        "off-by-one-label",
        "a model's classes are counted from one",
        "picsellia_jupyter/serving/heads/selection.py",
        "        classes[kept] + wanted.label_offset,",
        "        classes[kept] + wanted.label_offset + 1,",
        ("tests/serving/test_heads.py",),
    ),
    Fault(
        "at-threshold",
        "what is scored exactly the threshold is considered",
        "picsellia_jupyter/domain/predictions.py",
        "scores.astype(np.float32) > np.float32(threshold)",
        "scores.astype(np.float32) >= np.float32(threshold)",
        ("tests/domain/test_predictions.py",),
    ),
    Fault(
        "double-threshold",
        "scores are compared with the threshold in double precision",
        "picsellia_jupyter/domain/predictions.py",
        "scores.astype(np.float32) > np.float32(threshold)",
        "scores.astype(np.float64) > threshold",
        ("tests/domain/test_predictions.py",),
    ),
    Fault(
        "classes-suppress-each-other",
        "suppression looks at no class",
        "picsellia_jupyter/serving/heads/selection.py",
        "np.maximum(union, 1e-12) > overlap) & alike)",
        "np.maximum(union, 1e-12) > overlap) & (alike | True))",
        ("tests/serving/test_heads.py",),
    ),
    Fault(
        "mask-by-rows",
        "a mask's code is read along the rows",
        "picsellia_jupyter/domain/rle.py",
        'np.repeat(inside, runs).reshape((size.height, size.width), order="F")',
        'np.repeat(inside, runs).reshape((size.height, size.width), order="C")',
        ("tests/domain/test_rle.py",),
    ),
    Fault(
        "score-over-one",
        "a score that rounding took over 1 stays there",
        "picsellia_jupyter/serving/heads/classes.py",
        "    return np.clip(scores, 0, 1)",
        "    return scores",
        ("tests/serving/test_heads.py",),
    ),
    Fault(
        "coordinates-beyond",
        "a box may reach beyond its photo",
        "picsellia_jupyter/wire/predictions.py",
        "    inside = np.minimum(np.maximum(xy, 0), limits)",
        "    inside = np.minimum(xy, np.maximum(xy, limits))",
        ("tests/wire/test_predictions.py",),
    ),
)  # fmt: skip
"""Each a mistake that looks right on most photos."""
