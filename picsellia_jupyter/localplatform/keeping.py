"""Images of predictions as rows: data of a datalake, and what was predicted in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.photos import Photo, Received
from picsellia_jupyter.localplatform.recording import Row
from picsellia_jupyter.localplatform.tables.base import new_id, table_of
from picsellia_jupyter.localplatform.tables.datalakes import Data, TagLink
from picsellia_jupyter.localplatform.tables.deployments import PredictedAsset
from picsellia_jupyter.localplatform.tables.sums import BlobSum
from picsellia_jupyter.localplatform.tagging import data_tag, link_tag, source_named

_DATA, _ASSETS, _SUMS = (insert(table_of(table)) for table in (Data, PredictedAsset, BlobSum))


@dataclass(frozen=True, slots=True)
class Kept:
    """A prediction whose image is kept, with the ids of the rows that are made of it."""

    received: Received
    photo: Photo
    data_id: str
    """Of a new image; one that is in the datalake already keeps its own."""
    asset_id: str

    @classmethod
    def of(cls, received: Received) -> Kept:
        """Give ids to a prediction that came with an image to keep."""
        if received.photo is None:
            raise ValueError(f"the prediction {received.prediction_id} has no image")
        return cls(received, received.photo, new_id(), new_id())


def keep_photos(session: Session, kept: Sequence[Kept]) -> None:
    """Insert data and predicted assets, those of new images together."""
    new = [one for one in kept if one.photo.is_new]
    if new:
        _insert(session, new)
        session.connection().execute(_SUMS, [_sum(one.photo) for one in new])
    for one in kept:
        if not one.photo.is_new:
            _insert_of_known(session, one)


def _insert(session: Session, new: Sequence[Kept]) -> None:
    connection = session.connection()
    connection.execute(_DATA, [_data(session, one) for one in new])
    connection.execute(_ASSETS, [_asset(one, one.data_id) for one in new])
    for one in new:
        _tag(session, one, one.data_id)


def _insert_of_known(session: Session, one: Kept) -> None:
    """An image that was in the storage before may be data already."""
    place = {"datalake_id": one.photo.lake_id, "object_name": one.photo.object_name}
    found = session.scalars(select(Data.id).filter_by(**place)).first()
    if found is None:
        _insert(session, [one])
        return
    _dismiss_older(session, one.received.deployment_id, found)
    session.connection().execute(_ASSETS, [_asset(one, found)])
    _tag(session, one, found)


def _data(session: Session, one: Kept) -> Row:
    body, photo, now = one.received.body, one.photo, one.received.at
    source = source_named(session, body.source, now=now).id if body.source else None
    return {
        "id": one.data_id,
        "created_at": now,
        "datalake_id": photo.lake_id,
        "object_name": photo.object_name,
        "filename": body.filename,
        "type": "IMAGE",
        "content_type": photo.facts.content_type,
        "upload_status": "DONE",
        "width": photo.facts.size.width,
        "height": photo.facts.size.height,
        "metadata": body.metadata,
        "custom_metadata": body.custom_metadata,
        "data_source_id": source,
    }


def _sum(photo: Photo) -> Row:
    return {
        "connector_id": photo.connector_id,
        "object_name": photo.object_name,
        "sha256": photo.sha256,
    }


def _asset(one: Kept, data_id: str) -> Row:
    return {
        "id": one.asset_id,
        "created_at": one.received.at,
        "deployment_id": one.received.deployment_id,
        "oracle_prediction_id": one.received.prediction_id,
        "data_id": data_id,
        "custom_metrics": one.received.body.custom_metrics,
        "review_state": "TO_REVIEW",
    }


def _tag(session: Session, one: Kept, data_id: str) -> None:
    for name in one.received.body.tags:
        tag = data_tag(session, name, one.photo.lake_id, now=one.received.at)
        link_tag(session, tag, data_id)


def _dismiss_older(session: Session, deployment_id: str, data_id: str) -> None:
    """An image has one predicted asset in a deployment, the newest."""
    older = session.scalars(
        select(PredictedAsset).filter_by(deployment_id=deployment_id, data_id=data_id)
    ).all()
    for asset in older:
        session.execute(delete(TagLink).where(TagLink.target_id == asset.id))
        session.delete(asset)
    session.flush()
