"""A new version and the champion on data that neither was trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, MissingExtraError
from picsellia_jupyter.domain.evaluation import Coverage
from picsellia_jupyter.domain.ground_truth import Named, ReviewedImage
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.domain.registry import InferenceType, label_name
from picsellia_jupyter.localplatform.evaluating import truth_of
from picsellia_jupyter.localplatform.labels import label_names
from picsellia_jupyter.localplatform.spelling_datasets import SHAPE_KINDS, spell_with_shapes
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake
from picsellia_jupyter.localplatform.tables.datasets import Annotation, Asset, DatasetVersion
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.sums import BlobSum
from picsellia_jupyter.localplatform.tables.training import TrainingRun
from picsellia_jupyter.localplatform.training_jobs import HeldOutData, others_than
from picsellia_jupyter.wire.predictions import Json, from_raw
from picsellia_jupyter.workflows.evaluation import reports

_AT_ONCE = 500
"""Ids of one query; databases have a limit."""
Raw = Mapping[str, Mapping[str, Any]]
"""`raw_predictions` by the id of the asset."""


@dataclass(frozen=True, slots=True)
class HeldOutImages:
    """What is predicted on for a comparison."""

    assets: Sequence[tuple[Asset, Data]]
    """Annotated images, oldest first."""
    said: str
    """What was left out; empty where nothing was."""


def images_of(session: Session, run: TrainingRun, held_out: HeldOutData) -> HeldOutImages:
    """The annotated images of held-out data that no other data of the run has."""
    query = (
        select(Asset, Data)
        .join(Data, Data.id == Asset.data_id)
        .join(Annotation, Annotation.asset_id == Asset.id)
        .where(Asset.dataset_version_id == held_out.version.id, Data.type == "IMAGE")
        .where(Annotation.status.not_in(("SKIPPED", "REFUSED")))
        .order_by(Asset.created_at, Asset.id)
    )
    rows = [(row[0], row[1]) for row in session.execute(query)]
    trained = _pictures(session, others_than(session, run, held_out))
    own = _pictures(session, [held_out.version.id])
    seen = set(trained) | set(trained.values())
    kept = [(asset, data) for asset, data in rows if not {data.id, own[data.id]} & seen]
    return HeldOutImages(kept, _left_out(held_out.version, len(rows) - len(kept)))


def _pictures(session: Session, version_ids: Sequence[str]) -> dict[str, str]:
    """The images of dataset versions, by id, with the SHA-256 of each where it is known.

    An image that was uploaded twice is two, and yet the same.
    """
    query = (
        select(Data.id, BlobSum.sha256)
        .join(Asset, Asset.data_id == Data.id)
        .join(Datalake, Datalake.id == Data.datalake_id)
        .outerjoin(
            BlobSum,
            and_(
                BlobSum.connector_id == Datalake.connector_id,
                BlobSum.object_name == Data.object_name,
            ),
        )
        .where(Asset.dataset_version_id.in_(version_ids))
    )
    return {ident: sha256 or ident for ident, sha256 in session.execute(query)}


def compared(
    session: Session, run: TrainingRun, held_out: HeldOutData, champion: Raw, challenger: Raw
) -> Json:
    """Compare two versions on held-out data.

    Args:
        session: a reading transaction.
        run: whose version is the challenger.
        held_out: the data.
        champion: what the version found that the run began with.
        challenger: what the new version found, in the same images.

    Returns:
        `dataset`, `comparison` and what is to be `said` of it.

    Raises:
        InvalidPredictionError: a prediction has another form.
    """
    versions = _sides(session, run)
    found = images_of(session, run, held_out)
    kept = [
        (asset, data)
        for asset, data in found.assets
        if asset.id in champion and asset.id in challenger
    ]
    missing = len(found.assets) - len(kept)
    notes = [found.said, f"{missing:,} could not be predicted on." if missing else ""]
    images = list(_images(session, held_out.version, kept, versions, (champion, challenger)))
    subject = reports.Subject(
        deployment=held_out.title,
        kind=InferenceType(versions[0].type),
        known=tuple(dict.fromkeys(n for one in versions for n in label_names(one).values())),
        threshold=None,
        coverage=Coverage(len(images), len(images), {}),
    )
    told: Json = {"dataset": held_out.title, "comparison": None, "said": ""}
    try:
        made = reports.report(images, subject)
    except MissingExtraError as error:
        return {**told, "said": str(error)}
    if made.comparison is None or not made.comparison.scores:
        notes += made.notices
    else:
        told["comparison"] = dataclasses.asdict(made.comparison)
    return {**told, "said": " ".join(filter(None, notes))}


def _sides(session: Session, run: TrainingRun) -> tuple[ModelVersion, ModelVersion]:
    if run.version_id is None:
        raise ConflictError("The run has made no version yet.", "Export its experiment first.")
    base = session.get_one(ModelVersion, run.base_version_id)
    return base, session.get_one(ModelVersion, run.version_id)


def _images(
    session: Session,
    version: DatasetVersion,
    rows: Sequence[tuple[Asset, Data]],
    sides: tuple[ModelVersion, ModelVersion],
    found: tuple[Raw, Raw],
) -> Iterator[ReviewedImage]:
    kind = InferenceType(sides[0].type)
    truths = _truths(session, [asset.id for asset, _ in rows])
    titles = [f"{one.model.name}:{one.version}" for one in sides]
    for asset, data in rows:
        yield ReviewedImage(
            id=asset.id,
            at=asset.created_at,
            size=ImageSize(data.width or 0, data.height or 0),
            truth=truth_of(kind, truths.get(asset.id, {})),
            champion=_named(kind, found[0][asset.id], sides[0]),
            shadow=_named(kind, found[1][asset.id], sides[1]),
            champion_model=titles[0],
            shadow_model=titles[1],
            sampling=version.version,
        )


def _named(kind: InferenceType, raw: Mapping[str, Any], version: ModelVersion) -> Named:
    objects = from_raw(kind, raw)
    names = label_names(version)
    return Named(tuple(label_name(names, int(index)) for index in objects.classes), objects)


def _truths(session: Session, asset_ids: Sequence[str]) -> dict[str, Json]:
    """What is annotated in each asset, in the form of a review."""
    found: dict[str, Json] = {}
    for start in range(0, len(asset_ids), _AT_ONCE):
        some = asset_ids[start : start + _AT_ONCE]
        rows = session.scalars(select(Annotation).where(Annotation.asset_id.in_(some))).all()
        for told in spell_with_shapes(session, rows):
            found[told["asset_id"]] = {
                kind: [_as_reviewed(shape) for shape in told[kind]] for kind in SHAPE_KINDS
            }
    return found


def _as_reviewed(shape: Json) -> Json:
    drawn = {**shape, "label": {"name": shape["label"]}}
    if "keypoints" in drawn:
        # A review's shape has it in the singular.
        drawn["keypoint"] = drawn.pop("keypoints")
    return drawn


def _left_out(version: DatasetVersion, number: int) -> str:
    were = "image was" if number == 1 else "images were"
    said = [f"{number:,} {were} trained on and left out."] if number else []
    if not version.is_locked:
        said.append("It is not locked: what changes in it changes the next comparison.")
    return " ".join(said)
