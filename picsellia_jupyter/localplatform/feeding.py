"""Submitted reviews as annotations of dataset versions, many at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.datasets import (
    add_assets,
    get_or_create_labels,
    new_shape,
)
from picsellia_jupyter.localplatform.spelling_datasets import SHAPE_KINDS
from picsellia_jupyter.localplatform.tables.datasets import Annotation, DatasetVersion, Shape
from picsellia_jupyter.localplatform.tables.deployments import PredictedAsset, Review
from picsellia_jupyter.wire.predictions import Json

_AT_ONCE = 500
"""Ids of one query; databases have a limit."""
Drawn = Mapping[str, list[Json]]


def feed(
    session: Session, version: DatasetVersion, sources: Sequence[PredictedAsset], *, now: float
) -> int:
    """Put reviewed images into a dataset version, each once, with what its last review says.

    What an image was annotated with before is replaced; its asset and its annotation stay the
    same ones.

    Returns:
        How many annotations were written.
    """
    reviews = last_reviews(session, [source.id for source in sources])
    assets = add_assets(session, version, [source.data_id for source in sources], now=now)
    by_data = {asset.data_id: asset.id for asset in assets}
    # An image that was predicted on twice is annotated with what was reviewed last of it.
    drawn = {by_data[source.data_id]: reviews.get(source.id, {}) for source in sources}
    annotations = _annotations(session, list(drawn), now=now)
    names = [name for shapes in drawn.values() for name in _names(shapes)]
    labels = {row.name: row.id for row in get_or_create_labels(session, version, names, now=now)}
    for asset_id, annotation in annotations.items():
        session.add_all(_shapes(annotation, drawn[asset_id], labels, now=now))
    session.flush()
    return len(annotations)


def last_reviews(session: Session, asset_ids: Sequence[str]) -> dict[str, Drawn]:
    """What the last review of each predicted asset says."""
    found: dict[str, Drawn] = {}
    for part in _parts(asset_ids):
        query = select(Review.predicted_asset_id, Review.shapes)
        rows = query.where(Review.predicted_asset_id.in_(part)).order_by(Review.created_at)
        found.update((row.predicted_asset_id, row.shapes) for row in session.execute(rows))
    return found


def _annotations(
    session: Session, asset_ids: Sequence[str], *, now: float
) -> dict[str, Annotation]:
    """The accepted annotation of each asset, with nothing drawn in it."""
    found: dict[str, Annotation] = {}
    for part in _parts(asset_ids):
        for row in session.scalars(select(Annotation).where(Annotation.asset_id.in_(part))):
            found[row.asset_id] = row
    for part in _parts([row.id for row in found.values()]):
        session.execute(delete(Shape).where(Shape.annotation_id.in_(part)))
    for asset_id in asset_ids:
        if asset_id not in found:
            found[asset_id] = Annotation(asset_id=asset_id, created_at=now)
            session.add(found[asset_id])
        found[asset_id].status = "ACCEPTED"
    session.flush()
    return found


def _names(drawn: Drawn) -> Iterator[str]:
    for shapes in drawn.values():
        yield from (shape["label"]["name"] for shape in shapes)


def _shapes(
    annotation: Annotation, drawn: Drawn, labels: Mapping[str, str], *, now: float
) -> Iterator[Shape]:
    for kind in SHAPE_KINDS:
        for position, shape in enumerate(drawn.get(kind) or ()):
            given: dict[str, Any] = {**shape, "label_id": labels[shape["label"]["name"]]}
            if "keypoint" in given:
                # A predicted asset's shape has it in the singular.
                given["keypoints"] = given.pop("keypoint")
            yield new_shape(annotation, kind, position, given, labels.values(), now=now)


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
