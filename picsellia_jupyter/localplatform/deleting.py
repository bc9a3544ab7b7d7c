"""Taking rows away together with what hangs on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.localplatform.blobs import is_object_name
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.refusals import BucketError, NotDurableError
from picsellia_jupyter.localplatform.sums import forget_sums
from picsellia_jupyter.localplatform.tables.base import Base
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake, TagLink
from picsellia_jupyter.localplatform.tables.datasets import Asset
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
)
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.projections import Projection
from picsellia_jupyter.localplatform.tables.projects import Artifact
from picsellia_jupyter.localplatform.tables.registry import Model, ModelFile, ModelVersion

logger = logging.getLogger(__name__)

Blob = tuple[Connector, str]
"""A storage connector and the name of an object in it."""


def delete_tagged(session: Session, row: Base, ident: str) -> None:
    """Delete a row and the tags' links to it."""
    session.execute(delete(TagLink).where(TagLink.target_id == ident))
    session.delete(row)


def delete_data(session: Session, rows: Sequence[Data]) -> list[Blob]:
    """Delete data with their projections, assets and predicted assets.

    Statistics keep the predictions.

    Returns:
        The blobs to remove once this is committed.
    """
    blobs: list[Blob] = []
    for row in rows:
        assets = select(PredictedAsset).where(PredictedAsset.data_id == row.id)
        for asset in session.scalars(assets):
            delete_tagged(session, asset, asset.id)
        for member in session.scalars(select(Asset).where(Asset.data_id == row.id)):
            delete_tagged(session, member, member.id)
        lake = session.get_one(Datalake, row.datalake_id)
        connector = session.get_one(Connector, lake.connector_id)
        rendered = select(Projection.object_name).where(Projection.data_id == row.id)
        blobs += [(connector, name) for name in (row.object_name, *session.scalars(rendered))]
        session.flush()
        delete_tagged(session, row, row.id)
    return blobs


def delete_model(session: Session, row: Model) -> list[Blob]:
    """Delete a model with its versions.

    Returns:
        The blobs to remove once this is committed.

    Raises:
        ConflictError: one of its versions is deployed.
    """
    versions = session.scalars(select(ModelVersion).where(ModelVersion.model_id == row.id)).all()
    blobs = [blob for version in versions for blob in delete_version(session, version)]
    delete_tagged(session, row, row.id)
    return blobs


def delete_version(session: Session, row: ModelVersion) -> list[Blob]:
    """Delete a model version with its files.

    Returns:
        The blobs to remove once this is committed.

    Raises:
        ConflictError: it is deployed, or predictions of it are still kept.
    """
    _refuse_in_use(session, row)
    files = session.scalars(select(ModelFile).where(ModelFile.version_id == row.id)).all()
    blobs = [blob for file in files for blob in file_blobs(session, file)]
    delete_tagged(session, row, row.id)
    session.flush()
    return blobs


def delete_deployment(session: Session, row: Deployment) -> None:
    """Delete a deployment with its predictions and predicted assets; the data stay."""
    assets = select(PredictedAsset.id).where(PredictedAsset.deployment_id == row.id)
    session.execute(delete(TagLink).where(TagLink.target_id.in_(assets)))
    delete_tagged(session, row, row.id)


def file_blobs(session: Session, row: ModelFile) -> list[Blob]:
    """Where the bytes of a model file lie, unless an experiment has them too."""
    shared = select(Artifact.id).where(Artifact.object_name == row.object_name)
    if session.scalars(shared).first():
        return []
    return [(session.get_one(Connector, row.connector_id), row.object_name)]


def remove_blobs(platform: Platform, blobs: Sequence[Blob]) -> None:
    """Remove blobs that no row speaks of any more; a bucket may keep what it will not delete.

    What was in a bucket before us stays there.
    """
    for connector, name in blobs:
        if not is_object_name(name):
            continue
        try:
            platform.blobs(connector).remove(name)
        except BucketError as error:
            logger.warning("%s is deleted, but its file stays: %s", name, error)
    try:
        forget_sums(platform, [(connector.id, name) for connector, name in blobs])
    except NotDurableError as error:
        logger.warning("Sums of deleted files stay, which is harmless: %s", error)


def _refuse_in_use(session: Session, row: ModelVersion) -> None:
    used_by = session.scalars(
        select(Deployment.name).where(
            or_(
                Deployment.model_version_id == row.id,
                Deployment.shadow_model_version_id == row.id,
                Deployment.id.in_(
                    select(Prediction.deployment_id).where(Prediction.model_version_id == row.id)
                ),
            )
        )
    ).all()
    if used_by:
        names = ", ".join(map(repr, used_by))
        raise ConflictError(
            f"The model version {row.model.name}:{row.version} is used by {names}.",
            "Delete the deployment first.",
        )
