"""Reviewed predictions, read from the database for an evaluation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.evaluation import UNKNOWN, Coverage
from picsellia_jupyter.domain.ground_truth import Named, ReviewedImage
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.domain.registry import InferenceType, label_name
from picsellia_jupyter.domain.reviews import Policy
from picsellia_jupyter.localplatform.labels import label_names
from picsellia_jupyter.localplatform.reviewing import SAMPLED, TO_REVIEW
from picsellia_jupyter.localplatform.statistics import Selection, chosen_predictions, is_tagged
from picsellia_jupyter.localplatform.tables.datalakes import Tag, TagLink
from picsellia_jupyter.localplatform.tables.deployments import (
    PredictedAsset,
    Prediction,
    Review,
)
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import SHAPE_KEYS, Json, from_raw, from_shapes
from picsellia_jupyter.workflows.evaluation.reports import Subject


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What is to be evaluated."""

    images: Sequence[ReviewedImage]
    subject: Subject
    notices: Sequence[str]
    """Reviews that cannot be read."""


@dataclass(frozen=True, slots=True)
class _Version:
    """What is needed of a model version."""

    title: str
    labels: dict[int, str]


def reviewed(
    session: Session,
    chosen: Selection,
    *,
    sampled: str | None = None,
    max_detections: int | None = None,
) -> Reviewed:
    """The reviewed images among the chosen predictions, oldest first.

    Args:
        session: the reading transaction.
        chosen: which predictions.
        sampled: only those that were chosen for review in this way, such as `random`.
        max_detections: of an image and label so many count.
    """
    deployment, kind = chosen.deployment, InferenceType(chosen.deployment.type)
    rows = _rows(session, chosen)
    reviews, shadows = _reviews(session, deployment.id), _shadows(session, deployment.id)
    samplings, versions = _samplings(session, deployment.id), _Versions(session)
    images: list[ReviewedImage] = []
    broken: Counter[str] = Counter()
    for row in rows:
        sampling = samplings.get(row.predicted_asset_id, UNKNOWN)
        if row.predicted_asset_id not in reviews or sampled not in (None, sampling):
            continue
        review, shadow = reviews[row.predicted_asset_id], shadows.get(row.predicted_asset_id)
        try:
            images.append(_image(row, review, shadow, kind, versions, sampling))
        except InvalidPredictionError as error:
            broken[error.fact] += 1
    counts = Counter(image.sampling for image in images)
    subject = Subject(
        deployment=deployment.name,
        kind=kind,
        known=versions.known_labels(deployment.model_version_id),
        threshold=deployment.min_threshold,
        coverage=Coverage(len(images), _predicted(session, chosen), dict(counts.most_common())),
        max_detections=max_detections,
    )
    notices = [f"{n:,} reviewed images left out: {fact}" for fact, n in broken.items()]
    return Reviewed(images, subject, notices)


def narrowed(found: Reviewed, label: str | None) -> Reviewed:
    """The same with the objects of one label alone; None takes all.

    The classes of an image are compared with each other, so that they stay together.
    """
    if label is None:
        return found
    if found.subject.kind is InferenceType.CLASSIFICATION:
        said = f"These figures are of all classes, not of {label} alone: one image has them all."
        return replace(found, notices=(*found.notices, said))
    said = f"Only {label} is compared: what was taken for another label counts as missed."
    return Reviewed(
        [image.only(label) for image in found.images],
        replace(found.subject, known=(label,)),
        (*found.notices, said),
    )


class _Versions:
    """Model versions by id, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, _Version] = {}

    def __getitem__(self, ident: str) -> _Version:
        if ident not in self._known:
            row = self._session.get_one(ModelVersion, ident)
            self._known[ident] = _Version(f"{row.model.name}:{row.version}", label_names(row))
        return self._known[ident]

    def known_labels(self, champion_id: str) -> tuple[str, ...]:
        """The champion's labels in their order, then those of the other versions read."""
        versions = [self[champion_id], *self._known.values()]
        return tuple(dict.fromkeys(name for one in versions for name in one.labels.values()))


