"""The report of an evaluation: from reviewed images to figures with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.evaluation import (
    AtThreshold,
    Comparison,
    Confusion,
    Coverage,
    Difference,
    EvaluationReport,
    Interval,
    LabelScores,
)
from picsellia_jupyter.domain.ground_truth import EvaluationSet, Matches, ReviewedImage
from picsellia_jupyter.domain.predictions import over_threshold
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.workflows.evaluation import bootstrap, classification, coco, sets
from picsellia_jupyter.workflows.evaluation.calibration import calibration
from picsellia_jupyter.workflows.evaluation.coco import Evaluation
from picsellia_jupyter.workflows.evaluation.curves import (
    at_threshold,
    best_threshold,
    image_counts,
    label_curve,
    thinned,
)

BACKGROUND = "background"
_NOTHING = "Nothing is reviewed yet: there are no figures."
_FEW = (
    f"Under {bootstrap.FEWEST_IMAGES} reviewed images no intervals are told: "
    "they would promise too much."
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated."""

    deployment: str
    """Its name."""
    kind: InferenceType
    known: Sequence[str]
    """Labels of its model versions, in their order."""
    threshold: float | None
    """Of the deployment; None for classification."""
    coverage: Coverage
    max_detections: int | None = None
    """Of an image and label; None takes COCO's."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """One model's figures, and those of every draw."""

    scores: Mapping[str, float | None]
    draws: bootstrap.Draws


def report(images: Sequence[ReviewedImage], subject: Subject) -> EvaluationReport:
    """How well the champion's predictions agree with their reviews, and the shadow's beside.

    Raises:
        InvalidInputError: there are no metrics for this type.
        MissingExtraError: no library for COCO's metrics is installed.
    """
    if subject.kind is not InferenceType.CLASSIFICATION:
        sets.overlap_of(subject.kind)
    kept, notices = sets.usable(images, subject.kind)
    notices += sets.label_notices(kept, subject.known) + _model_notices(kept)
    if not kept:
        return _empty(subject, (*notices, _NOTHING))
    if len(kept) < bootstrap.FEWEST_IMAGES:
        notices.append(_FEW)
    if subject.kind is InferenceType.CLASSIFICATION:
        return _of_classes(kept, subject, notices)
    return _of_objects(kept, subject, notices)


def compare(
    images: Sequence[ReviewedImage], subject: Subject, *, level: float = bootstrap.LEVEL
) -> Comparison | None:
    """Champion and shadow on the images that both predicted on; None of too few.

    Args:
        images: reviewed ones.
        subject: whose they are.
        level: of the intervals, in (0, 1).

    Raises:
        InvalidInputError: there are no metrics for this type.
        MissingExtraError: no library for COCO's metrics is installed.
    """
    if subject.kind is not InferenceType.CLASSIFICATION:
        sets.overlap_of(subject.kind)
    kept, _ = sets.usable(images, subject.kind)
    labels = sets.label_list(kept, subject.known)
    if subject.kind is InferenceType.CLASSIFICATION:
        return _compared_classes(kept, labels, level)
    return _compared_objects(kept, labels, subject, None, level)


def each_image(images: Sequence[ReviewedImage], subject: Subject) -> list[AtThreshold]:
    """Right, wrong and missed objects of every image over the threshold, at an overlap of 0.5.

    Raises:
        InvalidInputError: one of the images cannot be used (`sets.usable`).
    """
    if not images:
        return []
    labels = sets.label_list(images, subject.known)
    found = coco.evaluate(_set(images, labels, subject, sets.champion)).matches()
    return image_counts(found, subject.threshold)


def _empty(subject: Subject, notices: Sequence[str]) -> EvaluationReport:
    return EvaluationReport(
        deployment=subject.deployment,
        kind=_kind(subject),
        coverage=subject.coverage,
        threshold=subject.threshold,
        truth=0,
        found=0,
        scores={},
        notices=tuple(notices),
    )


# Objects --------------------------------------------------------------------------------------


def _of_objects(
    images: Sequence[ReviewedImage], subject: Subject, notices: Sequence[str]
) -> EvaluationReport:
    labels = sets.label_list(images, subject.known)
    data = _set(images, labels, subject, sets.champion)
    done = coco.evaluate(data)
    found, scores = done.matches(), coco.summary(data, done)
    counted = found.counted[0]
    drawn = bootstrap.weights(len(images), len(data.found))
    champion = _Judged(scores, {} if drawn is None else bootstrap.average_precision(found, drawn))
    return EvaluationReport(
        deployment=subject.deployment,
        kind=_kind(subject),
        coverage=subject.coverage,
        threshold=subject.threshold,
        truth=int(found.truth_counts.sum()),
        found=len(data.found),
        scores=scores,
        intervals=_intervals(scores, champion.draws),
        labels=_labels(labels, done, found, subject.threshold),
        confusion=_confusion(data, subject.threshold),
        errors=done.errors(),
        calibration=calibration(found.scores[counted], found.right[0, counted]),
        comparison=_compared_objects(images, labels, subject, champion),
        notices=(*notices, *done.notices),
        evaluator=done.evaluator,
    )


