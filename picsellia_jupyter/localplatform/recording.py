"""What a monitoring call says, and the rows that are made of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.localplatform.folding import note_pending
from picsellia_jupyter.localplatform.names import Filename, Words
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import (
    Deployment,
    Prediction,
)
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.wire.predictions import from_raw
from picsellia_jupyter.wire.resources import MODEL_VERSION_KEY, PREDICTION_ID_KEY

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

    @property
    def version_id(self) -> str | None:
        """The model version that the client says it is of."""
        said = (self.custom_metadata or {}).get(MODEL_VERSION_KEY)
        return said if isinstance(said, str) else None


@dataclass(frozen=True, slots=True)
class Target:
    """What of a deployment decides how its predictions are recorded."""

    id: str
    name: str
    type: str
    model_version_id: str
    shadow_model_version_id: str | None
    others: frozenset[str] = frozenset()
    """Ids of further versions of its type: champions before, whose predictions come late."""


def record_shadow(
    here: Platform,
    deployment_id: str,
    prediction_id: str,
    raw: dict[str, Any],
    latency: float,
    version_id: str | None = None,
) -> None:
    """Record what the shadow model found in an image the champion has seen.

    Args:
        here: the platform.
        deployment_id: whose shadow it is.
        prediction_id: of the champion's prediction.
        raw: what was found.
        latency: seconds.
        version_id: whose prediction it is; the present shadow's if nobody says.

    Raises:
        UnknownIdError: there is no such version.
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
        row = Prediction(**_shadow(deployment, raw, latency, shared))
        if version_id is not None:
            row.model_version_id = the(session, ModelVersion, version_id, kind="model version").id
        session.add(row)
        session.flush()
        note_pending(session, [row.id])


# Rows ----------------------------------------------------------------------------------------


def rows_of(
    deployment: Target, prediction_id: str, body: NewPrediction, *, now: float
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
        "predicted_asset_id": None,
        "model_version_id": _version(deployment, body),
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


def _version(deployment: Target, body: NewPrediction) -> str:
    """Whose prediction it is: the version that its client names, else the champion."""
    said = body.version_id
    return said if said is not None and said in deployment.others else deployment.model_version_id


def _shadow(
    deployment: Target | Deployment, raw: dict[str, Any], latency: float, champion: Row
) -> Row:
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


def _found(deployment: Target | Deployment, raw: dict[str, Any]) -> Row:
    """Check a prediction, and pack what the statistics need of it."""
    found = from_raw(InferenceType(deployment.type), raw)
    scores = np.asarray(raw["detection_scores"], dtype=np.float64)
    return {
        "classes": found.classes.astype(np.int64).tobytes(),
        "scores": scores.tobytes(),
        "raw": raw,
    }


def recorded_already(prediction_id: str) -> ConflictError:
    """The refusal of a prediction that is known."""
    return ConflictError(
        f"The prediction {prediction_id} has already been processed.", "Nothing was stored again."
    )


@contextmanager
def _only_once(prediction_id: str) -> Iterator[None]:
    """Two requests at the same time with one id: the database lets the first one in."""
    try:
        yield
    except IntegrityError as error:
        if "prediction" not in str(error.orig):
            raise
        raise recorded_already(prediction_id) from error
