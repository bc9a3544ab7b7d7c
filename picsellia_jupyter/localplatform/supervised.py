"""The statistics that compare predictions with their reviews, as the SDK asks for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from picsellia_jupyter.domain.errors import InvalidInputError, MissingExtraError
from picsellia_jupyter.domain.evaluation import EvaluationReport
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.evaluating import Reviewed
from picsellia_jupyter.wire.evaluation import coverage_to_json, report_to_json
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.workflows.evaluation import classification, reports, sets

_CLASSES = InferenceType.CLASSIFICATION


def evaluated(found: Reviewed) -> EvaluationReport:
    """The report of reviewed predictions.

    Raises:
        InvalidInputError: there are no metrics for the deployment's type.
        MissingExtraError: no library for COCO's metrics is installed.
    """
    made = reports.report(found.images, found.subject)
    return replace(made, notices=(*found.notices, *made.notices))


def single(service: str, found: Reviewed) -> Json:
    """A statistic of single reviewed predictions: one entry each, oldest first."""
    return _told(service, "predictions", [], lambda: _SINGLE[service](found), found)


def aggregated(service: str, found: Reviewed) -> Json:
    """A statistic of all reviewed predictions together."""
    return _told(service, "result", None, lambda: {"result": _report(service, found)}, found)


def _told(service: str, key: str, empty: object, make: Callable[[], Json], found: Reviewed) -> Json:
    """What was made; why it could not be, in the place where the SDK looks for such."""
    told: Json = {"service": service, "coverage": coverage_to_json(found.subject.coverage)}
    try:
        return {**told, **make()}
    except (InvalidInputError, MissingExtraError) as error:
        return {**told, key: empty, "infos": {"info": str(error)}}


def _report(service: str, found: Reviewed) -> Json:
    _check_kind(service, found)
    return report_to_json(evaluated(found))


def _object_detection(found: Reviewed) -> Json:
    _check_kind("object_detection", found)
    sets.overlap_of(found.subject.kind)
    kept, notices = sets.usable(found.images, found.subject.kind)
    counts = reports.each_image(kept, found.subject)
    rows = [
        {
            "id": image.id,
            "timestamp": image.at,
            "truth": one.right + one.missed,
            "found": one.right + one.wrong,
            "right": one.right,
            "wrong": one.wrong,
            "missed": one.missed,
            "precision": one.precision,
            "recall": one.recall,
            "f1": one.f1,
        }
        for image, one in zip(kept, counts, strict=True)
    ]
    return {"predictions": rows, "notices": [*found.notices, *notices]}


def _classification(found: Reviewed) -> Json:
    kept, _ = sets.usable(found.images, found.subject.kind)
    labels = sets.label_list(kept, found.subject.known)
    made = _report("classification", found)
    data = sets.classified(kept, labels, sets.champion)
    answers = [(*labels, None)[row] for row in classification.answers(data)]
    confidence = data.scores.max(axis=1, initial=0.0).tolist()
    rows = [
        {
            "id": image.id,
            "timestamp": image.at,
            "truth": image.truth.labels[0],
            "found": answer,
            "score": score,
            "right": answer == image.truth.labels[0],
        }
        for image, answer, score in zip(kept, answers, confidence, strict=True)
    ]
    # The SDK has no aggregated service for it, so the report stands here.
    return {"predictions": rows, "result": made}


def _label_distribution(found: Reviewed) -> Json:
    rows = [
        {"id": image.id, "timestamp": image.at, "labels": dict(Counter(image.truth.labels))}
        for image in found.images
    ]
    total = Counter(label for image in found.images for label in image.truth.labels)
    return {
        "predictions": rows,
        "labels": dict(total.most_common()),
        "notices": list(found.notices),
    }


_SINGLE: Mapping[str, Callable[[Reviewed], Json]] = {
    "object_detection": _object_detection,
    "classification": _classification,
    "label_distribution": _label_distribution,
}
SINGLE_SERVICES = tuple(_SINGLE)
AGGREGATED_SERVICES = ("object_detection",)


def _check_kind(service: str, found: Reviewed) -> None:
    of_classes = found.subject.kind is _CLASSES
    if of_classes == (service == "classification"):
        return
    other = "REVIEWS_CLASSIFICATION_STATS" if of_classes else "AGGREGATED_OBJECT_DETECTION_STATS"
    raise InvalidInputError(
        f"The deployment is of the type {found.subject.kind.title}.", f"Ask for {other}."
    )