def _labels(
    labels: Sequence[str], done: Evaluation, found: Matches, threshold: float | None
) -> list[LabelScores]:
    rows = zip(labels, coco.per_label(done), at_threshold(found, threshold), strict=True)
    scored: list[LabelScores] = []
    for row, (label, (ap, ap_50), counts) in enumerate(rows):
        points = label_curve(found, row)
        truth = int(found.truth_counts[:, row].sum())
        best = best_threshold(points)
        scored.append(LabelScores(label, truth, counts, ap, ap_50, best, thinned(points)))
    return scored


def _confusion(data: EvaluationSet, threshold: float | None) -> Confusion:
    considered = data.over(over_threshold(data.found.scores, threshold))
    counts = coco.evaluate(considered).confusion()
    return Confusion((*data.labels, BACKGROUND), counts)


def _compared_objects(
    images: Sequence[ReviewedImage],
    labels: Sequence[str],
    subject: Subject,
    champion: _Judged | None,
    level: float = bootstrap.LEVEL,
) -> Comparison | None:
    """Both on the images that both predicted on.

    Args:
        images: reviewed ones.
        labels: of them.
        subject: whose they are.
        champion: its figures on all the images; None where they are not known yet.
        level: of the intervals.
    """
    both = [image for image in images if image.shadow]
    # As many draws as the champion's: they are compared one by one.
    drawn = bootstrap.weights(len(both), sum(len(image.champion.labels) for image in both))
    if drawn is None:
        return None
    if champion is None or len(both) < len(images):
        champion = _judged(_set(both, labels, subject, sets.champion), drawn)
    shadow = _judged(_set(both, labels, subject, sets.shadow), drawn)
    return _comparison(both, champion, shadow, level)


def _judged(data: EvaluationSet, drawn: NDArray[np.float64]) -> _Judged:
    done = coco.evaluate(data)
    return _Judged(coco.summary(data, done), bootstrap.average_precision(done.matches(), drawn))


def _set(
    images: Sequence[ReviewedImage], labels: Sequence[str], subject: Subject, side: sets.Side
) -> EvaluationSet:
    overlap = sets.overlap_of(subject.kind)
    return sets.evaluation_set(images, labels, overlap, side, max_detections=subject.max_detections)


# Classes --------------------------------------------------------------------------------------


def _of_classes(
    images: Sequence[ReviewedImage], subject: Subject, notices: Sequence[str]
) -> EvaluationReport:
    labels = sets.label_list(images, subject.known)
    data = sets.classified(images, labels, sets.champion)
    each = classification.per_label(data)
    scores = classification.summary(data, each)
    drawn = bootstrap.weights(len(images), len(images))
    taken = classification.answers(data)
    return EvaluationReport(
        deployment=subject.deployment,
        kind=_kind(subject),
        coverage=subject.coverage,
        threshold=None,
        truth=len(data),
        found=int((taken < len(labels)).sum()),
        scores=scores,
        intervals={}
        if drawn is None
        else _intervals(scores, bootstrap.classification(data, drawn)),
        labels=each,
        confusion=classification.confusion(data),
        calibration=calibration(data.scores.max(axis=1), taken == data.truth),
        comparison=_compared_classes(images, labels),
        notices=tuple(notices),
        evaluator="numpy",
    )


def _compared_classes(
    images: Sequence[ReviewedImage], labels: Sequence[str], level: float = bootstrap.LEVEL
) -> Comparison | None:
    both = [image for image in images if image.shadow]
    drawn = bootstrap.weights(len(both), len(both))
    if drawn is None:
        return None
    sides = [sets.classified(both, labels, side) for side in (sets.champion, sets.shadow)]
    champion, shadow = (
        _Judged(
            classification.summary(data, classification.per_label(data)),
            bootstrap.classification(data, drawn),
        )
        for data in sides
    )
    return _comparison(both, champion, shadow, level)


# Both -----------------------------------------------------------------------------------------


def _intervals(scores: Mapping[str, float | None], draws: bootstrap.Draws) -> dict[str, Interval]:
    made = {name: bootstrap.interval(scores[name], samples) for name, samples in draws.items()}
    return {name: one for name, one in made.items() if one is not None}


def _comparison(
    images: Sequence[ReviewedImage], champion: _Judged, shadow: _Judged, level: float
) -> Comparison:
    found: dict[str, Difference] = {}
    for name, draws in champion.draws.items():
        first, second = champion.scores[name], shadow.scores[name]
        gain = None if first is None or second is None else second - first
        made = (
            bootstrap.interval(first, draws, level),
            bootstrap.interval(second, shadow.draws[name], level),
            bootstrap.interval(gain, shadow.draws[name] - draws, level),
        )
        if made[0] and made[1] and made[2]:
            found[name] = Difference(made[0], made[1], made[2])
    return Comparison(
        champion=", ".join(dict.fromkeys(image.champion_model for image in images)),
        shadow=", ".join(dict.fromkeys(image.shadow_model for image in images)),
        images=len(images),
        scores=found,
    )


def _model_notices(images: Sequence[ReviewedImage]) -> list[str]:
    titles = list(dict.fromkeys(image.champion_model for image in images))
    if len(titles) < 2:
        return []
    return [
        f"These predictions are of {len(titles)} model versions: {', '.join(titles)}. "
        "Labels are matched by name; name one version to have its figures alone."
    ]


def _kind(subject: Subject) -> str:
    if subject.kind is InferenceType.CLASSIFICATION:
        return "classification"
    return sets.overlap_of(subject.kind).value
