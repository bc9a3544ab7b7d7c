"""Reviewed images as an evaluation set: labels by name, what cannot be used left out by name."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidInputError, InvalidPredictionError
from picsellia_jupyter.domain.ground_truth import (
    ClassifiedImages,
    EvaluationSet,
    Named,
    Objects,
    Overlap,
    ReviewedImage,
)
from picsellia_jupyter.domain.predictions import (
    Detections,
    ImageSize,
    Keypoints,
    Masks,
    Segmentation,
)
from picsellia_jupyter.domain.registry import InferenceType

OVERLAPS: Mapping[InferenceType, Overlap] = {
    InferenceType.OBJECT_DETECTION: Overlap.BOX,
    InferenceType.SEGMENTATION: Overlap.MASK,
    InferenceType.MASK: Overlap.MASK,
    InferenceType.KEYPOINT: Overlap.KEYPOINT,
}
Side = Callable[[ReviewedImage], Named]
"""Which model's objects are meant."""


def overlap_of(kind: InferenceType) -> Overlap:
    """How objects of a type are compared.

    Raises:
        InvalidInputError: there is no agreed measure for this type.
    """
    if kind not in OVERLAPS:
        raise InvalidInputError(
            f"There are no supervised metrics for the type {kind.title}.",
            "There are for classification, object detection, segmentation, mask and keypoint.",
        )
    return OVERLAPS[kind]


def champion(image: ReviewedImage) -> Named:
    """What the champion found."""
    return image.champion


def shadow(image: ReviewedImage) -> Named:
    """What the shadow model found, in an image that it was given."""
    return cast("Named", image.shadow)


def label_list(images: Sequence[ReviewedImage], known: Sequence[str]) -> tuple[str, ...]:
    """The labels that the models know, then those that only reviews or predictions have."""
    sides = ((image.truth, image.champion, image.shadow) for image in images)
    used = (label for sides_of in sides for named in sides_of if named for label in named.labels)
    return tuple(dict.fromkeys((*known, *used)))


def label_notices(images: Sequence[ReviewedImage], known: Sequence[str]) -> list[str]:
    """Labels that reviews or predictions have and no model version of the deployment knows."""
    in_truth = _strange((image.truth for image in images), known)
    in_found = _strange((image.champion for image in images), known)
    said = [
        f"Reviews have the label {label!r} ({_times(n)}), which the model does not know: "
        f"it counts as missed.{_suggestion(label, known)}"
        for label, n in in_truth.items()
    ]
    said += [
        f"The model found {label!r} ({_times(n)}), for which its version has no label."
        for label, n in in_found.items()
    ]
    return said


def usable(
    images: Sequence[ReviewedImage], kind: InferenceType
) -> tuple[list[ReviewedImage], list[str]]:
    """The images that can be evaluated, and a notice for those that cannot."""
    problems = [(image, _problem(image, kind)) for image in images]
    reasons = Counter(problem for _, problem in problems if problem)
    notices = [f"{_left_out(n)}: {problem}" for problem, n in reasons.items()]
    return [image for image, problem in problems if not problem], notices


def evaluation_set(
    images: Sequence[ReviewedImage],
    labels: Sequence[str],
    overlap: Overlap,
    side: Side,
    *,
    max_detections: int | None = None,
) -> EvaluationSet:
    """The ground truth of images beside what one model found in them."""
    return EvaluationSet(
        sizes=[image.size for image in images],
        labels=labels,
        truth=_objects([image.truth for image in images], labels, overlap),
        found=_objects([side(image) for image in images], labels, overlap),
        overlap=overlap,
        max_detections=max_detections,
    )


def classified(
    images: Sequence[ReviewedImage], labels: Sequence[str], side: Side
) -> ClassifiedImages:
    """The true class of images beside a model's confidence in every class."""
    row_of = {label: row for row, label in enumerate(labels)}
    scores = np.zeros((len(images), len(labels)))
    for row, image in enumerate(images):
        named = side(image)
        columns = [row_of[label] for label in named.labels]
        scores[row, columns] = named.objects.scores
    truth = np.array([row_of[image.truth.labels[0]] for image in images], np.int64)
    return ClassifiedImages(labels, truth, scores)


def _objects(sides: Sequence[Named], labels: Sequence[str], overlap: Overlap) -> Objects:
    row_of = {label: row for row, label in enumerate(labels)}
    counts = [len(named.labels) for named in sides]
    return Objects(
        image_of=np.repeat(np.arange(len(sides), dtype=np.int64), counts),
        classes=np.array([row_of[label] for named in sides for label in named.labels], np.int64),
        scores=np.concatenate([np.zeros(0), *(named.objects.scores for named in sides)]),
        shapes=_boxes(sides) if overlap is Overlap.BOX else _shapes(sides),
    )


def _boxes(sides: Sequence[Named]) -> NDArray[np.float64]:
    """(N, 4) left, top, width, height."""
    corners = [cast("Detections", named.objects).boxes_xyxy for named in sides]
    boxes = np.concatenate([np.zeros((0, 4)), *corners]).astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    return boxes


def _shapes(sides: Sequence[Named]) -> tuple[str | NDArray[np.float32], ...]:
    return tuple(shape for named in sides for shape in _shapes_of(named))


def _shapes_of(named: Named) -> Sequence[str | NDArray[np.float32]]:
    found = named.objects
    if isinstance(found, Masks):
        return found.masks
    if isinstance(found, Segmentation):
        return found.polygons
    return cast("Keypoints", found).keypoints


# What cannot be used --------------------------------------------------------------------------


def _problem(image: ReviewedImage, kind: InferenceType) -> str | None:
    """Why an image cannot be evaluated; None where it can."""
    if kind is InferenceType.CLASSIFICATION:
        number = len(image.truth.labels)
        return None if number == 1 else f"a review names {number} classes, not one."
    sides = [named for named in (image.truth, image.champion, image.shadow) if named]
    if kind is InferenceType.KEYPOINT:
        counts = {len(points) for named in sides for points in _shapes_of(named)}
        return None if len(counts) <= 1 else "its objects have different numbers of keypoints."
    if kind in (InferenceType.MASK, InferenceType.SEGMENTATION):
        return next((wrong for named in sides if (wrong := _broken(named, image.size))), None)
    return None


def _broken(named: Named, size: ImageSize) -> str | None:
    for shape in _shapes_of(named):
        if isinstance(shape, str):
            try:
                rle.check(shape, size)
            except InvalidPredictionError as error:
                return error.fact
    return None


def _strange(sides: Iterable[Named], known: Sequence[str]) -> Counter[str]:
    counts = Counter(label for named in sides for label in named.labels)
    return Counter({label: n for label, n in counts.items() if label not in set(known)})


def _suggestion(label: str, known: Sequence[str]) -> str:
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(label.lower(), lowered, n=1, cutoff=0.8)
    return f" Is it {lowered[near[0]]!r}?" if near else ""


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _left_out(number: int) -> str:
    return f"{number:,} reviewed image{'' if number == 1 else 's'} left out"
