"""Recording what was predicted: image, data, prediction and predicted asset at once."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidImageError,
    InvalidInputError,
    NotFoundError,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.alerting import fire_alerts
from picsellia_jupyter.localplatform.blobs import Blobs, new_object_name
from picsellia_jupyter.localplatform.images import ImageFacts, checked_photo
from picsellia_jupyter.localplatform.names import Filename, Words
from picsellia_jupyter.localplatform.platform import Platform, connector_of
from picsellia_jupyter.localplatform.refusals import NotDurableError
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake, TagLink
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    PredictedAsset,
    Prediction,
)
from picsellia_jupyter.localplatform.tagging import data_tag, link_tag, source_named
from picsellia_jupyter.wire.predictions import from_raw
from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY

_LATEST_TIMESTAMP = 1e11
"""Seconds; what is larger was given in milliseconds."""
_SHARED = (
    "deployment_id", "oracle_prediction_id", "predicted_asset_id", "at", "width", "height",
    "created_at",
)  # fmt: skip
"""What a shadow's prediction has from its champion's."""
Row = dict[str, Any]


class CloudImage(BaseModel):
    """An image that is in the target datalake's storage already."""

    connector_id: UUID
    object_name: str


class NewPrediction(BaseModel):
    """Body of a monitoring call."""

    filename: Filename
    content_type: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    raw_predictions: dict[str, Any]
    latency: float = Field(ge=0, allow_inf_nan=False)
    image: str | None = Field(default=None, repr=False)
    """Base64; may be left out where `sample` is false, since it is not kept then."""
    cloud_image: CloudImage | None = None
    source: Words | None = None
    tags: list[Words] = []
    timestamp: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    metadata: dict[str, Any] | None = None
    custom_metadata: dict[str, Any] | None = None
    custom_metrics: dict[str, Any] | None = None
    sample: bool | None = None
    shadow_raw_predictions: dict[str, Any] | None = None
    shadow_latency: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    @field_validator("timestamp")
    @classmethod
    def _in_seconds(cls, value: float | None) -> float | None:
        if value is not None and value > _LATEST_TIMESTAMP:
            raise ValueError("a timestamp is in seconds since the epoch, not milliseconds")
        return value

    def prediction_id(self) -> str:
        """The client's own id of this prediction, or a new one.

        Raises:
            InvalidInputError: the client's is no UUID.
        """
        given = (self.custom_metadata or {}).get(PREDICTION_ID_KEY)
        if given is None:
            return str(uuid.uuid4())
        try:
            return str(UUID(str(given)))
        except ValueError:
            raise InvalidInputError(
                f"custom_metadata.{PREDICTION_ID_KEY} is {given!r}, not a UUID.",
                "Make one with uuid.uuid4().",
            ) from None


@dataclass(frozen=True, slots=True)
class _Photo:
    """The image of a prediction, on its way into a datalake."""

    object_name: str
    facts: ImageFacts


def record(here: Platform, deployment_id: str, body: NewPrediction) -> str:
    """Record one prediction; it is durable on return.

    Returns:
        Its id.

    Raises:
        InvalidInputError: the prediction does not fit the deployment's type, or the image is
            not what it claims to be.
        ConflictError: this prediction is recorded already; nothing was stored.
    """
    prediction_id = body.prediction_id()
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        _refuse_recorded(session, deployment, prediction_id)
        lake = the(session, Datalake, deployment.target_datalake_id, kind="datalake")
        blobs = here.blobs(connector_of(session, lake.connector_id))
    now = here.clock()
    rows = [Prediction(**row) for row in rows_of(deployment, prediction_id, body, now=now)]
    kept = here.chance() < deployment.sample_rate if body.sample is None else body.sample
    with (
        _photo_stored(blobs, body, kept=kept) as photo,
        _only_once(prediction_id),
        here.store.writing() as session,
    ):
        _insert(session, deployment, lake, body, rows, photo if kept else None)
    return prediction_id


def record_shadow(
    here: Platform, deployment_id: str, prediction_id: str, raw: dict[str, Any], latency: float
) -> None:
    """Record what the shadow model found in an image the champion has seen.

    Raises:
        NotFoundError: the champion's prediction is not recorded.
        ConflictError: the shadow's is recorded already.
    """
    with _only_once(prediction_id), here.store.writing() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        champion = session.scalars(
            select(Prediction).filter_by(
                deployment_id=deployment.id, oracle_prediction_id=prediction_id, is_shadow=False
            )
        ).first()
        if champion is None:
            raise NotFoundError(
                f"There is no prediction {prediction_id} in {deployment.name!r}.",
                "Monitor the champion's prediction first.",
            )
        shared = {name: getattr(champion, name) for name in _SHARED}
        session.add(Prediction(**_shadow(deployment, raw, latency, shared)))


# Rows ----------------------------------------------------------------------------------------


def rows_of(
    deployment: Deployment, prediction_id: str, body: NewPrediction, *, now: float
) -> list[Row]:
    """The values of a prediction's rows: the champion's, and the shadow's where it was sent.

    Raises:
        InvalidInputError: it does not fit the deployment's type, or there is no shadow model.
    """
    champion = {
        **_found(deployment, body.raw_predictions),
        "deployment_id": deployment.id,
        "oracle_prediction_id": prediction_id,
        "is_shadow": False,
        "model_version_id": deployment.model_version_id,
        "at": now if body.timestamp is None else body.timestamp,
        "latency": body.latency,
        "width": body.width,
        "height": body.height,
        "source": body.source,
        "tags": list(body.tags),
        "created_at": now,
    }
    if body.shadow_raw_predictions is None:
        return [champion]
    latency = body.shadow_latency or 0.0
    return [champion, _shadow(deployment, body.shadow_raw_predictions, latency, champion)]


