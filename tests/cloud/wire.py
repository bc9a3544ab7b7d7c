"""What the SDK 6.37 sends to the Picsellia cloud, as the double lets it pass: a list of routes.

Taken down from the SDK's own source and from what it was seen to send; a test looks each path up
in its source again. What no feature of ours needs is left out, so the list only errs by refusing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Json = dict[str, Any]
INFERENCE_TYPES = Literal[
    "CLASSIFICATION", "OBJECT_DETECTION", "SEGMENTATION", "LINE", "POINT", "KEYPOINT", "MASK"
]
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Body(BaseModel):
    """JSON of a request: these fields, of these types, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewObjectName(Body):
    filename: str
    type: str
    context: dict[str, str] | None = None
    upload_dir: str | None = None


class ObjectToStore(Body):
    object_name: str
    content_type: str


class ObjectToGet(Body):
    object_name: str


class NewModel(Body):
    name: str
    description: str | None


class NewVersion(Body):
    name: str | None = None
    type: INFERENCE_TYPES | None = None
    framework: Literal["TENSORFLOW", "PYTORCH", "ONNX", "NOT_CONFIGURED"] | None = None
    labels: dict[str, str] | None = None
    parameters: Json | None = None
    description: str | None = None
    docker_image: str | None = None
    docker_tag: str | None = None
    docker_flags: list[str] | None = None
    docker_env_variables: Json | None = None
    notebook_link: str | None = None
    thumbnail_object_name: str | None = None


class NewFile(Body):
    name: str
    filename: str
    object_name: str
    large: bool


class NewDeployment(Body):
    model_version_id: str
    name: str | None = None
    min_threshold: float | None = None
    target_datalake_id: str | None = None
    shadow_model_version_id: str | None = None
    disable_serving: Literal[True] | None = None


class ChangedDeployment(Body):
    name: str | None = None
    min_threshold: float | None = None
    target_datalake_id: str | None = None
    sample_rate: float | None = None


class ChosenModel(Body):
    model_version_id: str


class Login(Body):
    api_token: str
    deployment_id: str


class CloudImage(Body):
    connector_id: str
    client_type: str
    bucket_name: str
    object_name: str


class Monitored(Body):
    filename: str
    content_type: Literal["IMAGE/PNG", "IMAGE/JPEG"]
    height: int
    width: int
    raw_predictions: Json
    latency: float
    image: str | None = Field(default=None, repr=False)
    cloud_image: CloudImage | None = None
    source: str | None = None
    tags: list[str] | None = None
    metadata: Json | None = None
    custom_metadata: Json | None = None
    timestamp: float | None = None
    upload_dir: str | None = None
    sample: bool | None = None
    custom_metrics: Json | None = None
    shadow_latency: float | None = None
    shadow_raw_predictions: Json | None = None


class ShadowMonitored(Body):
    shadow_raw_predictions: Json
    shadow_latency: float


@dataclass(frozen=True)
class Route:
    """One thing that may be asked."""

    method: str
    path: str
    query: frozenset[str] = frozenset()
    body: type[Body] | None = None
    reply: frozenset[str] | None = None
    """Keys of the object, or of each of its `items`, that the SDK reads; None drops nothing."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a path of this route looks like; every `{…}` is an id."""
        return re.compile(re.sub(r"\\{\w+\\}", _ID, re.escape(self.path)))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PING = _words("username sdk_version default_organization")
ORGANIZATION = _words("id name default_connector_id")
LAKE = _words("id name connector_id")
MODEL = _words("id name private tags")
VERSION = _words("id name version type framework origin labels tags")
FILE = _words("id name object_name filename large presigned_url")
DEPLOYMENT = _words(
    "id name type oracle_host serving_host review_campaign_id tags model_version_id "
    "shadow_model_version_id min_threshold sample_rate target_datalake_id"
)
DATA = _words(
    "id object_name filename type content_type upload_status meta presigned_url metadata "
    "custom_metadata tags data_source datalake_id"
)
ASSET = _words("id oracle_prediction_id data predictions reviews")
CONNECTOR = _words("id client_type bucket_name")
PREDICTION = _words("id is_shadow")
"""What is inside a stored prediction is nowhere said; the SDK reads `is_shadow` alone."""
LISTED = _words("limit offset order_by")
LISTED_ASSETS = LISTED | _words("cursor q upload_statuses types custom_metadata assignment_status")
STATISTIC = _words("service model_id from_timestamp to_timestamp since includes excludes tags")
FOUND_ASSET = _words("id oracle_prediction_id object_name filename data_id")
_ORG = "/api/organization/{id}"

