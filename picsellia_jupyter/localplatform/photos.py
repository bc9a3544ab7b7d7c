"""The image of a prediction: looked into, and made durable before the row that names it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select

from picsellia_jupyter.domain.errors import InvalidImageError, NotFoundError
from picsellia_jupyter.localplatform.blobs import Blobs, new_object_name
from picsellia_jupyter.localplatform.connectors import Place
from picsellia_jupyter.localplatform.images import ImageFacts, checked_photo
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.recording import NewPrediction, recorded_already
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.organization import Connector

_RECORDED = (
    select(Prediction.id)
    .where(
        Prediction.deployment_id == Deployment.id,
        Prediction.oracle_prediction_id == bindparam("prediction_id"),
        Prediction.is_shadow.is_(False),
    )
    .exists()
)
_WHERE_TO = (
    select(Deployment.sample_rate, Datalake.id, Connector.id, Connector.root, _RECORDED)
    .join(Datalake, Datalake.id == Deployment.target_datalake_id)
    .join(Connector, Connector.id == Datalake.connector_id)
    .where(Deployment.id == bindparam("deployment_id"))
)


@dataclass(frozen=True, slots=True)
class Photo:
    """An image that is in a datalake's storage, durable, and may have no row yet."""

    lake_id: str
    object_name: str
    facts: ImageFacts
    connector_id: str
    sha256: str | None
    """In hex, of an image that came with the prediction; one that was there before has none."""
    _blobs: Blobs = field(repr=False)

    @property
    def is_new(self) -> bool:
        """Whether it came with the prediction."""
        return self.sha256 is not None

    def discard(self) -> None:
        """Take it away again, unless it was there before."""
        if self.is_new:
            self._blobs.remove(self.object_name)


@dataclass(frozen=True, slots=True)
class Received:
    """A prediction that came, and its image where that is kept."""

    deployment_id: str
    prediction_id: str
    body: NewPrediction
    at: float
    """When it came, seconds since the epoch."""
    photo: Photo | None = None


def stored_photo(
    here: Platform, deployment_id: str, prediction_id: str, body: NewPrediction
) -> Photo | None:
    """The image of a prediction, checked and durable; None where it is not to be kept.

    Raises:
        UnknownIdError: there is no such deployment.
        ConflictError: this prediction is recorded already; nothing was stored.
        InvalidImageError: the image is none, or another one than it claims to be.
        NotFoundError: it should be in the datalake's storage and is not.
        OSError: the disk did not take it.
    """
    asked = {"deployment_id": deployment_id, "prediction_id": prediction_id}
    with here.store.reading() as session:
        found = session.execute(_WHERE_TO, asked).first()
    if found is None:
        raise UnknownIdError("deployment", deployment_id)
    sample_rate, lake_id, connector_id, root, is_recorded = found
    if is_recorded:
        raise recorded_already(prediction_id)
    blobs = here.blobs(Place(connector_id, root))
    is_kept = here.chance() < sample_rate if body.sample is None else body.sample
    if body.cloud_image is not None:
        name, sha256 = body.cloud_image.object_name, None
        facts = _checked(body, _in_storage(blobs, name))
    else:
        name, sha256 = new_object_name("DATA", body.filename), None
        encoded = _decoded(body.image)
        facts = _checked(body, encoded)
        if is_kept:
            sha256 = blobs.put(name, encoded)
    return Photo(lake_id, name, facts, connector_id, sha256, blobs) if is_kept else None


def check_image(body: NewPrediction) -> None:
    """Look into an image that is not going to be kept, where it was sent at all.

    Raises:
        InvalidImageError: it is none, or another one than it claims to be.
    """
    if body.image is not None:
        _checked(body, _decoded(body.image))


def _in_storage(blobs: Blobs, name: str) -> bytes:
    try:
        with blobs.open(name) as stream:
            return stream.read()
    except FileNotFoundError:
        raise NotFoundError(
            f"Nothing is stored as {name} in the target datalake.", "Upload it first."
        ) from None


def _checked(body: NewPrediction, encoded: bytes) -> ImageFacts:
    return checked_photo(encoded, claimed=body.content_type, width=body.width, height=body.height)


def _decoded(image: str | None) -> bytes:
    if image is None:
        raise InvalidImageError("There is no image.", "Send `image` in base64, or `cloud_image`.")
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidImageError(
            f"The image is no base64 ({error}).", "Encode its bytes."
        ) from error