def _shadow(deployment: Deployment, raw: dict[str, Any], latency: float, champion: Row) -> Row:
    if deployment.shadow_model_version_id is None:
        raise InvalidInputError(
            f"The deployment {deployment.name!r} has no shadow model.",
            "Set one: deployment.set_shadow_model(version).",
        )
    return {
        **champion,
        **_found(deployment, raw),
        "is_shadow": True,
        "model_version_id": deployment.shadow_model_version_id,
        "latency": latency,
        "source": None,
        "tags": [],
    }


def _found(deployment: Deployment, raw: dict[str, Any]) -> Row:
    """Check a prediction, and pack what the statistics need of it."""
    found = from_raw(InferenceType(deployment.type), raw)
    scores = np.asarray(raw["detection_scores"], dtype=np.float64)
    return {
        "classes": found.classes.astype(np.int64).tobytes(),
        "scores": scores.tobytes(),
        "raw": raw,
    }


def _insert(
    session: Session,
    seen: Deployment,
    lake: Datalake,
    body: NewPrediction,
    rows: list[Prediction],
    photo: _Photo | None,
) -> None:
    deployment = the(session, Deployment, seen.id, kind="deployment")
    deployment.inferences += 1
    if photo is not None:
        data = _data(session, lake, body, photo, now=rows[0].created_at)
        _dismiss_older(session, deployment, data)
        asset = PredictedAsset(
            deployment_id=deployment.id,
            oracle_prediction_id=rows[0].oracle_prediction_id,
            data_id=data.id,
            custom_metrics=body.custom_metrics,
            created_at=rows[0].created_at,
        )
        session.add(asset)
        session.flush()
        for row in rows:
            row.predicted_asset_id = asset.id
    session.add_all(rows)
    fire_alerts(session, rows)


def _data(
    session: Session, lake: Datalake, body: NewPrediction, photo: _Photo, *, now: float
) -> Data:
    row = session.scalars(
        select(Data).filter_by(datalake_id=lake.id, object_name=photo.object_name)
    ).first()
    if row is None:
        row = Data(
            datalake_id=lake.id,
            object_name=photo.object_name,
            filename=body.filename,
            type="IMAGE",
            content_type=photo.facts.content_type,
            width=photo.facts.size.width,
            height=photo.facts.size.height,
            metadata_json=body.metadata,
            custom_metadata=body.custom_metadata,
            data_source_id=source_named(session, body.source, now=now).id if body.source else None,
            created_at=now,
        )
        session.add(row)
        session.flush()
    for name in body.tags:
        link_tag(session, data_tag(session, name, lake.id, now=now), row.id)
    return row


def _dismiss_older(session: Session, deployment: Deployment, data: Data) -> None:
    """An image has one predicted asset in a deployment, the newest."""
    older = session.scalars(
        select(PredictedAsset).filter_by(deployment_id=deployment.id, data_id=data.id)
    ).all()
    for asset in older:
        session.execute(delete(TagLink).where(TagLink.target_id == asset.id))
        session.delete(asset)
    session.flush()


# The image -----------------------------------------------------------------------------------


@contextmanager
def _photo_stored(blobs: Blobs, body: NewPrediction, *, kept: bool) -> Iterator[_Photo]:
    """The image, checked, and durable where it is kept; gone again if the block fails."""
    if body.cloud_image is not None:
        yield _stored_already(blobs, body, body.cloud_image.object_name)
        return
    encoded = _decoded(body.image)
    name = new_object_name("DATA", body.filename)
    photo = _Photo(name, _checked(body, encoded))
    if not kept:
        yield photo
        return
    blobs.put(name, encoded)
    try:
        yield photo
    except NotDurableError:
        # A commit that failed may still be found at the next start: a row needs its image.
        raise
    except BaseException:
        blobs.remove(name)
        raise


def _stored_already(blobs: Blobs, body: NewPrediction, name: str) -> _Photo:
    try:
        with blobs.open(name) as stream:
            return _Photo(name, _checked(body, stream.read()))
    except FileNotFoundError:
        raise NotFoundError(
            f"Nothing is stored as {name} in the target datalake.", "Upload it first."
        ) from None


def _checked(body: NewPrediction, encoded: bytes) -> ImageFacts:
    return checked_photo(encoded, claimed=body.content_type, width=body.width, height=body.height)


def check_image(body: NewPrediction) -> None:
    """Look into an image that is not going to be kept, where it was sent at all.

    Raises:
        InvalidImageError: it is none, or another one than it claims to be.
    """
    if body.image is not None:
        _checked(body, _decoded(body.image))


def _decoded(image: str | None) -> bytes:
    if image is None:
        raise InvalidImageError("There is no image.", "Send `image` in base64, or `cloud_image`.")
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidImageError(
            f"The image is no base64 ({error}).", "Encode its bytes."
        ) from error


# Only once -----------------------------------------------------------------------------------


@contextmanager
def _only_once(prediction_id: str) -> Iterator[None]:
    """Two requests at the same time with one id: the database lets the first one in."""
    try:
        yield
    except IntegrityError as error:
        if "prediction" not in str(error.orig):
            raise
        raise recorded_already(prediction_id) from error


def _refuse_recorded(session: Session, deployment: Deployment, prediction_id: str) -> None:
    known = select(Prediction.id).filter_by(
        deployment_id=deployment.id, oracle_prediction_id=prediction_id, is_shadow=False
    )
    if session.scalars(known).first():
        raise recorded_already(prediction_id)


def recorded_already(prediction_id: str) -> ConflictError:
    """The refusal of a prediction that is known."""
    return ConflictError(
        f"The prediction {prediction_id} has already been processed.", "Nothing was stored again."
    )