ROUTES = (
    Route("GET", "/api/home/ping", reply=PING),
    Route("GET", "/api/organizations/find", _words("name"), reply=ORGANIZATION),
    Route("GET", _ORG, reply=ORGANIZATION),
    Route("GET", f"{_ORG}/datalake", _words("id name"), reply=LAKE),
    Route("GET", f"{_ORG}/datalakes", LISTED, reply=LAKE),
    Route("POST", f"{_ORG}/connector/{{id}}/generate_object_name", body=NewObjectName),
    Route("POST", "/api/object-storage/{id}/generate_presigned_url", body=ObjectToStore),
    Route("POST", "/api/object-storage/{id}/retrieve_presigned_url", body=ObjectToGet),
    Route("POST", f"{_ORG}/models", body=NewModel, reply=MODEL),
    Route("GET", f"{_ORG}/models", LISTED, reply=MODEL),
    Route("GET", f"{_ORG}/models/find", _words("id name"), reply=MODEL),
    Route("GET", "/api/model/{id}", reply=MODEL),
    Route("DELETE", "/api/model/{id}"),
    Route("POST", "/api/model/{id}/versions", body=NewVersion, reply=VERSION),
    Route("GET", "/api/model/{id}/versions", LISTED, reply=VERSION),
    Route("GET", f"{_ORG}/modelversions/find", _words("id"), reply=VERSION),
    Route("GET", "/api/model/version/{id}", reply=VERSION),
    Route("GET", "/api/model/version/{id}/context"),
    Route("POST", "/api/model/version/{id}/modelfiles", body=NewFile, reply=FILE),
    Route("GET", "/api/model/version/{id}/modelfiles", LISTED, reply=FILE),
    Route("GET", "/api/model/version/{id}/modelfiles/find", _words("name"), reply=FILE),
    Route("GET", "/api/model/file/{id}", reply=FILE),
    Route("POST", f"{_ORG}/deployments", body=NewDeployment, reply=DEPLOYMENT),
    Route("GET", f"{_ORG}/deployments", LISTED, reply=DEPLOYMENT),
    Route("GET", f"{_ORG}/deployments/find", _words("id name"), reply=DEPLOYMENT),
    Route("GET", "/api/deployment/{id}", reply=DEPLOYMENT),
    Route("PATCH", "/api/deployment/{id}", body=ChangedDeployment, reply=DEPLOYMENT),
    Route("DELETE", "/api/deployment/{id}", _words("force_delete")),
    Route("POST", "/api/deployment/{id}/shadow", body=ChosenModel),
    Route("GET", "/api/deployment/{id}/labels", reply=_words("id name group_id")),
    Route("GET", "/api/deployment/{id}/datalake/connector", reply=CONNECTOR),
    Route("GET", "/api/deployment/{id}/predictedassets", LISTED_ASSETS, reply=ASSET),
    Route("GET", "/api/deployment/{id}/predictedassets/find", FOUND_ASSET, reply=ASSET),
    Route("GET", "/api/predicted/asset/{id}", reply=ASSET),
    Route("GET", "/api/data/{id}", reply=DATA),
    Route("GET", "/api/data/{id}/presigned-url"),
)  # fmt: skip
SERVICES = (
    # Monitoring
    Route("POST", "/api/auth/login", body=Login),
    Route("POST", "/api/deployment/{id}/predictions", body=Monitored, reply=_words("id")),
    Route("POST", "/api/prediction/{id}/shadow", body=ShadowMonitored),
    Route("GET", "/api/deployment/{id}/predictions/stats", STATISTIC),
    Route("GET", "/api/deployment/{id}/stats", STATISTIC),
    # Serving
    Route("POST", "/api/login", body=Login),
    Route("POST", "/api/deployments/{id}/predict"),
)
"""What is asked at the addresses that a deployment tells: other hosts than the main one."""