def _image(
    row: Row[Any],
    review: Json,
    shadow: Row[Any] | None,
    kind: InferenceType,
    versions: _Versions,
    sampling: str,
) -> ReviewedImage:
    champion = versions[row.model_version_id]
    other = None if shadow is None else versions[shadow.model_version_id]
    return ReviewedImage(
        id=row.oracle_prediction_id,
        at=row.at,
        size=ImageSize(row.width, row.height),
        truth=truth_of(kind, review),
        champion=_found(kind, row.raw, champion),
        shadow=_found(kind, shadow.raw, other) if shadow is not None and other else None,
        champion_model=champion.title,
        shadow_model=other.title if other else "",
        sampling=sampling,
    )


def _found(kind: InferenceType, raw: Json, version: _Version) -> Named:
    objects = from_raw(kind, raw)
    names = tuple(label_name(version.labels, int(index)) for index in objects.classes)
    return Named(names, objects)


def truth_of(kind: InferenceType, review: Json) -> Named:
    """What is really there, by a review."""
    # A person may outline what a model masks: both are pixels in the end.
    outlined = kind is InferenceType.MASK and not review.get(SHAPE_KEYS[kind])
    form = InferenceType.SEGMENTATION if outlined else kind
    entries = review.get(SHAPE_KEYS[form]) or []
    names = tuple(str(entry["label"]["name"]) for entry in entries)
    index_of = {name: row for row, name in enumerate(dict.fromkeys(names))}
    return Named(names, from_shapes(form, review, index_of))


# Rows ----------------------------------------------------------------------------------------


def _rows(session: Session, chosen: Selection) -> list[Row[Any]]:
    columns = (
        Prediction.oracle_prediction_id, Prediction.predicted_asset_id, Prediction.at,
        Prediction.width, Prediction.height, Prediction.tags, Prediction.raw,
        Prediction.model_version_id,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(PredictedAsset, PredictedAsset.id == Prediction.predicted_asset_id)
        .where(*chosen_predictions(chosen), PredictedAsset.review_state != TO_REVIEW)
        .order_by(Prediction.at, Prediction.id)
    )
    return [row for row in session.execute(query) if is_tagged(row.tags, chosen.tags)]


def _predicted(session: Session, chosen: Selection) -> int:
    if not chosen.tags:
        counted = select(func.count()).select_from(Prediction).where(*chosen_predictions(chosen))
        return session.scalar(counted) or 0
    tags = session.scalars(select(Prediction.tags).where(*chosen_predictions(chosen)))
    return sum(is_tagged(one, chosen.tags) for one in tags)


def _reviews(session: Session, deployment_id: str) -> dict[str, Json]:
    """The last review of each predicted asset."""
    query = (
        select(Review.predicted_asset_id, Review.shapes)
        .join(PredictedAsset, PredictedAsset.id == Review.predicted_asset_id)
        .where(PredictedAsset.deployment_id == deployment_id)
        .order_by(Review.created_at)
    )
    return {str(row.predicted_asset_id): row.shapes for row in session.execute(query)}


def _shadows(session: Session, deployment_id: str) -> dict[str, Row[Any]]:
    """The shadow model's prediction of each reviewed asset that it was given."""
    query = (
        select(Prediction.predicted_asset_id, Prediction.raw, Prediction.model_version_id)
        .join(PredictedAsset, PredictedAsset.id == Prediction.predicted_asset_id)
        .where(
            Prediction.deployment_id == deployment_id,
            Prediction.is_shadow.is_(True),
            PredictedAsset.review_state != TO_REVIEW,
        )
    )
    return {str(row.predicted_asset_id): row for row in session.execute(query)}


def _samplings(session: Session, deployment_id: str) -> dict[str, str]:
    """How the images of predicted assets were chosen, by their tags.

    One that was reviewed for another reason and is of the random sample too counts as random.
    """
    query = (
        select(PredictedAsset.id, Tag.name)
        .join(TagLink, TagLink.target_id == PredictedAsset.data_id)
        .join(Tag, Tag.id == TagLink.tag_id)
        .where(PredictedAsset.deployment_id == deployment_id, Tag.name.startswith(SAMPLED))
        .order_by(Tag.name)
    )
    found: dict[str, str] = {}
    for asset_id, name in session.execute(query):
        if found.get(asset_id) != Policy.RANDOM.value:
            found[asset_id] = name.removeprefix(SAMPLED)
    return found
